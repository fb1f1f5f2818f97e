// The reference for the hold: what hotexec does to a target, from seize to detach, in C and nothing besides.
// Same system calls, same order (bench/sequence.ts compares traces of both), but for what the engine does about its own scheduling with many
// threads (src/tracer/scheduling.ts): it made this program slower, 27.8 instead of 25.9 ms (medians of 50). Each line of standard input is
// a pid; the process is restarted as it is, and the answer is a line with the hold in microseconds, measured where src/engine/held.ts
// measures it.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef struct user_regs_struct Registers;

enum { maxThreads = 4096, maxStrings = 4096, pageSize = 4096, roomSize = 256, nonceSize = 16 };
enum { holderFromKib = 64 * 1024 };
enum { TRACESYSGOOD = 1, TRACEFORK = 2, TRACEVFORK = 4, TRACECLONE = 8, TRACEEXEC = 16, EXITKILL = 0x100000 };
enum { EventClone = 3, EventExec = 4, EventStop = 128 };

static void die(const char *what) {
  fprintf(stderr, "reference: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double nowUs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void sleepNs(long ns) {
  struct timespec time = {0, ns};
  ppoll(NULL, 0, &time, NULL);
}

// ---- /proc

static char text[1 << 20];

/** Reads a whole file as Node does: until a read gives nothing. */
static size_t readFile(const char *format, ...) {
  char path[128];
  va_list args;
  va_start(args, format);
  vsnprintf(path, sizeof path, format, args);
  va_end(args);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text[0] = 0;
  size_t size = 0;
  for (ssize_t got; size < sizeof text - 1 && (got = read(fd, text + size, 8192)) > 0;) size += got;
  text[size] = 0;
  close(fd);
  return size;
}

static int numbersIn(const char *format, int pid, int *out) {
  char path[64];
  snprintf(path, sizeof path, format, pid);
  DIR *dir = opendir(path);
  if (dir == NULL) return 0;
  int count = 0;
  for (struct dirent *entry; count < maxThreads && (entry = readdir(dir)) != NULL;)
    if (entry->d_name[0] != '.') out[count++] = atoi(entry->d_name);
  closedir(dir);
  return count;
}

static int statFiles[maxThreads];
static int statFileCount;

/** Opened before the hold, as src/tracer/thread-states.ts does. */
static void openStatFiles(int pid, const int *tids, int count) {
  for (char path[64]; statFileCount < count; statFileCount++) {
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tids[statFileCount]);
    statFiles[statFileCount] = open(path, O_RDONLY | O_CLOEXEC);
  }
}

static char stateOfThread(int index) {
  char head[41];
  ssize_t got = pread(statFiles[index], head, sizeof head - 1, 0);
  if (got <= 0) return 'X';
  head[got] = 0;
  return strrchr(head, ')')[2];
}

static int countThreads(int pid) {
  char path[64];
  struct stat directory;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  return stat(path, &directory) < 0 ? 0 : directory.st_nlink - 2;
}

static void closeStatFiles(void) {
  while (statFileCount > 0) close(statFiles[--statFileCount]);
}

static long statusField(const char *name, int base) {
  char *line = strstr(text, name);
  return line == NULL ? 0 : (long)strtoull(line + strlen(name), NULL, base);
}

static int childrenOf(int pid, int tid, int *out) {
  readFile("/proc/%d/task/%d/children", pid, tid);
  int count = 0;
  for (char *at = text, *end; count < maxThreads; at = end) {
    long child = strtol(at, &end, 10);
    if (end == at) break;
    out[count++] = child;
  }
  return count;
}

static int innermostPid(int pid) {
  readFile("/proc/%d/status", pid);
  char *line = strstr(text, "NSpid:");
  return line == NULL ? pid : atoi(strrchr(strtok(line, "\n"), '\t'));
}

// ---- tracees

typedef struct {
  int tid, status;
} Stop;

static Stop kept[16];
static int keptCount;

static int eventOf(int status) { return status >> 16; }
static int isSyscallStop(int status) { return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80); }

/** src/tracer/ptrace/wait.ts: WNOHANG, spinning with sched_yield for 0.2 ms, then sleeps that grow from 20 us to 250 us. */
static int waitFor(int tid) {
  for (int i = 0; i < keptCount; i++)
    if (kept[i].tid == tid) {
      int status = kept[i].status;
      kept[i] = kept[--keptCount];
      return status;
    }
  double spinUntil = nowUs() + 200;
  for (long ns = 20000;;) {
    int status;
    int got = syscall(SYS_wait4, -1, &status, WNOHANG | __WALL | __WNOTHREAD, NULL);
    if (got < 0) die("wait4");
    if (got == tid) return status;
    if (got > 0) {
      kept[keptCount++] = (Stop){got, status};
      continue;
    }
    if (nowUs() <= spinUntil) {
      sched_yield();
    } else {
      sleepNs(ns);
      ns = ns * 2 < 250000 ? ns * 2 : 250000;
    }
  }
}

static long trace(int request, int tid, u64 address, u64 data) {
  long result = syscall(SYS_ptrace, request, tid, address, data);
  if (result < 0) die("ptrace");
  return result;
}

static void setMask(int tid, u64 mask) { trace(PTRACE_SETSIGMASK, tid, 8, (u64)&mask); }

static Registers registersOf(int tid) {
  Registers registers;
  trace(PTRACE_GETREGS, tid, 0, (u64)&registers);
  return registers;
}

// ---- the journal

static int journal;
static off_t journalEnd;

static void note(const char *format, ...) {
  char line[8192];
  va_list args;
  va_start(args, format);
  int size = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (pwrite(journal, line, size, journalEnd) != size) die("journal");
  journalEnd += size;
}

static void noteRegisters(int id, int tid, const Registers *registers) {
  char hex[2 * sizeof *registers + 1];
  for (size_t i = 0; i < sizeof *registers; i++) {
    static const char digits[] = "0123456789abcdef";
    unsigned char byte = ((const unsigned char *)registers)[i];
    hex[2 * i] = digits[byte >> 4];
    hex[2 * i + 1] = digits[byte & 15];
  }
  hex[2 * sizeof *registers] = 0;
  note("{\"change\":{\"kind\":\"registers\",\"tid\":%d,\"bytes\":\"%s\"},\"id\":%d}\n", tid, hex, id);
}

// ---- remote calls

typedef struct {
  int tid;
  Registers base;
  u64 instruction;
} Remote;

static void enter(Remote *remote, int number, const u64 *args) {
  Registers *to = &remote->base;
  to->rip = remote->instruction;
  to->rax = number;
  to->orig_rax = -1;
  to->rdi = args[0], to->rsi = args[1], to->rdx = args[2], to->r10 = args[3], to->r8 = args[4], to->r9 = args[5];
  trace(PTRACE_SETREGS, remote->tid, 0, (u64)to);
  do trace(PTRACE_SYSCALL, remote->tid, 0, 0);
  while (!isSyscallStop(waitFor(remote->tid)));
}

/** To the exit of the call (0) or an event of it. */
static int advance(Remote *remote) {
  for (;;) {
    trace(PTRACE_SYSCALL, remote->tid, 0, 0);
    int status = waitFor(remote->tid);
    if (!WIFSTOPPED(status)) die("a tracee ended");
    if (isSyscallStop(status)) return 0;
    if (eventOf(status) == EventExec || (eventOf(status) >= 1 && eventOf(status) <= EventClone)) return eventOf(status);
  }
}

#define ARGUMENTS(...) ((const u64[6]){__VA_ARGS__})
#define REMOTE(remote, name, ...) call(remote, SYS_##name, ARGUMENTS(__VA_ARGS__))

static long call(Remote *remote, int number, const u64 *args) {
  enter(remote, number, args);
  advance(remote);
  return registersOf(remote->tid).rax;
}

static void writeMemory(int tid, u64 address, const void *bytes, size_t size) {
  struct iovec local = {(void *)bytes, size}, there = {(void *)address, size};
  if (process_vm_writev(tid, &local, 1, &there, 1, 0) != (ssize_t)size) die("process_vm_writev");
}

static void readMemory(int tid, u64 address, void *bytes, size_t size) {
  struct iovec local = {bytes, size}, there = {(void *)address, size};
  if (process_vm_readv(tid, &local, 1, &there, 1, 0) != (ssize_t)size) die("process_vm_readv");
}

// ---- before the hold: the program, the place of the scratch memory and of a syscall instruction

typedef struct {
  int pid;
  long residentKib;
  u64 instruction;
  u64 scratch;
  size_t scratchSize, used;
  u64 path, argv, envp, room, childStack;
  char bytes[1 << 18];
} Plan;

static u64 vdsoOffset;

static u64 vdsoOf(int tid) {
  size_t size = readFile("/proc/%d/auxv", tid);
  for (u64 *entry = (u64 *)text; (char *)entry < text + size && entry[0] != 0; entry += 2)
    if (entry[0] == 33) return entry[1];
  return 0;
}

static u64 findInstruction(int tid) {
  u64 vdso = vdsoOf(tid);
  if (vdsoOffset != 0) {
    unsigned char bytes[2];
    readMemory(tid, vdso + vdsoOffset, bytes, 2);
    if (bytes[0] == 0x0f && bytes[1] == 0x05) return vdso + vdsoOffset;
  }
  char image[2 * pageSize];
  readMemory(tid, vdso, image, sizeof image);
  char *found = memmem(image, sizeof image, "\x0f\x05", 2);
  if (found == NULL) die("no syscall instruction");
  vdsoOffset = found - image;
  return vdso + vdsoOffset;
}

/** The first gap above 64 KiB that is large enough, a megabyte away from its neighbours. */
static u64 findGap(int tid, size_t size) {
  readFile("/proc/%d/maps", tid);
  u64 end = 0x10000;
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    u64 from, to;
    if (sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
    if (from > end + (2 << 20) + size) return end + (1 << 20);
    end = to;
  }
  die("no gap");
  return 0;
}

static size_t splitWords(size_t size, char **out) {
  char *copy = malloc(size + 1);
  memcpy(copy, text, size + 1);
  size_t count = 0;
  for (char *at = copy; at < copy + size && count < maxStrings; at += strlen(at) + 1) out[count++] = at;
  return count;
}

static void makePlan(Plan *plan, int pid) {
  static char *argv[maxStrings], *envp[maxStrings];
  char exe[64], path[4096];
  plan->pid = pid;
  readFile("/proc/%d/status", pid);
  plan->residentKib = statusField("VmRSS:", 10);
  size_t argc = splitWords(readFile("/proc/%d/cmdline", pid), argv);
  size_t envc = splitWords(readFile("/proc/%d/environ", pid), envp);
  snprintf(exe, sizeof exe, "/proc/%d/exe", pid);
  ssize_t length = readlink(exe, path, sizeof path - 1);
  if (length < 0) die(exe);
  path[length] = 0;

  size_t tables = (argc + envc + 2) * 8, strings = length + 1;
  for (size_t i = 0; i < argc; i++) strings += strlen(argv[i]) + 1;
  for (size_t i = 0; i < envc; i++) strings += strlen(envp[i]) + 1;
  size_t used = plan->used = nonceSize + roomSize + tables + strings;
  plan->scratchSize = (used + pageSize - 1) / pageSize * pageSize + pageSize;
  plan->scratch = findGap(pid, plan->scratchSize);
  plan->instruction = findInstruction(pid);

  memset(plan->bytes, 0, used);
  if (getrandom(plan->bytes, nonceSize, 0) != nonceSize) die("getrandom");
  size_t at = nonceSize + roomSize + tables;
  u64 *table = (u64 *)(plan->bytes + nonceSize + roomSize);
  plan->room = plan->scratch + nonceSize;
  plan->argv = plan->room + roomSize;
  plan->envp = plan->argv + (argc + 1) * 8;
  plan->path = plan->scratch + at;
  plan->childStack = plan->scratch + plan->scratchSize - 256;
  at += strlen(strcpy(plan->bytes + at, path)) + 1;
  for (size_t i = 0; i < argc; i++) *table++ = plan->scratch + at, at += strlen(strcpy(plan->bytes + at, argv[i])) + 1;
  *table++ = 0;
  for (size_t i = 0; i < envc; i++) *table++ = plan->scratch + at, at += strlen(strcpy(plan->bytes + at, envp[i])) + 1;
  if (argc > 0) free(argv[0]);
  if (envc > 0) free(envp[0]);
}

static void openJournal(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/run/hotexec-reference-%d", pid);
  journal = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (journal < 0 || flock(journal, LOCK_EX | LOCK_NB) < 0 || fallocate(journal, 0, 0, 65536) < 0) die(path);
  unlink(path);
  journalEnd = 0;
}

// ---- the hold

static int threads[maxThreads];

static void seize(int pid) {
  int count = numbersIn("/proc/%d/task", pid, threads);
  openStatFiles(pid, threads, count);
  for (int i = 0; i < count; i++)
    if (stateOfThread(i) == 'D') die("a thread in D");
  trace(PTRACE_SEIZE, pid, 0, TRACESYSGOOD | TRACEEXEC);
  trace(PTRACE_INTERRUPT, pid, 0, 0);
  while (eventOf(waitFor(pid)) != EventStop) trace(PTRACE_CONT, pid, 0, 0);
  registersOf(pid);
  readFile("/proc/%d/stat", pid);
}

/** The thread's own mask, written down. */
static u64 noteStopped(int pid, int id) {
  u64 mask;
  trace(PTRACE_GETSIGMASK, pid, 8, (u64)&mask);
  note("{\"change\":{\"kind\":\"stopped\",\"alreadyStopped\":false,\"tid\":%d,\"mask\":\"%lx\"},\"id\":%d}\n", pid, mask, id);
  return mask;
}

/** A SIGSTOP injected at its delivery: every thread of the process is in a group-stop after it. */
static void armNet(int pid) {
  syscall(SYS_tgkill, pid, pid, SIGSTOP);
  for (int signal = 0;;) {
    trace(PTRACE_CONT, pid, 0, signal);
    int status = waitFor(pid);
    if (eventOf(status) == EventStop && WSTOPSIG(status) == SIGSTOP) return;
    signal = eventOf(status) == 0 ? WSTOPSIG(status) : 0;
  }
}

static void awaitSiblings(int pid) {
  for (int i = 0; i < statFileCount; i++)
    while (strchr("TtZX", stateOfThread(i)) == NULL) sleepNs(50000);
  if (countThreads(pid) != statFileCount) die("a thread was born meanwhile");
}

static void borrow(Remote *remote, int pid, u64 instruction) {
  remote->tid = pid;
  remote->instruction = instruction;
  remote->base = registersOf(pid);
  noteRegisters(2, pid, &remote->base);
  setMask(pid, ~0ull);
  trace(PTRACE_SETOPTIONS, pid, 0, TRACESYSGOOD | TRACEEXEC | TRACECLONE | TRACEFORK);
}

static void mapScratch(Remote *remote, const Plan *plan) {
  note("{\"change\":{\"kind\":\"mapping\",\"address\":\"0x%lx\",\"sizeBytes\":%zu,\"nonce\":\"%032x\"},\"id\":3}\n", plan->scratch,
       plan->scratchSize, 0);
  if (REMOTE(remote, mmap, plan->scratch, plan->scratchSize, 3, 0x02 | 0x20 | 0x100000, -1, 0) < 0) die("remote mmap");
  writeMemory(remote->tid, plan->scratch, plan->bytes, plan->used);
}

/** A child that shares the memory and never runs an instruction of its own. */
static Remote spawnSharing(Remote *remote, const Plan *plan, int *inside) {
  enter(remote, SYS_clone, ARGUMENTS(0x100, plan->childStack));
  if (advance(remote) == 0) die("remote clone");
  u64 message;
  trace(PTRACE_GETEVENTMSG, remote->tid, 0, (u64)&message);
  Remote child = {.tid = message, .instruction = remote->instruction};
  waitFor(child.tid);
  trace(PTRACE_SETOPTIONS, child.tid, 0, TRACESYSGOOD | TRACEEXEC | EXITKILL);
  advance(remote);
  *inside = registersOf(remote->tid).rax;
  child.base = registersOf(child.tid);
  return child;
}

static void killChild(int pid) {
  syscall(SYS_tgkill, pid, pid, SIGKILL);
  while (WIFSTOPPED(waitFor(pid)));
}

static void reapChild(Remote *remote, int inside) {
  while (REMOTE(remote, wait4, inside, 0, WNOHANG | __WALL) == 0) sleepNs(100000);
}

static void dryRun(Remote *remote, const Plan *plan) {
  int children[maxThreads], inside;
  readFile("/proc/%d/status", plan->pid);
  childrenOf(plan->pid, plan->pid, children);
  note("{\"change\":{\"kind\":\"child\",\"before\":[]},\"id\":4}\n");
  Remote child = spawnSharing(remote, plan, &inside);
  enter(&child, SYS_execve, ARGUMENTS(plan->path, plan->argv, plan->envp));
  if (advance(&child) != EventExec) die("dry run");
  killChild(child.tid);
  // As a mender would: whatever child is new and of our making is killed and collected.
  childrenOf(plan->pid, plan->pid, children);
  innermostPid(child.tid);
  readFile("/proc/%d/stat", child.tid);
  readFile("/proc/%d/stat", plan->pid);
  syscall(SYS_tgkill, child.tid, child.tid, SIGKILL);
  reapChild(remote, inside);
  u64 set = 1ull << (SIGCHLD - 1);
  writeMemory(remote->tid, plan->room, &set, sizeof set);
  char info[20];
  if (REMOTE(remote, rt_sigtimedwait, plan->room, plan->room + 16, plan->room + 160, 8) == SIGCHLD)
    readMemory(remote->tid, plan->room + 16, info, sizeof info);
  childrenOf(plan->pid, plan->pid, children);
  note("{\"strike\":4}\n");
}

static void markDescriptors(Remote *remote, int pid) {
  int fds[maxThreads], toSet = 0;
  char list[4096] = "";
  int count = numbersIn("/proc/%d/fd", pid, fds);
  for (int i = 0; i < count; i++) {
    readFile("/proc/%d/fdinfo/%d", pid, fds[i]);
    int closeOnExec = (statusField("flags:", 8) & O_CLOEXEC) != 0;
    if (fds[i] > 2 && !closeOnExec && strlen(list) < sizeof list - 16)
      sprintf(list + strlen(list), "%s%d", toSet++ > 0 ? "," : "", fds[i]);
  }
  note("{\"change\":{\"kind\":\"descriptorFlags\",\"set\":[%s],\"cleared\":[]},\"id\":5}\n", list);
  if (toSet > 0 && REMOTE(remote, close_range, 3, 0xffffffff, 4) != 0) die("remote close_range");
}

static int startHolder(Remote *remote, const Plan *plan, int *inside) {
  int children[maxThreads];
  childrenOf(plan->pid, plan->pid, children);
  note("{\"change\":{\"kind\":\"child\",\"before\":[]},\"id\":6}\n");
  Remote child = spawnSharing(remote, plan, inside);
  REMOTE(&child, close_range, 0, 0xffffffff, 0);
  note("{\"change\":{\"kind\":\"holder\",\"pidInside\":%d},\"id\":7}\n", *inside);
  return child.tid;
}

static void swapProgram(Remote *remote, const Plan *plan) {
  note("{\"mark\":\"exec\"}\n");
  enter(remote, SYS_execve, ARGUMENTS(plan->path, plan->argv, plan->envp));
  if (advance(remote) != EventExec) die("remote execve");
  trace(PTRACE_SYSCALL, plan->pid, 0, 0);
  while (!isSyscallStop(waitFor(plan->pid))) trace(PTRACE_SYSCALL, plan->pid, 0, 0);
}

/** Which processes descend from the target, and which of them are to be spared (src/engine/descendants.ts). */
static int findDescendants(int pid, int *out) {
  int tids[64], children[64], found = 0;
  int threadCount = numbersIn("/proc/%d/task", pid, tids);
  for (int i = 0; i < threadCount; i++) {
    int count = childrenOf(pid, tids[i], children);
    for (int c = 0; c < count; c++) {
      readFile("/proc/%d/stat", children[c]);
      out[found++] = children[c];
      found += findDescendants(children[c], out + found);
    }
  }
  return found;
}

static void listDescendants(int pid, int holder) {
  int found[64];
  int count = findDescendants(pid, found);
  if (count == 0) return;
  // The holder is spared without a look at where it belongs.
  if (count > 1 || found[0] != holder) {
    readFile("/proc/%d/stat", pid);
    readFile("/proc/%d/cgroup", pid);
    for (int i = 0; i < count; i++)
      if (found[i] != holder) readFile("/proc/%d/cgroup", found[i]);
  }
  for (int i = 0; i < count; i++) readFile("/proc/%d/status", found[i]);
}

static void resetAttributes(Remote *remote, const Plan *plan, u64 stack) {
  static const char zeros[roomSize];
  int tid = remote->tid;
  u64 room = (stack - 32 * 1024) & ~0xfffull;
  readFile("/proc/%d/status", plan->pid);
  writeMemory(tid, room, zeros, sizeof zeros);
  writeMemory(tid, room, zeros, 8);
  for (int timer = 0; timer < 3; timer++) REMOTE(remote, setitimer, timer, room, 0);
  REMOTE(remote, prctl, 1);
  REMOTE(remote, prctl, 36);
  REMOTE(remote, prctl, 33);
  REMOTE(remote, prctl, 26, 1);
  REMOTE(remote, prctl, 27);
  REMOTE(remote, unshare, 0x40000);
  REMOTE(remote, prctl, 66);
}

static void giveBack(Remote *remote, Registers own) {
  trace(PTRACE_INTERRUPT, remote->tid, 0, 0);
  trace(PTRACE_CONT, remote->tid, 0, 0);
  while (eventOf(waitFor(remote->tid)) != EventStop) trace(PTRACE_CONT, remote->tid, 0, 0);
  trace(PTRACE_SETREGS, remote->tid, 0, (u64)&own);
}

/** `watched`: what is traced from here on; the reference lets go all the same. */
static void endHold(int pid, u64 mask, u64 watched, const char *line) {
  registersOf(pid);
  setMask(pid, mask & ~(1ull << (SIGCONT - 1)));
  syscall(SYS_tgkill, pid, pid, SIGCONT);
  for (;;) {
    trace(PTRACE_CONT, pid, 0, 0);
    int status = waitFor(pid);
    if (eventOf(status) == 0 && WSTOPSIG(status) == SIGCONT) break;
  }
  if ((mask & (1ull << (SIGCONT - 1))) != 0) setMask(pid, mask);
  if (watched != 0) trace(PTRACE_SETOPTIONS, pid, 0, watched);
  note("%s", line);
  trace(PTRACE_DETACH, pid, 0, 0);
}

/** src/engine/reap-holder.ts: the holder's memory is freed outside of any hold, its remains are collected in a second, short one. */
static void reapHolder(int pid, int holder, int inside) {
  killChild(holder);
  u64 instruction = findInstruction(pid);
  seize(pid);
  u64 mask = noteStopped(pid, 8);
  armNet(pid);
  awaitSiblings(pid);
  Remote remote;
  borrow(&remote, pid, instruction);
  Registers own = remote.base;
  reapChild(&remote, inside);
  giveBack(&remote, own);
  note("{\"strike\":9}\n");
  endHold(pid, mask, 0, "{\"strike\":8}\n");
  closeStatFiles();
}

static double restart(int pid) {
  static Plan plan;
  makePlan(&plan, pid);
  openJournal(pid);
  note("{\"header\":{\"version\":1,\"enginePid\":%d}}\n", getpid());
  seize(pid);
  noteStopped(pid, 1);
  double since = nowUs();
  armNet(pid);
  awaitSiblings(pid);
  Remote remote;
  borrow(&remote, pid, plan.instruction);
  mapScratch(&remote, &plan);
  dryRun(&remote, &plan);
  struct pollfd input = {0, POLLIN, 0};
  poll(&input, 1, 0);
  markDescriptors(&remote, pid);
  int holder = 0, inside = 0;
  if (plan.residentKib >= holderFromKib) holder = startHolder(&remote, &plan, &inside);
  readFile("/proc/%d/status", pid);
  swapProgram(&remote, &plan);

  note("{\"change\":{\"kind\":\"stopped\",\"alreadyStopped\":false,\"tid\":%d,\"mask\":\"0\"},\"id\":8}\n", pid);
  armNet(pid);
  Registers own = remote.base = registersOf(pid);
  remote.instruction = findInstruction(pid);
  noteRegisters(9, pid, &own);
  listDescendants(pid, holder);
  resetAttributes(&remote, &plan, own.rsp);
  giveBack(&remote, own);
  note("{\"mark\":\"own\"}\n");
  note("{\"strike\":9}\n");
  endHold(pid, 0, TRACESYSGOOD | TRACEFORK | TRACEVFORK | TRACECLONE | TRACEEXEC, "{\"mark\":\"released\"}\n");
  double hold = nowUs() - since;
  closeStatFiles();
  if (holder != 0) reapHolder(pid, holder, inside);
  close(journal);
  return hold;
}

int main(void) {
  char line[32];
  prctl(PR_SET_TIMERSLACK, 1);
  // As Node does at its start.
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  while (fgets(line, sizeof line, stdin) != NULL) {
    printf("%.1f\n", restart(atoi(line)));
    fflush(stdout);
  }
  return 0;
}

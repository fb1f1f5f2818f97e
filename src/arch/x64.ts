// x86-64. Numbers: arch/x86/entry/syscalls/syscall_64.tbl; registers: struct user_regs_struct in arch/x86/include/asm/user_64.h.

import type { Architecture } from './architecture.ts';

const syscalls = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  pread64: 17,
  pwrite64: 18,
  sched_yield: 24,
  alarm: 37,
  setitimer: 38,
  dup2: 33,
  getpid: 39,
  socket: 41,
  connect: 42,
  accept: 43,
  sendto: 44,
  recvfrom: 45,
  sendmsg: 46,
  recvmsg: 47,
  shutdown: 48,
  bind: 49,
  listen: 50,
  getsockname: 51,
  getpeername: 52,
  socketpair: 53,
  setsockopt: 54,
  getsockopt: 55,
  clone: 56,
  execve: 59,
  exit: 60,
  wait4: 61,
  semctl: 66,
  kill: 62,
  fcntl: 72,
  chdir: 80,
  unlink: 87,
  umask: 95,
  ptrace: 101,
  capset: 126,
  rt_sigtimedwait: 128,
  personality: 135,
  setpriority: 141,
  sched_setparam: 142,
  sched_setscheduler: 144,
  prctl: 157,
  setxattr: 188,
  fsetxattr: 190,
  getxattr: 191,
  listxattr: 194,
  removexattr: 197,
  fremovexattr: 199,
  sched_setaffinity: 203,
  sched_getaffinity: 204,
  exit_group: 231,
  epoll_wait: 232,
  tgkill: 234,
  ioprio_set: 251,
  ioprio_get: 252,
  ppoll: 271,
  unlinkat: 263,
  unshare: 272,
  set_mempolicy: 238,
  get_mempolicy: 239,
  fallocate: 285,
  accept4: 288,
  dup3: 292,
  pipe2: 293,
  perf_event_open: 298,
  prlimit64: 302,
  syncfs: 306,
  setns: 308,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  renameat2: 316,
  getrandom: 318,
  memfd_create: 319,
  execveat: 322,
  pidfd_send_signal: 424,
  pidfd_open: 434,
  close_range: 436,
  openat2: 437,
  pidfd_getfd: 438,
  flock: 73,
  sched_getscheduler: 145,
  getpriority: 140,
} as const;

export const x64: Architecture<keyof typeof syscalls> = {
  name: 'x86-64',
  elfMachine: 62,
  syscalls,
  syscallInstruction: Uint8Array.of(0x0f, 0x05),
  syscallFunction: Uint8Array.from(
    [
      [0x48, 0x89, 0xf8], // mov %rdi, %rax
      [0x48, 0x89, 0xf7], // mov %rsi, %rdi
      [0x48, 0x89, 0xd6], // mov %rdx, %rsi
      [0x48, 0x89, 0xca], // mov %rcx, %rdx
      [0x4d, 0x89, 0xc2], // mov %r8, %r10
      [0x4d, 0x89, 0xc8], // mov %r9, %r8
      [0x4c, 0x8b, 0x4c, 0x24, 0x08], // mov 8(%rsp), %r9
      [0x0f, 0x05], // syscall
      [0xc3], // ret
    ].flat(),
  ),
  syscallsFunction: Uint8Array.from(
    [
      [0x53], // push %rbx
      [0x41, 0x54], // push %r12
      [0x48, 0x89, 0xfb], // mov %rdi, %rbx
      [0x49, 0x89, 0xf4], // mov %rsi, %r12
      [0x4d, 0x85, 0xe4], // next: test %r12, %r12
      [0x74, 0x2a], // jz done
      [0x48, 0x8b, 0x03], // mov (%rbx), %rax
      [0x48, 0x8b, 0x7b, 0x08], // mov 8(%rbx), %rdi
      [0x48, 0x8b, 0x73, 0x10], // mov 16(%rbx), %rsi
      [0x48, 0x8b, 0x53, 0x18], // mov 24(%rbx), %rdx
      [0x4c, 0x8b, 0x53, 0x20], // mov 32(%rbx), %r10
      [0x4c, 0x8b, 0x43, 0x28], // mov 40(%rbx), %r8
      [0x4c, 0x8b, 0x4b, 0x30], // mov 48(%rbx), %r9
      [0x0f, 0x05], // syscall
      [0x48, 0x89, 0x43, 0x38], // mov %rax, 56(%rbx)
      [0x48, 0x83, 0xc3, 0x40], // add $64, %rbx
      [0x49, 0xff, 0xcc], // dec %r12
      [0xeb, 0xd1], // jmp next
      [0x41, 0x5c], // done: pop %r12
      [0x5b], // pop %rbx
      [0xc3], // ret
    ].flat(),
  ),
  registers: {
    sizeBytes: 27 * 8,
    instructionPointer: 16 * 8,
    stackPointer: 19 * 8,
    result: 10 * 8,
    originalNumber: 15 * 8,
    // rdi, rsi, rdx, r10, r8, r9
    arguments: [14 * 8, 13 * 8, 12 * 8, 7 * 8, 9 * 8, 8 * 8],
    names:
      'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs'.split(
        ' ',
      ),
  },
  // epoll_wait, epoll_pwait, epoll_pwait2; semop, semtimedop; rt_sigtimedwait; where a receive or send timeout is set on the socket: read,
  // write, readv, writev, accept, accept4, connect, recvfrom, recvmsg, recvmmsg, sendto, sendmsg, sendmmsg; and, missing in signal(7):
  // io_getevents (fs/aio.c) and io_uring_enter (io_uring/io_uring.c, io_run_task_work_sig).
  interruptedByStop: new Set([
    232, 281, 441, 65, 220, 128, 0, 1, 19, 20, 43, 288, 42, 45, 47, 299, 44, 46, 307, 208, 426,
  ]),
};

/** The system calls hotexec makes, on its own behalf or in a target. */
export type SyscallName = keyof typeof syscalls;

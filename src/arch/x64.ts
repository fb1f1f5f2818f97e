// x86-64. Numbers: arch/x86/entry/syscalls/syscall_64.tbl; registers: struct user_regs_struct in arch/x86/include/asm/user_64.h.

import type { Architecture } from './architecture.ts';

const syscalls = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  mmap: 9,
  munmap: 11,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  pread64: 17,
  sched_yield: 24,
  alarm: 37,
  setitimer: 38,
  getpid: 39,
  clone: 56,
  execve: 59,
  wait4: 61,
  semctl: 66,
  fcntl: 72,
  chdir: 80,
  umask: 95,
  ptrace: 101,
  capset: 126,
  rt_sigtimedwait: 128,
  personality: 135,
  setpriority: 141,
  sched_setparam: 142,
  sched_setscheduler: 144,
  prctl: 157,
  sched_setaffinity: 203,
  sched_getaffinity: 204,
  epoll_wait: 232,
  tgkill: 234,
  ioprio_set: 251,
  ioprio_get: 252,
  ppoll: 271,
  unshare: 272,
  set_mempolicy: 238,
  get_mempolicy: 239,
  fallocate: 285,
  prlimit64: 302,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  getrandom: 318,
  execveat: 322,
  pidfd_send_signal: 424,
  pidfd_open: 434,
  close_range: 436,
  openat2: 437,
  flock: 73,
  sched_getscheduler: 145,
  getpriority: 140,
} as const;

export const x64: Architecture<keyof typeof syscalls> = {
  name: 'x86-64',
  elfMachine: 62,
  syscalls,
  syscallInstruction: Uint8Array.of(0x0f, 0x05),
  registers: {
    sizeBytes: 27 * 8,
    instructionPointer: 16 * 8,
    stackPointer: 19 * 8,
    result: 10 * 8,
    originalNumber: 15 * 8,
    // rdi, rsi, rdx, r10, r8, r9
    arguments: [14 * 8, 13 * 8, 12 * 8, 7 * 8, 9 * 8, 8 * 8],
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

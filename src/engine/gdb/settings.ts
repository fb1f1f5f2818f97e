// What gdb is told before it attaches. Each line is there because without it gdb has hung, asked, or left something behind.
import { arch, type SyscallName } from '../../arch/arch.ts';
import { GdbRefused } from '../../gdb/errors.ts';
import type { Gdb } from '../../gdb/gdb.ts';

const settings: readonly string[] = [
  // Ask nothing, and print no page by page.
  'confirm off',
  'pagination off',
  'width 0',
  // Expressions are in C, whatever the program was written in.
  'language c',
  // No symbols and no libraries: none are needed, and in another mount namespace they would be the wrong ones. With the real root gdb
  // would also put a breakpoint into ld.so, and were it killed then, it would stay there (measured).
  'sysroot /nonexistent',
  'auto-solib-add off',
  'auto-load no',
  // When the process starts another program, that is what is followed; of a fork, the parent.
  'follow-exec-mode same',
  'follow-fork-mode parent',
  'detach-on-fork on',
  'non-stop off',
  'print inferior-events off',
];

/** Of newer versions, and of those that were built with it: one that does not know it has nothing to switch off. */
const unlessUnknown: readonly string[] = ['debuginfod enabled off', 'suppress-cli-notifications on'];

export function prepare(gdb: Gdb): void {
  for (const setting of settings) gdb.ask(`-gdb-set ${setting}`);
  for (const setting of unlessUnknown) tryToSet(gdb, setting);
  // One thing after the other: with an asynchronous target gdb 13 may wait for ever for threads that an exec has ended.
  gdb.say('maint set target-async off');
  // Signals go to the program, as without gdb. (SIGINT is named because `all` leaves it to gdb.) Of the two that we send it we are told.
  gdb.say('handle all nostop noprint pass');
  gdb.say('handle SIGINT nostop noprint pass');
  gdb.say('handle SIGCONT stop print nopass');
}

function tryToSet(gdb: Gdb, setting: string): void {
  try {
    gdb.ask(`-gdb-set ${setting}`);
  } catch (error) {
    if (!(error instanceof GdbRefused)) throw error;
  }
}

/** Once it is attached: one thread moves, the others stay where they are; without that gdb hangs in the exec. */
export function prepareSteps(gdb: Gdb): void {
  gdb.ask('-gdb-set scheduler-locking on');
  gdb.say('handle SIGSTOP stop print pass');
  catchCalls(gdb, ['mmap', 'munmap', 'rt_sigprocmask']);
}

/** The same, but functions are called first: no stop comes in between, and one that goes wrong is undone. */
export function prepareCalls(gdb: Gdb): void {
  gdb.ask('-gdb-set scheduler-locking on');
  gdb.ask('-gdb-set unwindonsignal on');
  gdb.say('handle SIGSTOP nostop noprint pass');
  gdb.say('catch exec');
}

/** It stops at each system call from now on, and comes to us with a SIGSTOP. */
export function catchEveryCall(gdb: Gdb): void {
  gdb.say('handle SIGSTOP stop print pass');
  catchCalls(gdb, []);
}

/**
 * Stops at these calls alone (none: at all). While signals are not blocked, the calls of their handlers are gdb's to pass over: with each
 * of them told to us, a thread that gets a thousand signals a second would never come to its own call (measured).
 */
export function catchCalls(gdb: Gdb, names: readonly SyscallName[]): void {
  gdb.say('delete');
  gdb.say('catch exec');
  gdb.say(['catch syscall', ...names.map((name) => arch.syscalls[name])].join(' '));
}

/**
 * Calls that answer EINTR after any stop are to be made again (see tracer/cure.ts), in every thread. What is not changed gdb does not write.
 */
export function cureInterruptedCalls(gdb: Gdb): void {
  const isOne = [...arch.interruptedByStop].map((number) => `$orig_rax==${number}`).join('||');
  gdb.say(`thread apply all -q -s set var $rax = ($rax == -4 && (${isOne})) ? -514 : $rax`);
}

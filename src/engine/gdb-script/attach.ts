// The beginning of the script: is it the process that was meant, the settings without which gdb hangs or leaves traces, and the stop.
import type { Observed } from '../observe.ts';
import { section } from './line.ts';

export function rightProcess({ target }: Observed): string {
  const { pid, startTicks } = target;
  return section(
    'Is it the process that was meant?',
    '# Everything below holds for this one process. Its start time, field 22 of /proc/PID/stat, tells it from a later one with the same pid.',
    '# (Field 2 is the name in brackets, which may have blanks in it; so the fields are counted from behind it.)',
    `shell read -r stat < /proc/${pid}/stat && set -- \${stat##*) } && test "\${20}" = ${startTicks}`,
    'if $_shell_exitcode != 0',
    `  echo Process ${pid} has gone, or is another one now. Nothing was touched.\\n`,
    '  quit 1',
    'end',
  );
}

export function attaching({ target, threads }: Observed): string {
  const which = threads.length === 1 ? 'the one thread' : `each of the ${threads.length} threads`;
  return section(
    'Settings, then the stop',
    '# gdb -p has attached already, without these settings: let go once more.',
    'if $_thread != 0',
    '  detach',
    'end',
    '# Ask nothing, and do not stop at the end of a page.',
    'set confirm off',
    'set pagination off',
    '# Expressions are in C, whatever the program was written in.',
    'set language c',
    '# Load no symbols and no libraries: none are needed, and in another mount namespace they would be the wrong ones. With the real root',
    '# gdb would also put a breakpoint into ld.so, and were gdb killed then, it would stay there.',
    'set sysroot /nonexistent',
    'set auto-solib-add off',
    'set auto-load no',
    'set debuginfod enabled off',
    '# When the process starts another program, that is what is followed; of a fork, the parent.',
    'set follow-exec-mode same',
    'set follow-fork-mode parent',
    '# One thing after the other: with an asynchronous target gdb 13 may wait for ever for threads that the exec has ended.',
    'maint set target-async off',
    '# Signals go to the program, as without gdb. (SIGINT is named because `all` leaves it to gdb.)',
    'handle all nostop noprint pass',
    'handle SIGINT nostop noprint pass',
    `# ptrace(PTRACE_ATTACH) for ${which}: from here on the process stands still.`,
    `attach ${target.pid}`,
    '# continue moves this one thread, the others stay where they are. Otherwise gdb hangs in the exec, too.',
    'set scheduler-locking on',
    '# Stop at the entry and at the exit of every system call, and when a new program has been loaded. No stepi: the trap flag of a single',
    '# step would stay in the thread if gdb were killed, and kill the program.',
    'catch syscall',
    'catch exec',
  );
}

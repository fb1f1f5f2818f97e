// The end of the script: before the first instruction of the new program, some of what execve lets through is made as it is at a fresh start.
import type { RestartOptions } from '../../protocol/request.ts';
import { signalName } from '../../tracer/signals.ts';
import { AT_SYSINFO_EHDR } from '../../procfs/auxv.ts';
import type { Observed } from '../observe.ts';
import type { Program } from '../program.ts';
import { ignoredSignals } from '../reset/signals.ts';
import { PROT_READ_WRITE } from '../stage.ts';
import { hex, literal, section } from './line.ts';
import { call, SIG_SETMASK } from './procedures.ts';

const MAP_PRIVATE_ANONYMOUS = 0x22;
const __WALL = 0x4000_0000;
/** A path has 4096 bytes at most. */
const pagesSizeBytes = 8192;
/** Of the largest structure that is pointed to: struct sigaction and struct itimerval have 32. */
const zerosSizeBytes = 32;

/** `offset`: of the syscall instruction in the vDSO, which is the same in every process of this kernel; only its address is new. */
export function newInstruction(offset: bigint): string {
  return section(
    'The new program: where does it have a syscall instruction?',
    '# execve has a stop at its exit, too, as every call has. Nothing of the new program has run.',
    'continue',
    '# The stack pointer shows what the kernel has put there: argc, the pointers of argv, NULL, those of environ, NULL, and pairs of type and',
    `# value, the auxiliary vector. Type ${AT_SYSINFO_EHDR} is AT_SYSINFO_EHDR: the address of the vDSO, which is new with every exec.`,
    'set $word = (unsigned long *)$rsp + *(unsigned long *)$rsp + 2',
    'while *$word != 0',
    '  set $word = $word + 1',
    'end',
    'set $word = $word + 1',
    `while *$word != ${AT_SYSINFO_EHDR} && *$word != 0`,
    '  set $word = $word + 2',
    'end',
    'if *$word == 0',
    '  detach',
    '  echo The new program runs, with all signals blocked: it has no vDSO.\\n',
    '  quit 1',
    'end',
    `set $instruction = $word[1] + ${hex(offset)}`,
    'set $behind = $instruction + 2',
  );
}

export function freshness(observed: Observed, program: Program, options: RestartOptions): string {
  const { toReset } = ignoredSignals(observed.status, observed.target.container !== null);
  return section(
    'What execve lets through, and a fresh start would not have',
    '# Zeros to point to, where the kernel likes.',
    call(
      'mmap',
      'mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, no file)',
      0,
      pagesSizeBytes,
      PROT_READ_WRITE,
      MAP_PRIVATE_ANONYMOUS,
      -1,
    ),
    'set $zeros = $result',
    ...children(observed, options),
    ...toReset.map((signal) =>
      call(
        'rt_sigaction',
        `rt_sigaction(${signalName(signal)}, SIG_DFL, NULL, 8): it was ignored, and would still be.`,
        signal,
        '$zeros',
        0,
        8,
      ),
    ),
    ...['ITIMER_REAL', 'ITIMER_VIRTUAL', 'ITIMER_PROF'].map((name, which) =>
      call(
        'setitimer',
        `setitimer(${name}, zero, NULL): a timer of the old program would still run.`,
        which,
        '$zeros',
        0,
      ),
    ),
    ...directory(observed, program),
    call(
      'rt_sigprocmask',
      'rt_sigprocmask(SIG_SETMASK, none, NULL, 8): all signals are blocked since the beginning.',
      SIG_SETMASK,
      '$zeros',
      0,
      8,
    ),
    call('munmap', 'munmap(the pages, 8192)', '$zeros', pagesSizeBytes),
  );
}

/** They may hold its ports and files. Parents come before children: what a child leaves is the target's, if that is an init. */
function children({ descendants }: Observed, options: RestartOptions): readonly string[] {
  const old = options.children === 'kill' ? descendants.filter((child) => !child.spared) : [];
  if (old.length === 0) return [];
  return [
    '# Children of the old program go with it, and must be waited for by the new one, which does not know them.',
    `shell kill -KILL ${old.map((child) => child.pid).join(' ')}`,
    ...old.map((child) =>
      call(
        'wait4',
        `wait4(${child.pidInside}, NULL, __WALL): -10, ECHILD, if it was a grandchild.`,
        child.pidInside,
        0,
        __WALL,
      ),
    ),
  ];
}

function directory({ program: running }: Observed, { cwd }: Program): readonly string[] {
  if (cwd === null || cwd === running.cwd) return [];
  const bytes = Buffer.from(cwd);
  return [
    '# The working directory stays over an exec. Its name goes behind the zeros that are needed.',
    `set var {char[${bytes.length + 1}]}($zeros + ${zerosSizeBytes}) = ${literal(bytes)}`,
    call('chdir', 'chdir(directory)', `$zeros+${zerosSizeBytes}`),
  ];
}

export function lettingGo(pid: number): string {
  return section(
    'Let go',
    '# ptrace(PTRACE_DETACH): the new program begins.',
    'detach',
    `echo Process ${pid} runs the new program.\\n`,
  );
}

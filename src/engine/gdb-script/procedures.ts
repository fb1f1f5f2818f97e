// The commands that the script defines before it begins: how a stopped x86-64 thread is made to call the kernel, and how it is let go.
// gdb has no local variables; what begins with $own_ are the thread's own registers.
import { arch, type SyscallName } from '../../arch/arch.ts';
import { hex, section } from './line.ts';

/** A system call of the target, and a line that prints what came back. */
export function call(name: SyscallName, shown: string, ...args: readonly (bigint | number | string)[]): string {
  const all = [...args, ...noArguments].slice(0, 6).map((arg) => (typeof arg === 'bigint' ? hex(arg) : String(arg)));
  return [
    `# ${shown}`,
    `system_call ${arch.syscalls[name]} ${all.join(' ')}`,
    `printf "${name} = %ld\\n", $result`,
  ].join('\n');
}

const noArguments = [0, 0, 0, 0, 0, 0];

// rcx and r11: the syscall instruction itself overwrites them.
const borrowed = ['rip', 'rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9', 'rcx', 'r11', 'orig_rax'];
const callArguments = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

export function procedures(instruction: bigint): string {
  return section(
    'How this thread is made to call the kernel',
    '# Nothing is written into the code of the program. It has a syscall instruction already: the kernel maps the vDSO into every process',
    '# (/proc/PID/maps), and in it, among others, clock_gettime falls back to a real system call. These two bytes, 0f 05, are borrowed.',
    `set $instruction = ${hex(instruction)}`,
    '# Where the thread stands when it has executed them.',
    `set $behind = $instruction + ${arch.syscallInstruction.length}`,
    'if *(unsigned short *)$instruction != 0x050f',
    '  echo There is no syscall instruction where it was when this script was made. Nothing was changed.\\n',
    '  detach',
    '  quit 1',
    'end',
    '',
    '# The registers that a call uses: the number in rax, six arguments, and what the instruction overwrites.',
    'define save_registers',
    ...borrowed.map((name) => `  set $own_${name} = $${name}`),
    'end',
    '',
    '# orig_rax last. It tells the kernel which call the thread was in; with it the kernel finishes that call once the thread goes on.',
    'define restore_registers',
    ...borrowed.map((name) => `  set $${name} = $own_${name}`),
    'end',
    '',
    '# The number, then six arguments. orig_rax = -1: this thread is in no call that would have to be restarted.',
    '# The first continue stops at the entry of the call. It would stop, too, in the calls of a signal handler that ran first: rip tells.',
    'define enter_call',
    '  set $rip = $instruction',
    '  set $rax = $arg0',
    ...callArguments.map((name, index) => `  set $${name} = $arg${index + 1}`),
    '  set $orig_rax = -1',
    '  continue',
    '  while $rip != $behind',
    '    continue',
    '  end',
    'end',
    '',
    '# The second continue stops at its exit, with the result in rax: from -4095 to -1 it is an error, -errno.',
    'define system_call',
    '  save_registers',
    '  enter_call $arg0 $arg1 $arg2 $arg3 $arg4 $arg5 $arg6',
    '  continue',
    '  set $result = (long)$rax',
    '  restore_registers',
    'end',
  );
}

/** When a call fails before the exec: the old program goes on with what it had. */
export function givingUp({ masks, sizeBytes }: { readonly masks: bigint; readonly sizeBytes: number }): string {
  return section(
    'How to give up: signal mask back, scratch memory away, let go',
    'define give_up',
    `  system_call ${arch.syscalls.rt_sigprocmask} ${SIG_SETMASK} ${hex(masks + 8n)} 0 8 0 0`,
    `  system_call ${arch.syscalls.munmap} ${hex(masks)} ${sizeBytes} 0 0 0 0`,
    '  detach',
    '  echo The old program runs on.\\n',
    '  quit 1',
    'end',
  );
}

export const SIG_SETMASK = 2;

// --driver ptrace|gdb and --gdb-call syscall|libc: what holds the target, and how a gdb makes it call the kernel.
import { Option } from '@commander-js/extra-typings';
import { checkDriver } from '../front/driver.ts';
import type { RestartOptions } from '../protocol/request.ts';
import { usageError } from './usage.ts';

export const driverOption: DriverOption = new Option(
  '--driver <DRIVER>',
  'what holds the target: hotexec by ptrace(2), or a gdb of this machine, which needs --no-drain (docs/by-hand.md)',
)
  .choices(['ptrace', 'gdb'])
  .default('ptrace');

type DriverOption = Option<'--driver <DRIVER>', undefined, 'ptrace', undefined, false, 'ptrace' | 'gdb'>;

export const gdbCallOption: GdbCallOption = new Option(
  '--gdb-call <HOW>',
  "how a gdb makes the target call the kernel: by its registers (syscall), or by functions of the program's own C library (libc); without it syscall",
).choices(['syscall', 'libc']);

type GdbCallOption = Option<'--gdb-call <HOW>', undefined, undefined, undefined, false, 'syscall' | 'libc'>;

/** As commander gives them; a command without the flag has none. */
export interface DriverFlags {
  readonly driver?: 'ptrace' | 'gdb' | undefined;
  readonly gdbCall?: 'syscall' | 'libc' | undefined;
}

/** The options with the driver. Throws usage when it cannot do what else they say. */
export function withDriver(options: RestartOptions, { driver = 'ptrace', gdbCall }: DriverFlags): RestartOptions {
  if (gdbCall !== undefined && driver !== 'gdb') throw usageError('--gdb-call is for --driver gdb.');
  const all = { ...options, driver, gdbCall: gdbCall ?? 'syscall' };
  checkDriver(all, { gdb: '--driver gdb', noDrain: '--no-drain', probation: '--probation', probe: '--probe' });
  return all;
}

// --driver ptrace|gdb: what holds the target.
import { Option } from '@commander-js/extra-typings';
import { checkDriver } from '../front/driver.ts';
import type { RestartOptions } from '../protocol/request.ts';

export const driverOption: DriverOption = new Option(
  '--driver <DRIVER>',
  'what holds the target: hotexec by ptrace(2), or a gdb of this machine, which needs --no-drain (docs/by-hand.md)',
)
  .choices(['ptrace', 'gdb'])
  .default('ptrace');

type DriverOption = Option<'--driver <DRIVER>', undefined, 'ptrace', undefined, false, 'ptrace' | 'gdb'>;

/** As commander gives them; a command without the flag has none. */
export interface DriverFlags {
  readonly driver?: 'ptrace' | 'gdb' | undefined;
}

/** The options with the driver. Throws usage when it cannot do what else they say. */
export function withDriver(options: RestartOptions, { driver = 'ptrace' }: DriverFlags): RestartOptions {
  const all = { ...options, driver };
  checkDriver(all, { gdb: '--driver gdb', noDrain: '--no-drain', probation: '--probation', probe: '--probe' });
  return all;
}

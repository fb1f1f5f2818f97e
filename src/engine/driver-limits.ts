// What a gdb cannot do for a restart, said before anything is touched. Pure.
import type { ErrorData } from '../errors.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { Observed } from './observe.ts';

/** Every reason why this target cannot be restarted by the driver that was asked for. */
export function driverRefusals(observed: Observed, { driver, drain }: RestartOptions): readonly ErrorData[] {
  if (driver !== 'gdb') return [];
  const { pid } = observed.target;
  return [
    ...(drain ? [impossible(observed, 'it cannot follow the old program through its shutdown')] : []),
    ...(observed.tid === pid ? [] : [impossible(observed, 'its main thread has ended, and gdb cannot attach to it')]),
    // Nothing would keep it still when gdb goes: no signal of its own pid namespace stops an init (pid_namespaces(7)).
    ...(pid === 1
      ? [impossible(observed, "it is the init of hotexec's own pid namespace, which no signal stops")]
      : []),
  ];
}

function impossible({ target }: Observed, why: string): ErrorData {
  return {
    code: 'gdb-impossible',
    message: `${target.name}: gdb cannot restart it: ${why}. Nothing was touched.`,
    hint: 'without --driver gdb hotexec can',
  };
}

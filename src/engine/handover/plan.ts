// Which sockets of the old program are handed over, and which are not. Only looks.
import type { RestartOptions } from '../../protocol/request.ts';
import type { ListenerResult } from '../../protocol/result.ts';
import type { Observed } from '../observe.ts';
import { familyOf } from '../probation.ts';
import { listServed, notHandedOver, type ServedSocket } from './held-listeners.ts';

export interface HandOverPlan {
  readonly served: readonly ServedSocket[];
  readonly refused: readonly ListenerResult[];
}

/** `keptInodes`: of sockets that stay open in the program. */
export function planHandOver(
  observed: Observed,
  options: RestartOptions,
  keptInodes: ReadonlySet<number>,
): HandOverPlan {
  const served = listServed(familyOf(observed), keptInodes);
  const why = !options.handover ? 'asked for' : options.driver === 'gdb' ? 'gdb does not wait for its bind' : null;
  return why === null
    ? { served, refused: [] }
    : { served: [], refused: served.map((socket) => notHandedOver(socket, why)) };
}

// Which sockets of the old program are handed over, and which are not. Only looks.
import type { RestartOptions } from '../../protocol/request.ts';
import type { ListenerResult } from '../../protocol/result.ts';
import { notHandedOver, type ServedSocket } from './held-listeners.ts';

export interface HandOverPlan {
  readonly served: readonly ServedSocket[];
  readonly refused: readonly ListenerResult[];
}

export function planHandOver(served: readonly ServedSocket[], options: RestartOptions): HandOverPlan {
  const why = !options.handover ? 'asked for' : options.driver === 'gdb' ? 'gdb does not wait for its bind' : null;
  return why === null
    ? { served, refused: [] }
    : { served: [], refused: served.map((socket) => notHandedOver(socket, why)) };
}

// Which sockets of the old program are handed over, and which are not. Only looks.
import type { RestartOptions } from '../../protocol/request.ts';
import type { ListenerResult } from '../../protocol/result.ts';
import { descriptorTarget, listDescriptors } from '../descriptors.ts';
import type { Observed } from '../observe.ts';
import { familyOf } from '../probation.ts';
import { listServed, notHandedOver, type ServedSocket } from './held-listeners.ts';

export interface HandOverPlan {
  readonly served: readonly ServedSocket[];
  readonly refused: readonly ListenerResult[];
}

export function planHandOver(observed: Observed, options: RestartOptions): HandOverPlan {
  const served = listServed(familyOf(observed));
  return options.handover
    ? { served, refused: [] }
    : { served: [], refused: served.map((socket) => notHandedOver(socket, 'asked for')) };
}

/** A bind made through such a ring is no system call, and would meet a held socket (IORING_OP_BIND, since Linux 6.11). */
export function usesRing(tid: number): boolean {
  return listDescriptors(tid).some(({ fd }) => descriptorTarget(tid, fd) === 'anon_inode:[io_uring]');
}

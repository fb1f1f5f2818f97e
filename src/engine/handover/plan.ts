// Which sockets of the old program are handed over, and which are not. Only looks.
import type { RestartOptions } from '../../protocol/request.ts';
import type { ListenerResult } from '../../protocol/result.ts';
import { descriptorTarget } from '../descriptors.ts';
import type { Observed } from '../observe.ts';
import { familyOf } from '../probation.ts';
import { listServed, notHandedOver, type ServedSocket } from './held-listeners.ts';

export interface HandOverPlan {
  readonly served: readonly ServedSocket[];
  readonly refused: readonly ListenerResult[];
}

export function planHandOver(observed: Observed, options: RestartOptions): HandOverPlan {
  const served = listServed(familyOf(observed));
  const why = options.handover ? whyNot(observed) : 'asked for';
  return why === null
    ? { served, refused: [] }
    : { served: [], refused: served.map((socket) => notHandedOver(socket, why)) };
}

/** A bind made through io_uring is no system call: it would meet a held socket, and fail (io_uring(7), since Linux 6.11). */
function whyNot({ tid, descriptors }: Observed): string | null {
  const ring = descriptors.some(({ fd }) => descriptorTarget(tid, fd) === 'anon_inode:[io_uring]');
  return ring ? 'the program uses io_uring, whose calls pass by a tracer' : null;
}

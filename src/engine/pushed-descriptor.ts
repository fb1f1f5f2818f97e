// A descriptor of ours in the held target, or of its own here, journalled: the passage until its number is known, the descriptor itself from then on.
import { HotexecError } from '../errors.ts';
import type { Change } from '../journal/change.ts';
import { describeErrno } from '../native/errno.ts';
import {
  emptyPassage,
  fetchThrough,
  forbiddenToReceive,
  keepReceived,
  PushRefused,
  pushThrough,
} from '../remote/push-descriptor.ts';
import type { Hold } from './hold.ts';
import { ownFileIdentity, undo } from './undo.ts';

/** Leaving the scope closes it in the target while the old program is there; the exec closes it by itself. */
export interface PushedDescriptor extends Disposable {
  /** Its number in the target; close-on-exec. */
  readonly fd: number;
}

/**
 * Gives the target a copy of a descriptor of this process, of whatever kind. `room`: 256 bytes of its memory, aligned to 8, that nothing
 * else uses meanwhile. The pair of sockets that it comes through is closed again. Throws seccomp-forbids or remote-call-failed, with the
 * target as it was.
 */
export function pushDescriptor(held: Hold, room: bigint, fd: number): PushedDescriptor {
  const { thread } = held;
  const forbidden = forbiddenToReceive(thread, room);
  if (forbidden.length > 0) {
    throw new HotexecError({
      code: 'seccomp-forbids',
      message: `a file cannot be handed over: its seccomp filter forbids ${forbidden.join(', ')}. It runs on unchanged.`,
      hint: 'a program on disk needs none of these calls',
    });
  }
  try {
    using _passage = openPassage(held, room);
    const number = pushThrough(thread, { pid: held.pid, room }, fd);
    const change = held.change({ kind: 'descriptor', fd: number, file: ownFileIdentity(fd) });
    keepReceived(thread, room);
    return { fd: number, [Symbol.dispose]: () => change[Symbol.dispose]() };
  } catch (error) {
    throw error instanceof PushRefused ? refused(error) : error;
  }
}

/**
 * Copies of descriptors of the held process itself, where hotexec may not pull them: to be closed by the caller; -errno for one that could not
 * be had. `room`: as for pushDescriptor. Throws remote-call-failed.
 */
export function fetchDescriptors(held: Hold, room: bigint, fds: readonly number[]): readonly number[] {
  try {
    using _passage = openPassage(held, room);
    return fetchThrough(held.thread, { pid: held.pid, room }, fds);
  } catch (error) {
    throw error instanceof PushRefused ? refused(error) : error;
  }
}

/** Leaving the scope closes it; not as a change's scope does, for it is closed in a new program too. */
function openPassage(held: Hold, room: bigint): Disposable {
  const { thread, journal } = held;
  const passage: Change = { kind: 'passage', room: `0x${room.toString(16)}` };
  emptyPassage(thread, room);
  const id = journal.enter(passage);
  return {
    [Symbol.dispose]: (): void => {
      undo(held, passage);
      journal.strike(id);
    },
  };
}

function refused({ call, errno, message }: PushRefused): HotexecError {
  const answer = errno === 0 ? 'gave no descriptor' : `answered ${describeErrno(errno)}`;
  return new HotexecError({
    code: 'remote-call-failed',
    message: `a file cannot be handed over: ${message} ${answer}. It runs on unchanged.`,
    hint:
      call === 'pidfd_getfd' || call === 'pidfd_open'
        ? 'hotexec itself needs this call (Linux 5.6, and a seccomp profile that knows it); a program on disk does not'
        : 'it may have as many descriptors open as its limit allows',
  });
}

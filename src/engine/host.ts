// What the main flow needs from around it: events out, cancelling in, and who we are.
import { HotexecError } from '../errors.ts';
import type { HistoryPlace } from '../history/record-file.ts';
import type { Journal, JournalOwner } from '../journal/journal.ts';
import type { HotexecEvent, MendResult, Moment, Phase } from '../protocol/event.ts';
import type { HookEnd } from '../protocol/hook.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { RemoteObserver } from '../remote/remote-thread.ts';
import type { Ourselves } from './exclusions.ts';

export interface Host {
  readonly ourselves: Ourselves;
  readonly journals: JournalOwner;
  /** The records of the programs that ran. */
  readonly history: HistoryPlace;
  /** Sees each system call made in the target; null unless somebody wants to. */
  readonly observer: RemoteObserver;
  /** Queued: nothing is written while a target is held. */
  emit(event: HotexecEvent): void;
  phase(phase: Phase): void;
  /** For the picture; nothing unless one is wanted. */
  moment(moment: Moment): void;
  readonly wantsTimeline: boolean;
  /** Puts in order what was left on a target when the gdb that held it ended; the journal tells what. */
  mend(journal: Journal, target: TargetProcess): MendResult;
  /** Where programs of this machine are looked for. */
  readonly path: string | undefined;
  /** `cancelled`: somebody asked us to stop; `timeout`: the time for getting to the point of no return is over. */
  interruption(): 'cancelled' | 'timeout' | null;
  /** The person has been told what came of asking; whoever asks again means something else. */
  acknowledge(): void;
  /** What the front has told of a hook that was due, by its number; null: nothing yet. */
  hookEnd(number: number): HookEnd | null;
  /** Returns when no other engine has the target's sockets. From then on they end with this one: its death leaves their addresses free. */
  standAlone(): void;
}

/** The last moment is right before the point of no return. */
export function stopIfCancelled(host: Host): void {
  const why = host.interruption();
  if (why === null) return;
  throw new HotexecError(
    why === 'cancelled'
      ? {
          code: 'cancelled',
          message: 'cancelled before the point of no return; the old program runs on unchanged.',
          hint: null,
        }
      : {
          code: 'timeout',
          message:
            'the time allowed by --timeout ran out before the point of no return; the old program runs on unchanged.',
          hint: null,
        },
  );
}

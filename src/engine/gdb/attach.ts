// The way into a hold by gdb: it is started and set up while the target still runs, and attaches once that stands still (stopAll).
import { HotexecError } from '../../errors.ts';
import { findGdb, oldestMajor } from '../../gdb/find.ts';
import { GdbEnded } from '../../gdb/errors.ts';
import { Gdb } from '../../gdb/gdb.ts';
import type { Journal } from '../../journal/journal.ts';
import { ESRCH } from '../../native/errno.ts';
import { ProcessHandle } from '../../native/pidfd.ts';
import { ThreadStates } from '../../tracer/thread-states.ts';
import { isAlive } from '../liveness.ts';
import type { RestartOptions, TargetProcess } from '../../protocol/request.ts';
import { gdbMissing } from '../driver-limits.ts';
import type { Observed } from '../observe.ts';
import { readFilters } from '../seccomp.ts';
import { awaitInterruptible, type Taken } from '../seize.ts';
import { GdbHeld } from './gdb-held.ts';
import { findLibrary } from './library.ts';
import { prepare } from './settings.ts';

export interface GdbUse {
  /** Where gdb is looked for. */
  readonly path: string | undefined;
  readonly calls: RestartOptions['gdbCall'];
}

/** Nothing is changed yet. What gdb cannot do has been refused. Throws gdb-missing, and what seize throws. */
export function attach(observed: Observed, journal: Journal, { path, calls }: GdbUse): Taken {
  const { target, stat } = observed;
  const library = calls === 'libc' ? findLibrary(observed.tid) : null;
  const allows = readFilters(observed, null);
  using started = new DisposableStack();
  const handle = started.use(handleOf(observed));
  const gdb = started.use(startGdb(observed, path));
  using states = new ThreadStates(target.pid);
  awaitInterruptible(target, states);
  const held = new GdbHeld({ target, gdb, handle, journal, allows, library });
  started.move();
  return { held, alreadyStopped: /^[Tt]$/.test(stat.state) };
}

function handleOf({ target }: Observed): ProcessHandle {
  const handle = ProcessHandle.open(target.pid);
  if (typeof handle !== 'number' && isAlive(target)) return handle;
  if (typeof handle !== 'number') handle[Symbol.dispose]();
  if (typeof handle === 'number' && handle !== -ESRCH) throw new Error(`pidfd_open failed with errno ${-handle}`);
  throw new HotexecError({
    code: 'target-lost',
    message: `${target.name}: process ${target.pid} ended before it could be held.`,
    hint: null,
  });
}

function startGdb({ target }: Observed, path: string | undefined): Gdb {
  const file = findGdb(path);
  if (file === null) throw missing(target, 'there is no gdb on PATH');
  using started = new DisposableStack();
  try {
    const gdb = started.use(new Gdb(file));
    const version = gdb.version();
    if (version === null) throw missing(target, `${file} does not say that it is gdb ${oldestMajor} or newer`);
    prepare(gdb);
    started.move();
    return gdb;
  } catch (error) {
    if (!(error instanceof GdbEnded)) throw error;
    throw missing(target, `${file} does not work here: ${error.message}`);
  }
}

function missing(target: TargetProcess, why: string): HotexecError {
  return new HotexecError(gdbMissing(target, why));
}

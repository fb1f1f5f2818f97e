// Where the journal and the record of programs lie so that they outlive the agent: in the shared memory of its pod. Other containers of the pod can write there too: what they may
// have put in the way is not used.
import { lstatSync, mkdirSync, readdirSync, rmSync, statfsSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { parseMountInfo, type Mount } from '../procfs/mountinfo.ts';
import { readLink, readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import type { LastingPlaces, TargetProcess } from '../protocol/request.ts';

export interface LastingSurroundings {
  /** `/proc`, but for tests. */
  readonly proc: string;
  /** The agent's own. */
  readonly uid: number;
  /** `/dev/shm`, but for tests. */
  readonly sharedMemory?: string;
}

/** `why`: a clause; the journal is in the agent's own file system, and goes with it. */
export type Lasting =
  | {
      readonly kind: 'lasting';
      /** Where journals of other agents may be. */
      readonly journals: string;
      readonly places: LastingPlaces;
      readonly why: string | null;
    }
  | { readonly kind: 'none'; readonly why: string };

/** A journal takes an eighth of it, and a record the same. Below that the program needs the rest more. */
const roomBytes = 1024 ** 2;
const roomFiles = 16;
const S_ISVTX = 0o1000;

export function lastingPlaces(target: TargetProcess, around: LastingSurroundings): Lasting {
  try {
    return findPlaces(target, around);
  } catch (error) {
    // Somebody takes it away just now.
    return none(error instanceof Error ? error.message : String(error));
  }
}

function findPlaces(target: TargetProcess, around: LastingSurroundings): Lasting {
  const { proc, uid, sharedMemory: memory = '/dev/shm' } = around;
  const name = target.container?.name ?? '';
  if (!/^[\da-z-]{1,63}$/.test(name)) return none('the container has no name');
  const why = notShared(target, { proc, memory }) ?? takeDirectory(directoryOf(name, { memory, uid }), { memory, uid });
  if (why !== null) return none(why);
  const directory = directoryOf(name, { memory, uid });
  const [journals, history] = [join(directory, 'journals'), join(directory, 'history')];
  const { bavail, bsize, files, ffree } = statfsSync(memory);
  const isFull = bavail * bsize < roomBytes || (files > 0 && ffree < roomFiles);
  return isFull
    ? { kind: 'lasting', journals, places: { journals: null, history }, why: `the ${memory} of the pod is full` }
    : { kind: 'lasting', journals, places: { journals, history }, why: null };
}

interface Memory {
  readonly memory: string;
  readonly uid: number;
}

/** Of the container's name: what an earlier run of the container has left is found there, and cleared away. */
function directoryOf(name: string, { memory, uid }: Memory): string {
  return join(memory, `hotexec-${uid}-${name}`);
}

function none(why: string): Lasting {
  return { kind: 'none', why };
}

/** include/linux/proc_ns.h PROC_IPC_INIT_INO */
const ipcOfTheNode = 'ipc:[4026531839]';

/** Null: it is the pod's. An agent that has shared memory of its own would take it along. */
function notShared(
  target: TargetProcess,
  { proc, memory }: { readonly proc: string; readonly memory: string },
): string | null {
  const own = mountAt(memory, `${proc}/self`);
  if (own?.fsType !== 'tmpfs') return `there is no shared memory at ${memory} in the agent's container`;
  const ipc = readLink(`${proc}/self/ns/ipc`);
  const theirs = readLink(`${proc}/${target.pid}/ns/ipc`);
  if (ipc.kind === 'read' && ipc.content === ipcOfTheNode)
    return `the pod uses the shared memory of its node (hostIPC), where others would find it`;
  // The container may have a volume there. Runtimes give all of a pod one memory along with one IPC namespace.
  const isShared = ipc.kind === 'read' && theirs.kind === 'read' && ipc.content === theirs.content;
  if (isShared || mountAt(memory, `${proc}/${target.pid}`)?.device === own.device) return null;
  return `the agent's ${memory} is not shown to be the pod's: the container has another`;
}

function mountAt(path: string, process: string): Mount | undefined {
  const mounts = readText(`${process}/mountinfo`);
  if (mounts.kind !== 'read') return undefined;
  return parseMountInfo(mounts.content).findLast(({ mountPoint }) => mountPoint === path);
}

/** Null: it is there, and nobody else of the pod can have made it or can change it. */
function takeDirectory(directory: string, { memory, uid }: Memory): string | null {
  const all = lstatSync(memory);
  if ((all.mode & 0o022) !== 0 && (all.mode & S_ISVTX) === 0)
    return `anybody may rename what is in the ${memory} of the pod (mode ${octal(all)})`;
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      return `${directory} cannot be made: ${error instanceof Error ? error.message : String(error)}`;
  }
  // Not what a link leads to.
  const made = lstatSync(directory);
  if (made.isDirectory() && made.uid === uid && (made.mode & 0o077) === 0 && made.dev === all.dev) return null;
  const what = made.isDirectory() ? 'a directory' : made.isSymbolicLink() ? 'a link' : 'no directory';
  return `${directory} is ${what} that somebody else in the pod has put there (uid ${made.uid}, mode ${octal(made)})`;
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8);
}

/** Of processes that have ended since: nobody has anything to mend there. The container may have been started again often. */
export function removeOldJournals(journals: string, proc: string): void {
  for (const name of namesIn(journals)) {
    const [, pid, startTicks] = /^(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const stat = readText(`${proc}/${pid}/stat`);
    const isThere =
      stat.kind === 'denied' || (stat.kind === 'read' && parseStat(stat.content).startTicks === Number(startTicks));
    if (!isThere) rmSync(join(journals, name), { force: true });
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // there has been none yet
  }
}

// Records of what is gone. A process is gone when its pid is another's, or the machine has been booted; a container when it has no process
// and nobody has started anything in it for a while: a stopped one can be started again. Docker itself is asked by the front
// (src/targets/docker/forget.ts), which cannot be done from here: the engine waits for nothing.
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { livingContainers } from '../procfs/living-containers.ts';
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { bootId, parseRecordName } from './key.ts';
import { readRecord, type HistoryPlace } from './record-file.ts';

const dayMs = 24 * 3_600_000;
/** A stopped container of Docker lasts until somebody removes it; by then the front has asked, if it was used at all. */
const dockerPatienceMs = 30 * dayMs;
const patienceMs = dayMs;
/** With more records than these containers are looked at each time. */
const many = 100;
const stamp = '.swept';

export interface SweepOptions {
  /** The record that is in use. */
  readonly keep: string;
  /** `/proc`, but for tests. */
  readonly proc?: string;
  readonly nowMs?: number;
}

/** Takes away what is of no use to anybody. What cannot be taken away stays: nothing depends on it. */
export function sweep(place: HistoryPlace, { keep, proc = '/proc', nowMs = Date.now() }: SweepOptions): void {
  try {
    const files = list(place, keep, nowMs);
    const gone = [...goneProcesses(files, proc), ...leftovers(files, proc)];
    if (isTime(place, files)) gone.push(...goneContainers(files, { place, proc }));
    for (const { path } of gone) rmSync(path, { force: true });
  } catch {
    // A directory that cannot be read now is read the next time.
  }
}

interface RecordFile {
  readonly name: string;
  readonly path: string;
  readonly ageMs: number;
}

function list({ directory }: HistoryPlace, keep: string, nowMs: number): readonly RecordFile[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stat = path === keep ? undefined : statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, path, ageMs: nowMs - stat.mtimeMs }];
  });
}

function goneProcesses(files: readonly RecordFile[], proc: string): readonly RecordFile[] {
  return files.filter(({ name }) => {
    const subject = parseRecordName(name);
    if (subject?.kind !== 'process') return false;
    if (subject.bootId !== bootId(proc)) return true;
    const stat = readText(`${proc}/${subject.pid}/stat`);
    return stat.kind === 'gone' || (stat.kind === 'read' && parseStat(stat.content).startTicks !== subject.startTicks);
  });
}

/** Of an engine that was killed while it wrote. */
function leftovers(files: readonly RecordFile[], proc: string): readonly RecordFile[] {
  return files.filter(({ name }) => {
    const pid = /^\.(\d+)\.tmp$/.exec(name)?.[1];
    return pid !== undefined && readText(`${proc}/${pid}/stat`).kind === 'gone';
  });
}

/** Once a day, or when there are many. */
function isTime({ directory }: HistoryPlace, files: readonly RecordFile[]): boolean {
  const last = files.find(({ name }) => name === stamp);
  if (last !== undefined && last.ageMs < dayMs && files.length < many) return false;
  writeFileSync(join(directory, stamp), '', { mode: 0o600 });
  return true;
}

function goneContainers(
  files: readonly RecordFile[],
  { place, proc }: { readonly place: HistoryPlace; readonly proc: string },
): readonly RecordFile[] {
  const old = files.flatMap((file) => {
    const subject = parseRecordName(file.name);
    if (subject?.kind !== 'container' || file.ageMs < patienceMs) return [];
    return [{ file, id: subject.id }];
  });
  if (old.length === 0) return [];
  const living = livingContainers(proc);
  return old.flatMap(({ file, id }) => (living.has(id) || isPatient(file, place) ? [] : [file]));
}

function isPatient({ path, ageMs }: RecordFile, place: HistoryPlace): boolean {
  const record = readRecord(path, place);
  return record.kind === 'read' && record.document.container?.runtime === 'docker' && ageMs < dockerPatienceMs;
}

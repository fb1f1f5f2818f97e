// A process whose root is a directory of the test's own, and the files that hotexec would bring into it.
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import type { Host } from '../../../src/engine/host.ts';
import { observe, type Observed } from '../../../src/engine/observe.ts';
import { planFiles } from '../../../src/engine/files/plan.ts';
import type { FilePlan } from '../../../src/engine/files/planned.ts';
import { stageFiles } from '../../../src/engine/files/stage.ts';
import type { StagedFiles } from '../../../src/engine/files/staged.ts';
import { journalHeader } from '../../../src/journal/header.ts';
import { openJournal, type Journal, type JournalPlace } from '../../../src/journal/journal.ts';
import { readState } from '../../../src/journal/state.ts';
import { parseNamespaceLink } from '../../../src/procfs/ns.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type FileCopy,
  type ProgramChange,
  type RestartRequest,
} from '../../../src/protocol/request.ts';
import { ProcessRoot } from '../../../src/rootfs/open.ts';
import { tempDirectory } from '../temp.ts';
import { compile } from './compile.ts';
import { startTicks } from './in-place.ts';
import { start } from './target.ts';

const operationId = '0b9d7a52-5c39-4c2f-8a52-5a3a5f6f7a11';

export interface Rooted {
  /** What the process sees as `/`. */
  readonly inside: string;
  /** The directory in which `inside` lies: nothing in it may ever change. */
  readonly outside: string;
  /** Files to be brought in. */
  readonly sources: string;
  readonly pid: number;
  readonly root: ProcessRoot;
  readonly observed: Observed;
  readonly events: HotexecEvent[];
  readonly journalPlace: JournalPlace;
  readonly journal: Journal;
  readonly host: Host;
}

/** Needs root and gcc. `prepare` fills the directory before the process starts. */
export async function rooted(prepare: (inside: string) => void = () => {}): Promise<Rooted> {
  const outside = tempDirectory();
  const inside = join(outside, 'rootfs');
  mkdirSync(join(inside, 'app'), { recursive: true });
  chmodSync(outside, 0o755);
  prepare(inside);
  const { pid } = await start(compile('chrooted'), [inside]);
  const root = new ProcessRoot(pid);
  onTestFinished(() => root[Symbol.dispose]());
  const target = { name: `pid/${pid}`, pid, startTicks: startTicks(pid), container: null, spec: null };
  const ourselves = {
    pids: new Set([process.pid]),
    directory: '/nowhere',
    pidNamespace: parseNamespaceLink(readlinkSync('/proc/self/ns/pid')).inode,
  };
  const observed = observe(target, ourselves);
  const journalPlace = {
    directory: join(tempDirectory(), 'journals'),
    uid: process.getuid?.() ?? 0,
    enginePid: process.pid,
    pid,
    startTicks: target.startTicks,
  };
  const journal = openJournal(journalPlace).journal;
  const close = journal[Symbol.dispose].bind(journal);
  let closed = false;
  journal[Symbol.dispose] = (): void => {
    if (!closed) close();
    closed = true;
  };
  onTestFinished(() => journal[Symbol.dispose]());
  const request: RestartRequest = {
    kind: 'restart',
    operationId,
    target,
    program: sameProgram,
    options: defaultRestartOptions,
  };
  const program = { path: Buffer.from('/app/program'), argv: [], environment: [], cwd: null, memory: null };
  journal.begin(journalHeader(request, process.pid, { program, previous: null }));
  const events: HotexecEvent[] = [];
  const host: Host = {
    ourselves,
    journals: journalPlace,
    history: { ...journalPlace, by: null },
    observer: null,
    emit: (event) => void events.push(event),
    phase: () => {},
    hookEnd: () => null,
    interruption: () => null,
    acknowledge: () => {},
    standAlone: () => {},
    moment: () => {},
    wantsTimeline: false,
    path: undefined,
    mend: () => ({ found: 'nothing', detail: '' }),
  };
  return { inside, outside, sources: tempDirectory(), pid, root, observed, events, journalPlace, journal, host };
}

export function copy(source: string, destination: string, more: Partial<FileCopy> = {}): FileCopy {
  return { source, destination, owner: null, allowVolume: false, ...more };
}

export function planCopies({ root, observed }: Rooted, ...files: readonly FileCopy[]): FilePlan {
  return planFiles(root, { observed, change: { ...sameProgram, files } }, null);
}

export function planWith(
  { root, observed }: Rooted,
  source: string,
  {
    destination = '/app/program',
    inMemory = 'auto',
    files = [],
  }: {
    readonly destination?: string;
    readonly inMemory?: 'auto' | 'always' | 'never';
    readonly files?: readonly FileCopy[];
  } = {},
): FilePlan {
  const change: ProgramChange = { ...sameProgram, replacement: { source, inMemory }, files };
  return planFiles(root, { observed, change }, destination);
}

export function stage(where: Rooted, plan: FilePlan, host: Partial<Host> = {}): StagedFiles {
  return stageFiles(plan, {
    journal: where.journal,
    host: { ...where.host, ...host },
    root: where.root,
    operationId,
  });
}

/** A file among the sources, or anywhere; its directories are made. */
export function write(path: string, content: string | Buffer, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** Every name below a directory, sorted: no stray file escapes it. */
export function tree(directory: string): readonly string[] {
  const below = (path: string): readonly string[] =>
    readdirSync(join(directory, path), { withFileTypes: true }).flatMap((entry) => {
      const name = join(path, entry.name);
      return entry.isDirectory() ? [name].concat(below(name)) : [name];
    });
  return below('').toSorted();
}

export function text(path: string): string {
  return readFileSync(path, 'utf8');
}

/** Gone with the test. */
export function mountAt(directory: string, args: readonly string[]): string {
  mkdirSync(directory, { recursive: true });
  execFileSync('mount', [...args, directory]);
  onTestFinished(() => void execFileSync('umount', ['-l', directory]));
  return directory;
}

/** What it throws must be an error of hotexec's. */
export function thrown(step: () => unknown): HotexecError {
  try {
    step();
  } catch (error) {
    if (error instanceof HotexecError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** What the journal says is still to be undone. */
export function unstruck(where: Rooted): readonly string[] {
  return (readState(where.journal.path)?.changes ?? []).map(({ change }) => change.kind);
}

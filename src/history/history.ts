// The record of the programs that ran in one container: opened against what runs there now, written before an exec and after it.
// Whatever is wrong with the record is a warning: no restart fails because of it. The caller holds the target's journal.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MendResult } from '../protocol/event.ts';
import type { Version } from '../protocol/history.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { ProgramEnd } from '../protocol/result.ts';
import { bound, boundFiles, boundProgram, keptIn, limits, type Limits } from './bound.ts';
import { recordVersion } from './decode.ts';
import {
  isSameProgram,
  recordProgram,
  type Entry,
  type FileChange,
  type ProgramBytes,
  type RecordedProgram,
  type Run,
  type Running,
} from './entry.ts';
import { recordName } from './key.ts';
import { describeVersions } from './list.ts';
import { nextNumber, reconcile, replaced } from './reconcile.ts';
import { readRecord, setAside, writeRecord, type HistoryPlace } from './record-file.ts';
import { goodVersions, resolveVersion, type IsThere, type ResolvedVersion } from './resolve.ts';
import { sweep } from './sweep.ts';

export interface OpenOptions {
  readonly running: Running;
  readonly isThere: IsThere;
  /** What a mender has just found on this target. */
  readonly mended?: MendResult['found'];
  /** Only looks: nothing is moved or written. */
  readonly readOnly?: boolean;
  readonly limits?: Limits;
  /** `/proc`, but for tests. */
  readonly proc?: string;
}

/** What is about to be started. */
export interface Start {
  readonly operationId: string;
  readonly program: ProgramBytes;
  readonly files: readonly FileChange[];
  /** The version that is gone back to; null: none. */
  readonly backTo: number | null;
}

/** What came of it. `run`: of the program that runs now; null: it is not known. */
export type Settlement =
  | { readonly kind: 'running'; readonly run: Run | null }
  /** It failed its probation; the previous program runs again, and its files are as they were. */
  | { readonly kind: 'failed'; readonly end: ProgramEnd | null; readonly run: Run | null }
  /** It ran and ended, nothing was started in its place, and the files are as they were. */
  | { readonly kind: 'ended'; readonly end: ProgramEnd | null }
  /** It never ran; what was changed has been put back. */
  | { readonly kind: 'unchanged' };

export interface Written {
  /** Sentences for the person: the record could not be written, or was set aside. */
  readonly warnings: readonly string[];
  /** Kept files inside the container that no version needs any more: to be deleted. */
  readonly unneeded: readonly string[];
}

/** Reads the record of a target. A record that cannot be read is set aside, and a new one begins. */
export function openHistory(place: HistoryPlace, target: TargetProcess, options: OpenOptions): ProgramHistory {
  return new ProgramHistory(place, target, options);
}

export class ProgramHistory {
  /** Of the opening. */
  readonly warnings: readonly string[];
  readonly #place: HistoryPlace;
  readonly #target: TargetProcess;
  readonly #isThere: IsThere;
  readonly #limits: Limits;
  readonly #path: string;
  readonly #proc: string;
  readonly #unneeded: string[] = [];
  #entries: readonly Entry[];

  constructor(place: HistoryPlace, target: TargetProcess, options: OpenOptions) {
    const { running, isThere, mended = 'nothing', readOnly = false, proc = '/proc' } = options;
    this.#place = place;
    this.#target = target;
    this.#isThere = isThere;
    this.#limits = options.limits ?? place.limits ?? limits;
    this.#proc = proc;
    this.#path = join(place.directory, recordName(target, proc));
    const { entries, warnings } = this.#read(readOnly);
    const bounded = { ...running, program: boundProgram(running.program, this.#limits) };
    const reconciled = reconcile(entries, { running: bounded, mended, now: new Date().toISOString() });
    this.#entries = reconciled.entries;
    this.#unneeded.push(...reconciled.unneeded);
    this.warnings = warnings;
  }

  /** The program that runs now, if hotexec has started it. */
  get started(): RecordedProgram | null {
    const current = goodVersions(this.#entries).at(-1);
    return current?.state === 'running' && current.startedAt !== null ? current.program : null;
  }

  /** Newest first. */
  get versions(): readonly Version[] {
    return describeVersions(this.#entries, this.#isThere);
  }

  /**
   * What it takes to go back.
   * @throws {HotexecError} `no-such-version`, `version-unavailable`
   */
  resolve(wanted: 'previous' | number): ResolvedVersion {
    return resolveVersion(this.#entries, wanted, { target: this.#target.name, isThere: this.#isThere });
  }

  /** Before the exec. Until it is settled the journal answers for the files, wherever they are by then. */
  begin({ operationId, program, files, backTo }: Start): Written {
    const bounded = boundFiles(files, this.#limits);
    const now = new Date().toISOString();
    const entry: Entry = {
      number: nextNumber(this.#entries),
      startedAt: now,
      recordedAt: now,
      by: this.#place.by,
      operationId,
      backTo,
      program: boundProgram(recordProgram(program), this.#limits),
      files: bounded ?? [],
      filesComplete: bounded !== null,
      state: 'starting',
      end: null,
      run: null,
    };
    this.#entries = [...this.#entries.filter(({ state }) => state !== 'starting'), entry];
    // The same again leaves nothing that the next one could not see by itself.
    return this.#isSameAgain(entry) ? { warnings: [], unneeded: [] } : { warnings: this.#write(), unneeded: [] };
  }

  /** After it: what runs now. */
  settle(settlement: Settlement): Written {
    const started = this.#entries.find(({ state }) => state === 'starting');
    if (started === undefined) throw new Error('nothing was begun');
    const others = this.#entries.filter((entry) => entry !== started);
    const sameAgain = this.#isSameAgain(started);
    const isNew = others.length === 1 && !existsSync(this.#path);
    this.#entries = settled(others, started, { settlement, sameAgain });
    if (settlement.kind === 'unchanged') this.#unneeded.push(...keptIn([started]));
    const { entries, unneeded } = bound(this.#entries, this.#limits);
    this.#entries = entries;
    // Where nothing but the program that was found there has run, there is nothing to write down: it can still be seen.
    const warnings = isNew && entries.length === 1 ? [] : this.#write();
    sweep(this.#place, { keep: this.#path, proc: this.#proc });
    return { warnings, unneeded: [...new Set([...this.#unneeded.splice(0), ...unneeded])] };
  }

  /** For a mender: what it found is written down. */
  save(): Written {
    const warnings = this.#write();
    return { warnings, unneeded: this.#unneeded.splice(0) };
  }

  #isSameAgain({ program, files, filesComplete }: Entry): boolean {
    const before = goodVersions(this.#entries).at(-1);
    return before !== undefined && files.length === 0 && filesComplete && isSameProgram(before.program, program);
  }

  #read(readOnly: boolean): { readonly entries: readonly Entry[]; readonly warnings: readonly string[] } {
    const record = readRecord(this.#path, this.#place);
    if (record.kind === 'read') return { entries: record.document.entries, warnings: [] };
    if (record.kind === 'none') return { entries: [], warnings: [] };
    const fate = readOnly ? 'it is passed over' : this.#setAside();
    const warning = `the record of the programs that ran here, ${this.#path}, cannot be used: ${record.why}; ${fate}`;
    return { entries: [], warnings: [warning] };
  }

  #setAside(): string {
    try {
      return `it is now ${setAside(this.#path)}, and a new record begins`;
    } catch (error) {
      return `it cannot be moved away either (${wordsOf(error)})`;
    }
  }

  #write(): readonly string[] {
    const { container } = this.#target;
    try {
      writeRecord(this.#path, { version: recordVersion, container, entries: this.#entries }, this.#place);
      return [];
    } catch (error) {
      const what =
        'the record of the programs that ran here could not be written, so hotexec rollback will not know of this one';
      return [`${what}: ${wordsOf(error)} (HOTEXEC_STATE_DIR names another directory)`];
    }
  }
}

interface Settling {
  readonly settlement: Settlement;
  readonly sameAgain: boolean;
}

function settled(others: readonly Entry[], started: Entry, { settlement, sameAgain }: Settling): readonly Entry[] {
  switch (settlement.kind) {
    case 'unchanged':
      return others;
    case 'running':
      if (sameAgain) return withRun(others, settlement.run);
      return [...others.map(replaced), { ...started, state: 'running', run: settlement.run }];
    case 'failed':
      return [...withRun(others, settlement.run), { ...started, state: 'failed', end: settlement.end }];
    case 'ended':
      return [...others, { ...started, state: 'failed', end: settlement.end }];
  }
}

/** The program that ran before runs again, in a new life. */
function withRun(entries: readonly Entry[], run: Run | null): readonly Entry[] {
  const current = goodVersions(entries).at(-1);
  return entries.map((entry) => (entry === current ? { ...entry, state: 'running', run } : entry));
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

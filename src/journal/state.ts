// What a journal says when it is read: what was begun on a target and not undone, and which program is there.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HotexecError } from '../errors.ts';
import { parseOwnLine } from '../protocol/own-line.ts';
import type { Change, Mark } from './change.ts';
import type { JournalHeader } from './header.ts';
import type { Seal } from '../protocol/seal.ts';

export type Line =
  | { readonly header: JournalHeader }
  | { readonly change: Change; readonly id: number }
  | { readonly strike: number }
  | { readonly mark: Mark };

export interface JournalledChange {
  readonly id: number;
  readonly change: Change;
}

/** What the file says: the changes that were begun and not undone, oldest first. */
export interface JournalState {
  readonly header: JournalHeader;
  readonly changes: readonly JournalledChange[];
  /** Made after the mark `exec`, so to the new program if there is one. */
  readonly changesAfterExec: readonly JournalledChange[];
  readonly mark: Mark | null;
  /**
   * What is there unless a later exec has come through. `draining`: the old program, told to finish; `unfinished`: the new program without its resets; `failed`: the new program, about
   * to end or of no use.
   */
  readonly program: 'old' | 'draining' | 'new' | 'unfinished' | 'failed';
  /** Of `draining`: its stop signal was sent. */
  readonly asked: boolean;
  /** Which of the two an exec was to start last. */
  readonly attempt: 'new' | 'previous';
  readonly sizeBytes: number;
}

const outlivesExec: ReadonlySet<Change['kind']> = new Set<Change['kind']>([
  'tracer',
  'holder',
  'temporary',
  'file',
  'directory',
]);

function usedBytes(path: string): number {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(0);
  return (end < 0 ? bytes : bytes.subarray(0, end)).lastIndexOf('\n') + 1;
}

const programAfter = { draining: 'draining', released: 'new', again: 'unfinished', failed: 'failed' } as const;

/** Of a sealed line: which journal it is in, and where in it. */
export function placeOf(path: string, offset: number): string {
  return `${basename(path)} ${offset}`;
}

/** What the file says; null when it was never begun. A last line without its end was never acted on. Throws mend-failed where the seal was not set by hotexec. */
export function readState(path: string, seal?: Seal): JournalState | null {
  const sizeBytes = usedBytes(path);
  const text = readFileSync(path).subarray(0, sizeBytes).toString();
  let header: JournalHeader | undefined;
  let changes: readonly JournalledChange[] = [];
  let changesAfterExec: readonly JournalledChange[] = [];
  let mark: Mark | null = null;
  let program: JournalState['program'] = 'old';
  let attempt: JournalState['attempt'] = 'new';
  let asked = false;
  let offset = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const entry = parseOwnLine<Line>(seal === undefined ? line : opened(line, seal, { path, offset }));
    offset += line.length + 1;
    if ('header' in entry) header = entry.header;
    else if ('strike' in entry) {
      changes = changes.filter((change) => change.id !== entry.strike);
      changesAfterExec = changesAfterExec.filter((change) => change.id !== entry.strike);
    } else if ('change' in entry) {
      if (mark === 'exec' || mark === 'own') changesAfterExec = [...changesAfterExec, entry];
      else changes = [...changes, entry];
    } else {
      mark = entry.mark;
      if (mark === 'asked') asked = true;
      // Nothing of what was begun before concerns the program that is there now: only a holder's remains may still be waited for,
      // and files stay as they are until it is known that the new program stays.
      if (mark === 'draining' || mark === 'released' || mark === 'again' || mark === 'failed') {
        program = programAfter[mark];
        if (mark === 'failed') attempt = 'previous';
        changes = [...changes, ...changesAfterExec].filter(({ change: { kind } }) => outlivesExec.has(kind));
        changesAfterExec = [];
      }
    }
  }
  return header === undefined ? null : { header, changes, changesAfterExec, mark, program, asked, attempt, sizeBytes };
}

function opened(
  line: string,
  seal: Seal,
  { path, offset }: { readonly path: string; readonly offset: number },
): string {
  try {
    return seal.open(line, placeOf(path, offset));
  } catch (cause) {
    throw new HotexecError(
      {
        code: 'mend-failed',
        message: `the journal ${path}, which a killed hotexec has left, is damaged: somebody else has written to it at byte ${offset}. Nothing was touched now; the process is as it was left.`,
        hint: 'If the program does not run, kubectl delete pod has it start anew. If it runs, delete that file in its container.',
      },
      { cause },
    );
  }
}

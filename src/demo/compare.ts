// What was promised, and whether it was kept: the process stays the same over all restarts, the program is new each time, and clients
// lose nothing where they are not to. Pure.
import type { ServerAnswer } from './ask.ts';
import type { ProcessFacts } from './process-facts.ts';
import type { Run } from './run.ts';

/** The server before the first restart. */
export interface Before {
  readonly facts: ProcessFacts;
  readonly answer: ServerAnswer;
}

export interface Row {
  readonly label: string;
  readonly before: string;
  /** One for each run. */
  readonly cells: readonly Cell[];
}

export interface Cell {
  readonly text: string;
  /** `same`, `new`, `good`: promised and kept. `plain`: nothing was promised. */
  readonly mark: 'same' | 'new' | 'good' | 'bad' | 'plain' | 'broken';
}

export type ComparedRun = Pick<Run, 'facts' | 'answer' | 'tally'> & {
  readonly trial: Pick<Run['trial'], 'losesNothing'>;
};

export function compare(before: Before, runs: readonly ComparedRun[]): readonly Row[] {
  const same = (label: string, show: (facts: ProcessFacts) => string): Row => ({
    label,
    before: show(before.facts),
    cells: runs.map(({ facts }) =>
      show(facts) === show(before.facts) ? { text: 'same', mark: 'same' } : { text: show(facts), mark: 'broken' },
    ),
  });
  const seen = (label: string, cell: (run: ComparedRun) => Cell): Row => ({ label, before: '', cells: runs.map(cell) });
  return [
    same('pid', ({ pid }) => String(pid)),
    same('process started (UTC)', ({ startTime }) => startTime.toISOString().slice(11, 22)),
    same('pid namespace', ({ pidNamespace }) => inode(pidNamespace)),
    { label: 'instance', before: before.answer.instance, cells: instanceCells(before, runs) },
    { label: 'version that answers', before: before.answer.version, cells: runs.map(versionCell) },
    seen('requests', ({ tally }) => ({ text: String(tally.sent), mark: 'plain' })),
    seen('answered', ({ tally }) => ({ text: String(tally.answered), mark: 'plain' })),
    seen('refused', ({ tally, trial }) => lossCell(tally.refused, trial)),
    seen('cut off', ({ tally, trial }) => lossCell(tally.cutOff, trial)),
    seen('slowest answer', ({ tally }) => ({ text: `${tally.slowestMs.toFixed(0)} ms`, mark: 'plain' })),
  ];
}

/** Another one each time: also the version that came back is a new start of it. */
function instanceCells(before: Before, runs: readonly ComparedRun[]): readonly Cell[] {
  const known = new Set([before.answer.instance]);
  return runs.map(({ answer: { instance } }) => {
    const mark = known.has(instance) ? 'broken' : 'new';
    known.add(instance);
    return { text: instance, mark };
  });
}

function versionCell({ answer: { version } }: ComparedRun): Cell {
  return { text: version, mark: 'plain' };
}

function lossCell(lost: number, { losesNothing }: ComparedRun['trial']): Cell {
  if (lost === 0) return { text: '0', mark: 'good' };
  return { text: String(lost), mark: losesNothing ? 'broken' : 'bad' };
}

/** Labels of what is not as promised. */
export function broken(rows: readonly Row[]): readonly string[] {
  return rows.filter(({ cells }) => cells.some(({ mark }) => mark === 'broken')).map(({ label }) => label);
}

export function isRight(rows: readonly Row[]): boolean {
  return broken(rows).length === 0;
}

function inode(value: number | null): string {
  return value === null ? 'unknown' : String(value);
}

// Whether it was a restart in place: each line says what must be the same, what must be new, and whether it is. Pure.
import type { ProcessFacts } from './process-facts.ts';
import type { ServerAnswer, Tally } from './traffic.ts';

/** One look at the server: from outside, and by its own word. */
export interface Look {
  readonly facts: ProcessFacts;
  readonly answer: ServerAnswer;
  readonly tally: Tally;
}

export interface Row {
  readonly label: string;
  readonly before: string;
  readonly after: string;
  /** What a restart in place makes of it; null: nothing is promised. */
  readonly promised: 'same' | 'new' | null;
  readonly kept: boolean;
}

interface Line {
  readonly label: string;
  readonly promised: Row['promised'];
  readonly show: (look: Look) => string;
  /** Without it what is shown is compared. */
  readonly isKept?: (before: Look, after: Look) => boolean;
}

const lines: readonly Line[] = [
  { label: 'pid, seen from outside', promised: 'same', show: ({ facts }) => String(facts.pid) },
  { label: 'pid, by its own word', promised: 'same', show: ({ answer }) => String(answer.pid) },
  {
    label: 'process started (UTC)',
    promised: 'same',
    show: ({ facts }) => facts.startTime.toISOString().slice(11, 22),
    isKept: (before, after) => before.facts.startTicks === after.facts.startTicks,
  },
  { label: 'pid namespace', promised: 'same', show: ({ facts }) => inode(facts.pidNamespace) },
  { label: 'mount namespace', promised: 'same', show: ({ facts }) => inode(facts.mountNamespace) },
  { label: 'instance', promised: 'new', show: ({ answer }) => answer.instance },
  {
    label: 'uptime, by its own word',
    promised: 'new',
    show: ({ answer }) => `${(answer.uptimeMs / 1000).toFixed(3)} s`,
    isKept: (before, after) => after.answer.uptimeMs < before.answer.uptimeMs,
  },
  { label: 'listening socket', promised: null, show: ({ facts }) => inode(facts.listenerInode) },
  { label: 'requests answered', promised: null, show: ({ tally }) => `${tally.answered} of ${tally.sent}` },
];

export function compare(before: Look, after: Look): readonly Row[] {
  return lines.map((line) => compareLine(line, before, after));
}

function compareLine({ label, promised, show, isKept }: Line, before: Look, after: Look): Row {
  const shown = { before: show(before), after: show(after) };
  const isSame = shown.before === shown.after;
  const kept = isKept?.(before, after) ?? (promised === null || (promised === 'same') === isSame);
  return { label, ...shown, promised, kept };
}

export function isRight(rows: readonly Row[]): boolean {
  return rows.every(({ kept }) => kept);
}

function inode(value: number | null): string {
  return value === null ? 'unknown' : String(value);
}

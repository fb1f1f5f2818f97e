// The demo's words, as whole text of at most 80 columns. Pure; colours come in as functions.
import { isRight, type Row } from './compare.ts';
import type { IsolationKind } from './isolation.ts';
import type { Paint } from '../doctor/paint.ts';
import type { Tally } from './traffic.ts';

export function renderTitle(paint: Paint): string {
  return `${paint.bold('hotexec demo: a new program in the same process')}\n\n`;
}

export function renderStarted(kind: IsolationKind, pid: number, paint: Paint): string {
  const where: Record<IsolationKind, readonly string[]> = {
    namespaces: [`Started a small HTTP server, pid 1 of its own pid namespace, ${pid} here.`],
    'user-namespace': [
      `Started a small HTTP server, pid 1 of its own pid namespace, ${pid} here.`,
      'You are not root: a user namespace makes that possible.',
    ],
    none: [
      `Started a small HTTP server, pid ${pid}.`,
      'This machine allows no namespaces here, so it is an ordinary process.',
    ],
  };
  return step(1, where[kind], paint);
}

export function renderBefore(tally: Tally, paint: Paint): string {
  return step(2, [`Sent ${tally.sent} requests: ${answeredBy(tally)}.`], paint);
}

export interface RestartFacts {
  readonly pid: number;
  readonly holdMs: number;
  /** From the call to the first answer of the new program. */
  readonly backAfterMs: number;
  readonly meanwhile: Tally;
}

export function renderRestarted({ pid, holdMs, backAfterMs, meanwhile }: RestartFacts, paint: Paint): string {
  const lost = meanwhile.sent - meanwhile.answered;
  return step(
    3,
    [
      `${paint.bold(`hotexec restart ${pid}`)}: held for ${milliseconds(holdMs)}, answering again after ${milliseconds(backAfterMs)}.`,
      `Meanwhile ${meanwhile.sent} requests: ${meanwhile.answered} answered, ${lost} refused.`,
    ],
    paint,
  );
}

export function renderAfter(tally: Tally, paint: Paint): string {
  return step(4, [`Sent ${tally.sent} requests: ${answeredBy(tally)}.`], paint);
}

function answeredBy({ sent, answered, instances }: Tally): string {
  if (answered === 0) return 'none answered';
  const count = answered === sent ? 'all' : String(answered);
  return `${count} answered, by instance ${instances.join(' and ')}`;
}

function step(number: number, lines: readonly string[], paint: Paint): string {
  return lines.map((line, index) => `${index === 0 ? paint.dim(String(number)) : ' '}  ${line}\n`).join('');
}

const labelWidth = 26;
const valueWidth = 16;

export function renderTable(rows: readonly Row[], paint: Paint): string {
  const head = `${' '.repeat(labelWidth)}${'before'.padEnd(valueWidth)}after`;
  return `\n${paint.dim(head)}\n${rows.map((row) => renderRow(row, paint)).join('')}`;
}

function renderRow(row: Row, paint: Paint): string {
  const start = `${row.label.padEnd(labelWidth)}${row.before.padEnd(valueWidth)}`;
  return `${start}${row.promised === null ? row.after : row.after.padEnd(valueWidth)}${mark(row, paint)}\n`;
}

function mark({ promised, kept }: Row, paint: Paint): string {
  if (promised === null) return '';
  if (promised === 'same') return kept ? paint.green('same') : paint.red('NOT THE SAME');
  return kept ? paint.cyan('new') : paint.red('NOT NEW');
}

/** The log of both programs, in one stream: at most a few lines. */
export function renderLog(log: string, paint: Paint): string {
  const lines = log.trim().split('\n').slice(0, 6);
  return `\n${paint.dim('its log, one stream over both runs')}\n${lines.map((line) => `  ${line.slice(0, 78)}\n`).join('')}`;
}

export function renderVerdict(rows: readonly Row[], paint: Paint): string {
  const wrong = rows.filter(({ kept }) => !kept).map(({ label }) => label);
  if (isRight(rows)) return `\n${paint.green('Restarted in place:')} the same process, with a new program in it.\n`;
  return `\n${paint.red('That was no restart in place.')} Not as promised: ${wrong.join('; ')}.\n`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

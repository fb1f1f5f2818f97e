// The demo's words, as whole text of at most 80 columns. Pure; colours come in as functions.
import type { Paint } from '../doctor/paint.ts';
import { describeEnd } from '../protocol/program-end.ts';
import { broken, isRight, type Cell, type Row } from './compare.ts';
import type { IsolationKind } from './isolation.ts';
import type { Run } from './run.ts';

export function renderTitle(paint: Paint): string {
  return `${paint.bold('hotexec demo: three restarts of one process, under load')}\n\n`;
}

export function renderStarted(kind: IsolationKind, pid: number): string {
  const where: Record<IsolationKind, readonly string[]> = {
    namespaces: [`A small HTTP server runs, pid 1 of its own pid namespace, ${pid} here.`],
    'user-namespace': [
      `A small HTTP server runs, pid 1 of its own pid namespace, ${pid} here.`,
      'You are not root: a user namespace makes that possible.',
    ],
    none: [
      `A small HTTP server runs, pid ${pid}.`,
      'This machine allows no namespaces here, so it is an ordinary process.',
    ],
  };
  return `${[...where[kind], 'Clients come: 125 new connections a second.'].map((line) => `   ${line}\n`).join('')}\n`;
}

/** What was asked for, what hotexec did, and what clients saw. */
export function renderTrial({ trial, tally, timeline: { result } }: RenderedRun, paint: Paint): string {
  const { sent, answered, refused, cutOff, slowestMs } = tally;
  const lost = answered === sent ? 'none lost' : `${refused} refused, ${cutOff} cut off`;
  const clients = `${sent} requests: ${lost}; the slowest took ${milliseconds(slowestMs)}.`;
  return [
    paint.bold(`hotexec restart ${result.pid} ${trial.flags}`),
    ...whatHappened(result).map((text) => `   ${text}`),
    `   ${answered === sent ? paint.green(clients) : paint.red(clients)}`,
    '',
  ]
    .map((line) => `${line}\n`)
    .join('');
}

export type RenderedRun = Pick<Run, 'tally'> & {
  readonly trial: Pick<Run['trial'], 'name' | 'flags'>;
  readonly timeline: { readonly result: Run['timeline']['result'] };
};

function whatHappened({ drain, failed, timingsMs }: RenderedRun['timeline']['result']): readonly string[] {
  if (failed !== null) return [`The new version ${describeEnd(failed)}.`, 'The one before it runs again, by itself.'];
  if (drain.end === 'skipped')
    return [`Replaced at once: stopped for ${milliseconds(timingsMs.hold)}, then another program.`];
  return [`Finished its work in ${milliseconds(drain.ms)}; its listener went to the new program.`];
}

const labelWidth = 24;
const beforeWidth = 13;
const cellWidth = 13;

export function renderTable(
  rows: readonly Row[],
  runs: readonly { readonly trial: { readonly name: string } }[],
  paint: Paint,
): string {
  const names = runs.map(({ trial }) => trial.name.padEnd(cellWidth)).join('');
  const head = `${' '.repeat(labelWidth)}${'before'.padEnd(beforeWidth)}${names}`.trimEnd();
  return `${paint.dim(head)}\n${rows.map((row) => renderRow(row, paint)).join('')}`;
}

function renderRow({ label, before, cells }: Row, paint: Paint): string {
  const start = `${label.padEnd(labelWidth)}${before.padEnd(beforeWidth)}`;
  const last = cells.length - 1;
  const painted = cells.map((cell, index) => {
    const padding = index === last ? '' : ' '.repeat(Math.max(1, cellWidth - cell.text.length));
    return `${paintCell(cell, paint)}${padding}`;
  });
  return `${start}${painted.join('')}\n`;
}

function paintCell({ text, mark }: Cell, paint: Paint): string {
  switch (mark) {
    case 'same':
    case 'good':
      return paint.green(text);
    case 'new':
      return paint.cyan(text);
    case 'bad':
    case 'broken':
      return paint.red(text);
    case 'plain':
      return text;
  }
}

/** The log of all programs, in one stream: at most a few lines. */
export function renderLog(log: string, paint: Paint): string {
  const lines = log.trim().split('\n').slice(0, 9);
  return `\n${paint.dim('its log, one stream over all of them')}\n${lines.map((line) => `  ${line.slice(0, 78)}\n`).join('')}`;
}

export function renderPicture(path: string, paint: Paint): string {
  return `\n${paint.dim('what happened, as a picture:')} ${path}\n`;
}

export function renderVerdict(rows: readonly Row[], paint: Paint): string {
  if (isRight(rows))
    return `\n${paint.green('Restarted in place, three times:')} one process, and a new program in it each time.\n`;
  return `\n${paint.red('That was not as promised:')} ${broken(rows).join('; ')}.\n`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

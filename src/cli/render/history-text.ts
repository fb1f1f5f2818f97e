// The programs that ran in a container as a table: newest first, the one that runs marked.
import type { History, Version } from '../../protocol/history.ts';
import type { ProgramEnd } from '../../protocol/result.ts';
import { escapeText, quoteWords } from './escape.ts';
import type { Style } from './style.ts';
import { formatContainer } from './subject.ts';
import { count, formatMs } from './table.ts';

export interface Showing {
  readonly style: Style;
  readonly now: Date;
}

export function renderHistory(history: History, showing: Showing): string {
  const { target, pid, container, versions } = history;
  const { style } = showing;
  const where = container === null ? `pid ${pid}` : `pid ${pid}, container ${formatContainer(container)}`;
  const shown = versions.map((version) => cells(version, showing));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[], mark: string): string =>
    `${mark} ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  const body = versions.flatMap((version, index) => {
    const isRunning = version.state === 'running';
    const text = line(shown[index] ?? [], isRunning ? '*' : ' ');
    const more = notes(version).map((note) => style.dim(`      ${note}`));
    return [isRunning ? style.bold(text) : text].concat(more);
  });
  return `${style.bold(escapeText(target))} (${where})\n${[style.dim(line(headings, ' ')), ...body].join('\n')}\n`;
}

const headings = ['N', 'STARTED', 'BY', 'STATE', 'PROGRAM'] as const;

function cells(version: Version, { now }: Showing): readonly string[] {
  const { number, by, program } = version;
  const words = program.argv.length === 0 ? escapeText(program.exe) : quoteWords(program.argv);
  return [String(number), when(version, now), by === null ? '-' : escapeText(by), stateOf(version), words];
}

const shownFiles = 5;

function notes({ state, available, backTo, program, files }: Version): readonly string[] {
  const name = program.exe.split('/').at(-1);
  const isNamed = program.argv.length === 0 || program.argv[0] === program.exe || program.argv[0] === name;
  const more = files.length - shownFiles;
  return [
    ...(isNamed ? [] : [`executable ${escapeText(program.exe)}`]),
    ...(backTo === null ? [] : [`back to version ${backTo}`]),
    ...files
      .slice(0, shownFiles)
      .map(({ path, digest }) =>
        digest === null
          ? `removed ${escapeText(path)}`
          : `file ${escapeText(path)}  sha256 ${escapeText(digest.slice(0, 12))}`,
      ),
    ...(more > 0 ? [`and ${count(more, 'file')} more (-o json has them all)`] : []),
    ...(available === true || state === 'running' ? [] : [`cannot be gone back to: ${escapeText(available)}`]),
  ];
}

function stateOf({ state, end }: Version): string {
  if (end === null) return state;
  return `${state}: ${endOf(end)}`;
}

function endOf({ reason, exitCode, signal, afterMs }: ProgramEnd): string {
  const after = `after ${formatMs(afterMs)}`;
  if (reason === 'probe-timeout') return `did not answer its probe ${after}`;
  if (reason === 'post-start-hook') return `had no postStart hook that succeeded ${after}`;
  return signal === null ? `exit code ${exitCode ?? 'unknown'} ${after}` : `${escapeText(signal)} ${after}`;
}

/** In the time of whoever reads it. */
function when({ startedAt, recordedAt }: Version, now: Date): string {
  if (startedAt !== null) return moment(startedAt, now);
  return `before ${moment(recordedAt, now)}`;
}

function moment(iso: string, now: Date): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return escapeText(iso);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time} (${ago(now.getTime() - date.getTime())})`;
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

function two(part: number): string {
  return String(part).padStart(2, '0');
}

/** A clock that was set back gives a time to come. */
function ago(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const [size, unit] = units.find(([each]) => seconds >= each) ?? [1, 's'];
  const text = `${Math.floor(seconds / size)} ${unit}`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

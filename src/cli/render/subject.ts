// How targets, containers and programs are named in text. All of it comes from elsewhere, and is escaped.
import type { ContainerIdentity } from '../../protocol/request.ts';
import type { NotFresh, ProgramSummary } from '../../protocol/result.ts';
import { escapeText, quoteWords } from './escape.ts';
import type { Row } from './table.ts';

export function formatContainer({ id, name, runtime }: ContainerIdentity): string {
  // 64 digits, or a name that ctr was given, which is short enough.
  const short = escapeText(/^[\da-f]{64}$/.test(id) ? id.slice(0, 12) : id);
  return name === null || name === id
    ? `${short} (${escapeText(runtime)})`
    : `${short} (${escapeText(name)}, ${escapeText(runtime)})`;
}

function formatProgram({ exe, argv }: ProgramSummary): string {
  if (exe === '' && argv.length === 0) return '(not known)';
  return argv.length === 0 ? escapeText(exe) : quoteWords(argv);
}

/** One row if nothing changes, else what is before and what after. */
export function programRows(before: ProgramSummary, after: ProgramSummary | null): readonly Row[] {
  if (after === null) return [['program', formatProgram(before)]];
  const rows: Row[] = isSameCommand(before, after)
    ? [['program', formatProgram(after)]]
    : [
        ['before', formatProgram(before)],
        ['after', formatProgram(after)],
      ];
  if (before.exe !== after.exe) rows.push(['executable', `${escapeText(before.exe)} -> ${escapeText(after.exe)}`]);
  if (before.cwd !== after.cwd) rows.push(['directory', `${escapeText(before.cwd)} -> ${escapeText(after.cwd)}`]);
  return rows;
}

export function notFreshRows(notFresh: readonly NotFresh[]): readonly Row[] {
  return notFresh.map(({ attribute, message }) => ['not fresh', `${escapeText(attribute)}: ${escapeText(message)}`]);
}

export function warningRows(warnings: readonly string[]): readonly Row[] {
  return warnings.map((warning) => ['warning', escapeText(warning)]);
}

/** A process that has overwritten its arguments shows none; its executable is all there is to compare. */
function isSameCommand(before: ProgramSummary, after: ProgramSummary): boolean {
  if (before.argv.length === 0) return before.exe === after.exe;
  return before.argv.length === after.argv.length && before.argv.every((word, index) => word === after.argv[index]);
}

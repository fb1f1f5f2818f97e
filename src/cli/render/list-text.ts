// What can be restarted as a table, as kubectl prints one: headings in capitals, three blanks between the columns.
import type { ListedTarget } from '../../targets/list/list.ts';
import { formatAge } from './age.ts';
import { escapeText, quoteWords } from './escape.ts';

export interface ListStyle {
  /** Whole commands, and more columns. */
  readonly isWide: boolean;
  readonly now: Date;
}

export function renderList(items: readonly ListedTarget[], style: ListStyle): string {
  const columns = style.isWide ? [...place, ...who, program] : [...place, program];
  const cells = items.map((item) => columns.map(({ cell }) => cell(item, style)));
  const all = [columns.map(({ heading }) => heading), ...cells];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

interface Column {
  readonly heading: string;
  readonly cell: (item: ListedTarget, style: ListStyle) => string;
}

const place: readonly Column[] = [
  { heading: 'TARGET', cell: ({ target }) => escapeText(target) },
  { heading: 'POD', cell: ({ pod }) => orNone(pod) },
  { heading: 'NAMESPACE', cell: ({ namespace }) => orNone(namespace) },
  { heading: 'CONTAINER', cell: ({ container }) => escapeText(container) },
  { heading: 'PID', cell: ({ pid }) => String(pid) },
  { heading: 'AGE', cell: ({ startedAt }, { now }) => formatAge(now.getTime() - Date.parse(startedAt)) },
];

const who: readonly Column[] = [
  {
    heading: 'RUNTIME',
    cell: ({ runtime, containerdNamespace }) =>
      escapeText(containerdNamespace === null ? runtime : `${runtime} (${containerdNamespace})`),
  },
  { heading: 'ID', cell: ({ id }) => escapeText(id) },
];

const program: Column = {
  heading: 'PROGRAM',
  cell: (item, { isWide }) => {
    const words = item.program.length === 0 ? '-' : quoteWords(item.program);
    return isWide ? words : shortened(words);
  },
};

const programWidth = 50;

function shortened(text: string): string {
  return text.length > programWidth ? `${text.slice(0, programWidth - 1)}…` : text;
}

function orNone(text: string | null): string {
  return text === null ? '-' : escapeText(text);
}

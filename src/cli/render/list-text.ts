// What can be restarted on this machine, as a table.
import type { ListedTarget } from '../../targets/list/list.ts';
import { formatAge } from './age.ts';
import { renderColumns, shortened, type Column } from './columns.ts';
import { escapeText, quoteWords } from './escape.ts';

export interface ListStyle {
  /** Whole commands, and more columns. */
  readonly isWide: boolean;
  readonly now: Date;
}

export function renderList(items: readonly ListedTarget[], style: ListStyle): string {
  return renderColumns(items, style.isWide ? [...place, ...who, program] : [...place, program], style);
}

type ListColumn = Column<ListedTarget, ListStyle>;

const place: readonly ListColumn[] = [
  { heading: 'TARGET', cell: ({ target }) => escapeText(target) },
  { heading: 'POD', cell: ({ pod }) => orNone(pod) },
  { heading: 'NAMESPACE', cell: ({ namespace }) => orNone(namespace) },
  { heading: 'CONTAINER', cell: ({ container }) => escapeText(container) },
  { heading: 'PID', cell: ({ pid }) => String(pid) },
  { heading: 'AGE', cell: ({ startedAt }, { now }) => formatAge(now.getTime() - Date.parse(startedAt)) },
];

const who: readonly ListColumn[] = [
  {
    heading: 'RUNTIME',
    cell: ({ runtime, containerdNamespace }) =>
      escapeText(containerdNamespace === null ? runtime : `${runtime} (${containerdNamespace})`),
  },
  { heading: 'ID', cell: ({ id }) => escapeText(id) },
];

const program: ListColumn = {
  heading: 'PROGRAM',
  cell: (item, { isWide }) => {
    const words = item.program.length === 0 ? '-' : quoteWords(item.program);
    return isWide ? words : shortened(words, programWidth);
  },
};

const programWidth = 50;

function orNone(text: string | null): string {
  return text === null ? '-' : escapeText(text);
}

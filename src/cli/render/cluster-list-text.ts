// What can be restarted in a namespace, as a table.
import type { ListedContainer } from '../../targets/kubernetes/list.ts';
import { formatAge } from './age.ts';
import { renderColumns, type Column } from './columns.ts';
import { escapeText } from './escape.ts';

export interface ClusterListStyle {
  /** Whole images, and more columns. */
  readonly isWide: boolean;
  /** Of all namespaces: each item says its own. */
  readonly allNamespaces: boolean;
  readonly showDrift: boolean;
  readonly now: Date;
}

/** A container, and where what runs in it differs from what its pod says; null: that is not known, or was not asked. */
export interface ClusterItem extends ListedContainer {
  readonly drift: readonly string[] | null;
}

export function renderClusterList(items: readonly ClusterItem[], style: ClusterListStyle): string {
  const columns = [
    ...(style.allNamespaces ? [namespace] : []),
    ...place,
    ...(style.isWide ? [id] : []),
    ...state,
    ...(style.showDrift ? [drift] : []),
  ];
  return renderColumns(items, columns, style);
}

type ClusterColumn = Column<ClusterItem, ClusterListStyle>;

const namespace: ClusterColumn = { heading: 'NAMESPACE', cell: (item) => escapeText(item.namespace) };

const place: readonly ClusterColumn[] = [
  { heading: 'POD', cell: ({ pod }) => escapeText(pod) },
  { heading: 'CONTAINER', cell: ({ container }) => escapeText(container) },
  {
    heading: 'IMAGE',
    cell: ({ image }, { isWide }) => (isWide ? escapeText(image) : lastPart(escapeText(image))),
  },
  { heading: 'NODE', cell: ({ node }) => escapeText(node ?? '-') },
];

const id: ClusterColumn = { heading: 'ID', cell: (item) => escapeText(item.id) };

const state: readonly ClusterColumn[] = [
  { heading: 'RESTARTS', cell: ({ restarts }) => String(restarts) },
  { heading: 'AGE', cell: ({ startedAt }, { now }) => (startedAt === null ? '-' : age(startedAt, now)) },
  {
    heading: 'AGENT',
    cell: ({ agent }, { isWide }) =>
      agent === null ? '-' : isWide ? `${agent.state} (${escapeText(agent.name)})` : agent.state,
  },
  {
    heading: 'CHANGED',
    cell: ({ change }, { isWide, now }) =>
      change === null
        ? '-'
        : `${escapeText(change.verb)} ${age(change.at, now)} ago${isWide ? ` (${escapeText(change.operationId)})` : ''}`,
  },
];

const drift: ClusterColumn = {
  heading: 'DRIFT',
  cell: (item) => (item.drift === null ? 'unknown' : item.drift.length === 0 ? 'none' : item.drift.join(', ')),
};

function age(since: string, now: Date): string {
  const ms = now.getTime() - Date.parse(since);
  // Clocks of machines differ by a little.
  return formatAge(Math.max(0, ms));
}

const imageWidth = 40;

/** Of an image the end says more than the registry. */
function lastPart(image: string): string {
  return image.length > imageWidth ? `…${image.slice(1 - imageWidth)}` : image;
}

// How the old program finishes, and what becomes of its sockets: as it was, and as it would be.
import type { PlannedDrain, PlannedListener } from '../../protocol/plan.ts';
import type { Drain, ListenerResult } from '../../protocol/result.ts';
import { escapeText } from './escape.ts';
import { formatMs, type Row } from './table.ts';

/** As the engine says that the user wants it so. */
const askedFor = 'asked for';

export function drainRows({ signal, end, why, exitCode, endedBy, ms }: Drain): readonly Row[] {
  switch (end) {
    case 'exited': {
      const how = exitCode === null ? `ended by ${endedBy ?? 'a signal'}` : `exit code ${exitCode}`;
      return [['finished', escapeText(`in ${formatMs(ms)} after ${signal ?? 'its preStop hook was begun'}, ${how}`)]];
    }
    case 'forced':
      return [['finished', `replaced by force after ${formatMs(ms)}`]];
    case 'skipped':
      return why === null || why === askedFor ? [] : [['finished', escapeText(`not asked to: ${why}`)]];
  }
}

export function plannedDrainRow({ signal, gracePeriodMs, why }: PlannedDrain): Row {
  if (signal === null) return ['finishes', escapeText(`not asked to${because(why)}`)];
  return ['finishes', escapeText(`when it gets ${signal}; replaced by force after ${(gracePeriodMs ?? 0) / 1000} s`)];
}

export function listenerRows(listeners: readonly ListenerResult[]): readonly Row[] {
  return grouped(
    listeners.map(({ protocol, address, handedOver, why }) => {
      const fate = handedOver ? 'handed over' : `not handed over${because(why)}`;
      return `${protocol} ${address}, ${fate}`;
    }),
  );
}

export function plannedListenerRows(listeners: readonly PlannedListener[]): readonly Row[] {
  return grouped(
    listeners.map(({ protocol, address, handOver, why }) => {
      const fate = handOver ? 'will be handed over' : `will not be handed over${because(why)}`;
      return `${protocol} ${address}, ${fate}`;
    }),
  );
}

function because(why: string | null): string {
  if (why === null) return '';
  return why === askedFor ? ', as asked for' : `: ${why}`;
}

/** Servers that share a port (SO_REUSEPORT) have as many sockets on it as they have workers. */
function grouped(lines: readonly string[]): readonly Row[] {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].map(([line, times]) => [
    'listener',
    escapeText(times === 1 ? line : `${line} (${times} sockets)`),
  ]);
}

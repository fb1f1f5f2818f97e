// The results as a person reads them: ratios first.
import type { Comparison, Limit } from './comparison.ts';
import type { Summary } from './statistics.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  /** Load average of a minute, which these measurements raise themselves. */
  readonly loadAtStart: number;
  readonly loadAtEnd: number;
}

export interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly comparisons: readonly Comparison[];
}

export function isKept({ ours, other }: Comparison, limit: Limit): boolean {
  switch (limit.kind) {
    case 'ratio':
      return ours.medianMs <= limit.value * other.summary.medianMs;
    case 'over':
      return ours.medianMs <= other.summary.medianMs + limit.value;
    case 'at-most':
      return ours.medianMs <= limit.value;
  }
}

export function fullReport({ date, machine, comparisons }: Results): string {
  const { cpu, cores, kernel, node, loadAtStart, loadAtEnd } = machine;
  return [
    `# Speed, ${date}`,
    '',
    `${cpu}, ${cores} cores; Linux ${kernel}; Node ${node}. Load average of a minute: ${loadAtStart.toFixed(2)} at the start, ${loadAtEnd.toFixed(2)} at the end.`,
    'Medians, 90th percentiles in brackets. What stands in one line was measured in the same rounds, taking turns (`npm run bench`).',
    'The hold is the time in which no thread of the target runs. Warm: an engine that has made 200 restarts before. Fresh: one process a restart,',
    'which is how `hotexec restart` does it.',
    '',
    table(['', 'ratio', 'hotexec', 'compared with', '', 'n', 'limits'], comparisons.map(fullRow)),
    '',
  ].join('\n');
}

function fullRow(comparison: Comparison): readonly string[] {
  const { what, ours, other, limits } = comparison;
  const verdicts = limits.map((limit) => `${sentence(limit)}: ${isKept(comparison, limit) ? 'kept' : '**missed**'}`);
  return [
    what,
    ratio(comparison),
    both(ours),
    other.name,
    both(other.summary),
    String(ours.samples),
    verdicts.join('; '),
  ];
}

export function oneLine(comparison: Comparison): string {
  const [what, relation, ours, name, other, , limits] = fullRow(comparison);
  return `${what}: ${ours}; ${name} ${other}: ${relation} ${limits}`;
}

/** What stands in the README. */
export function shortTable({ machine, comparisons }: Results): string {
  const rows = comparisons.map((comparison) => [
    comparison.what,
    ratio(comparison),
    milliseconds(comparison.ours.medianMs),
    `${milliseconds(comparison.other.summary.medianMs)} (${comparison.other.name})`,
  ]);
  return `${table(['median', 'ratio', 'hotexec', 'compared with'], rows)}\n\n${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sentence({ kind, value }: Limit): string {
  switch (kind) {
    case 'ratio':
      return `≤ ${value}×`;
    case 'over':
      return `≤ ${value} ms over it`;
    case 'at-most':
      return `≤ ${value} ms`;
  }
}

function ratio({ ours, other }: Comparison): string {
  return `**${(ours.medianMs / other.summary.medianMs).toFixed(2)}×**`;
}

function both({ medianMs, p90Ms }: Summary): string {
  return `${milliseconds(medianMs)} (${milliseconds(p90Ms)})`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

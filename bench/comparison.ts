// What is told of one measurement: two ways to do it, in the same rounds, and what the first may cost.
import type { Summary } from './statistics.ts';

export interface Comparison {
  readonly what: string;
  readonly ours: Summary;
  readonly other: { readonly name: string; readonly summary: Summary };
  readonly limits: readonly Limit[];
}

/** A ratio of medians, milliseconds over the other's median, or milliseconds. */
export type Limit = { readonly kind: 'ratio' | 'over' | 'at-most'; readonly value: number };

export interface Rounds {
  readonly many: number;
  /** Where one round takes a second. */
  readonly few: number;
}

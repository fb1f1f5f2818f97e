// Samples and what is told of them.

export interface Summary {
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly samples: number;
}

export function summarize(samplesMs: readonly number[]): Summary {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  return { medianMs: quantile(sorted, 0.5), p90Ms: quantile(sorted, 0.9), samples: sorted.length };
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** A way to do it: one sample, in milliseconds. */
export type Way = () => number | Promise<number>;

/**
 * All ways in each round, each round beginning with another one: what else the machine does meets all of them alike. And each comes about
 * as often after each of the others, for every second round goes backwards: with 1,000 threads the hold in C is 2 ms shorter after a restart
 * by a fresh engine than after one in C (measured).
 */
export async function interleave<Name extends string>(
  rounds: number,
  ways: Readonly<Record<Name, Way>>,
): Promise<Readonly<Record<Name, Summary>>> {
  const entries = Object.entries<Way>(ways).map(([name, way]) => ({ name, way, samples: new Array<number>() }));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const step = round % 2 === 0 ? turn : entries.length - turn;
      const entry = entries[(round + step) % entries.length];
      entry?.samples.push(await entry.way());
    }
  }
  return Object.fromEntries(entries.map(({ name, samples }) => [name, summarize(samples)])) as Record<Name, Summary>;
}

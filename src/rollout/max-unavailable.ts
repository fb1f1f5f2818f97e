// How many pods may be restarted at the same time: a number, or a share of all, as the workloads' own maxUnavailable. Pure.

export type MaxUnavailable = { readonly kind: 'number' | 'percent'; readonly value: number };

/** `2`, `25%`; undefined: neither, or none at all. */
export function parseMaxUnavailable(text: string): MaxUnavailable | undefined {
  const [, digits = '', percent = ''] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === '' || value === 0) return undefined;
  if (percent === '') return { kind: 'number', value };
  return value <= 100 ? { kind: 'percent', value } : undefined;
}

/** A percentage is rounded down, and at least one pod is restarted. */
export function atOnce({ kind, value }: MaxUnavailable, pods: number): number {
  return kind === 'number' ? value : Math.max(1, Math.floor((pods * value) / 100));
}

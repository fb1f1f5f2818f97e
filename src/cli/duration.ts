// Durations as kubectl takes them (Go's time.ParseDuration): 500ms, 10s, 1m30s, 1.5h; 0 alone needs no unit.

const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** In milliseconds; undefined: not a duration. Finer units than a millisecond are not known here. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (msPerUnit[unit] ?? 0);
  }
  return totalMs;
}

// Labels and values in two columns.

export type Row = readonly [label: string, value: string];

/** Every line indented by two, values in one column. */
export function rows(all: readonly Row[]): string {
  const width = Math.max(0, ...all.map(([label]) => label.length)) + 2;
  return all.map(([label, value]) => `  ${label.padEnd(width)}${value}`.trimEnd()).join('\n');
}

const listWidth = 88;

/** Many words under one label, on as many lines as they need. */
export function listRows(label: string, words: readonly string[]): readonly Row[] {
  if (words.length === 0) return [[label, 'none']];
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > listWidth) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line, index) => [index === 0 ? label : '', line]);
}

/** `2.4 ms`, `118 ms`, `3.2 s`. */
export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

// How far the files have come, and how fast: for the one line of progress.
import type { HotexecEvent } from '../../protocol/event.ts';
import { escapeText } from './escape.ts';

type Upload = Extract<HotexecEvent, { readonly kind: 'upload' }>;

/** Remembers where an upload began; `nowMs` is a clock. Bytes are counted over all files. */
export function uploadMeter(nowMs: () => number): (event: Upload) => string {
  let first = { doneBytes: Number.POSITIVE_INFINITY, atMs: 0 };
  return ({ path, doneBytes, totalBytes }) => {
    const atMs = nowMs();
    if (doneBytes < first.doneBytes) first = { doneBytes, atMs };
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    const tookMs = atMs - first.atMs;
    const speed = tookMs > 0 ? `, ${Math.round((doneBytes - first.doneBytes) / 1000 / tookMs)} MB/s` : '';
    return `bringing ${escapeText(path)} into the container, ${percent} %${speed}`;
  };
}

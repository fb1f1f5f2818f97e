// Tells how far an upload has come, ten times a second at most, and ends it when somebody asks.
import { stopIfCancelled, type Host } from '../host.ts';

const intervalMs = 100;

export class Progress {
  readonly #host: Host;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #toldMs = performance.now();

  /** `totalBytes`: of all files together. */
  constructor(host: Host, totalBytes: number) {
    this.#host = host;
    this.#totalBytes = totalBytes;
  }

  /** Throws cancelled or timeout. */
  step(path: string, bytes: number): void {
    stopIfCancelled(this.#host);
    this.#doneBytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < intervalMs) return;
    this.#toldMs = nowMs;
    this.#tell(path);
  }

  end(path: string): void {
    this.#tell(path);
  }

  #tell(path: string): void {
    this.#host.emit({ kind: 'upload', path, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }
}

// An engine that boots while its request is still on the way: a command is being loaded and its target looked up, or an agent has heard
// the hello of a client. Never more than one, and none while files come to an agent: an engine that waits takes as much memory as one that works.
import type { Engine } from './engine.ts';
import type { StartEngine } from './launch.ts';

export class EngineAhead implements Disposable {
  readonly #start: StartEngine;
  #waiting: Engine | null = null;

  constructor(start: StartEngine) {
    this.#start = start;
  }

  prepare(): void {
    this.#waiting ??= this.#start();
  }

  take(): Engine {
    const engine = this.#waiting ?? this.#start();
    this.#waiting = null;
    return engine;
  }

  /** Nobody will ask it; it ends. */
  [Symbol.dispose](): void {
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = null;
  }
}

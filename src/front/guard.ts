// A second engine for the time in which the old program finishes: the first one's death is then mended by one that is there already, and
// that has the listening sockets too.
import { randomUUID } from 'node:crypto';
import type { HotexecEvent } from '../protocol/event.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { Engine } from './engine.ts';
import type { StartEngine } from './launch.ts';
import { mendingOf, type Mending } from './mend.ts';

// It is told or dismissed long before.
const longestMs = 2 ** 31 - 1;

export class Guard {
  readonly #engine: Engine;
  readonly #mending: Promise<Mending>;

  private constructor(engine: Engine, mending: Promise<Mending>) {
    this.#engine = engine;
    this.#mending = mending;
  }

  static start(
    { target, enginePid }: { readonly target: TargetProcess; readonly enginePid: number },
    startEngine: StartEngine,
    onEvent: (event: HotexecEvent) => void,
  ): Guard {
    const engine = startEngine();
    const request = { kind: 'guard', operationId: randomUUID(), target, enginePid } as const;
    const mending = engine.ask(request, { answerWithinMs: longestMs, onEvent }).then(mendingOf);
    // Nobody may ever ask what became of it.
    mending.catch(() => {});
    return new Guard(engine, mending);
  }

  /** The engine at work has died. */
  async mend(): Promise<Mending> {
    this.#engine.control({ kind: 'mend' });
    return this.#mending;
  }

  /** It is past the drain, or nothing came of it. */
  dismiss(): void {
    this.#engine[Symbol.dispose]();
  }
}

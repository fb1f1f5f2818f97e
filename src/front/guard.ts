// A second engine for the time in which the old program finishes: the first one's death is then mended by one that is there already, and
// that has the listening sockets too.
import { randomUUID } from 'node:crypto';
import type { HotexecEvent } from '../protocol/event.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { Engine } from './engine.ts';
import { mendingOf, type Mending } from './mend.ts';
import type { Session } from './session.ts';

/** A program that ends sooner has ended before another engine could have been there, ms. */
const quickEndMs = 25;
// It is told or dismissed long before.
const longestMs = 2 ** 31 - 1;

interface Standing {
  readonly engine: Engine;
  readonly mending: Promise<Mending>;
}

export class Guard {
  readonly #target: TargetProcess;
  readonly #session: Session;
  readonly #onEvent: (event: HotexecEvent) => void;
  #begins: NodeJS.Timeout | null = null;
  #standing: Standing | null = null;

  /** `onEvent`: of its mending. */
  constructor(target: TargetProcess, session: Session, onEvent: (event: HotexecEvent) => void) {
    this.#target = target;
    this.#session = session;
    this.#onEvent = onEvent;
  }

  /** It comes with the drain, and goes before the new program runs: that one finds its addresses free, whoever is killed. */
  on(event: HotexecEvent): void {
    if (event.kind !== 'phase') return;
    if (event.phase === 'drain') this.#begins ??= setTimeout(() => this.#start(), quickEndMs);
    if (event.phase === 'release') void this.#leave().then(() => this.#session.engine.control({ kind: 'alone' }));
  }

  /** The engine at work has died. Null: there is no guard. */
  async mend(): Promise<Mending | null> {
    clearTimeout(this.#begins ?? undefined);
    this.#standing?.engine.control({ kind: 'mend' });
    return (await this.#standing?.mending) ?? null;
  }

  dismiss(): void {
    void this.#leave();
  }

  #start(): void {
    const enginePid = this.#session.engine.pid;
    if (enginePid === undefined) return;
    const engine = this.#session.startEngine();
    const request = { kind: 'guard', operationId: randomUUID(), target: this.#target, enginePid } as const;
    const mending = engine.ask(request, { answerWithinMs: longestMs, onEvent: this.#onEvent }).then(mendingOf);
    // Nobody may ever ask what became of it.
    mending.catch(() => {});
    this.#standing = { engine, mending };
  }

  /** Resolves when its sockets are closed. */
  async #leave(): Promise<void> {
    clearTimeout(this.#begins ?? undefined);
    const standing = this.#standing;
    this.#standing = null;
    // It may not even have begun, and would answer late.
    standing?.engine.kill();
    await standing?.mending.catch(() => {});
  }
}

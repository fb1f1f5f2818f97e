// The operations of an agent by their ids: each is carried out once, whoever listens to it, and what came of it is kept for who asks again.
import { errorData, type HotexecError } from '../errors.ts';
import type { Front, Listening } from '../front/front.ts';
import type { AgentAnswer, AgentAsked } from '../protocol/agent.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { HookEnd } from '../protocol/hook.ts';
import { ClientHooks, hookRunner } from './hooks.ts';

export interface NumberedEvent {
  readonly number: number;
  readonly event: HotexecEvent;
}

/** With `verbose` each remote call is an event; who comes back after so many has missed some of them. */
const mostEvents = 2000;
/** Ids whose results are kept, and of those whose events too; the oldest are forgotten first. */
const mostResults = 200;
const mostStories = 5;

/** Makes of what was asked the front to ask and the sources as they are here; throws a HotexecError where that cannot be. */
export type Prepare = () => Promise<Prepared>;

export interface Prepared extends Disposable {
  readonly front: Front;
  /** What is to be said before anything is done; a sentence each. */
  readonly warnings: readonly string[];
  readonly asked: AgentAsked;
  /** Of what is answered: paths of the agent are of no use to who asked. */
  readonly translate: (answer: AgentAnswer) => AgentAnswer;
}

export class Operation {
  readonly id: string;
  readonly #abort = new AbortController();
  readonly #events: NumberedEvent[] = [];
  #count = 0;
  #answer: AgentAnswer | null = null;
  readonly #hooks = new ClientHooks();
  #changed = Promise.withResolvers<void>();

  constructor(id: string) {
    this.id = id;
  }

  get isRunning(): boolean {
    return this.#answer === null;
  }

  /** The engine decides whether it still can. */
  cancel(): void {
    this.#abort.abort(new Error('cancelled by the client'));
  }

  /** Somebody who can run hooks listens, or does not any more. */
  joined(): void {
    this.#hooks.joined();
  }

  left(): void {
    this.#hooks.left();
  }

  /** The client has run it. */
  hookEnded(number: number, end: HookEnd): void {
    this.#hooks.ended(number, end);
  }

  /** Never rejects: whatever happens is the answer. */
  async run(prepare: Prepare): Promise<void> {
    const told = { signal: this.#abort.signal, onEvent: (event: HotexecEvent): void => this.#note(event) };
    try {
      using prepared = await prepare();
      const listening = { ...told, runHook: hookRunner(prepared.asked, this.#hooks) };
      for (const message of prepared.warnings) told.onEvent({ kind: 'warning', message });
      this.#answer = prepared.translate(await answerOf(() => carryOut(prepared, this.id, listening)));
    } catch (error) {
      this.#answer = failure(error);
    }
    this.#wake();
  }

  fail(error: HotexecError): void {
    this.#answer ??= { kind: 'failure', error: error.toData() };
    this.#wake();
  }

  /** Events with a greater number, as they come, and the answer last. */
  async *follow(after: number): AsyncGenerator<NumberedEvent | AgentAnswer, void, undefined> {
    let seen = after;
    for (;;) {
      const changed = this.#changed.promise;
      const unseen = this.#events.filter(({ number }) => number > seen);
      for (const numbered of unseen) {
        yield numbered;
        seen = numbered.number;
      }
      // Events that came while those were yielded go before the answer.
      if (unseen.length > 0) continue;
      if (this.#answer !== null) {
        yield this.#answer;
        return;
      }
      await changed;
    }
  }

  /** The answer stays. */
  forgetEvents(): void {
    this.#events.length = 0;
  }

  #note(event: HotexecEvent): void {
    this.#count += 1;
    this.#events.push({ number: this.#count, event });
    if (this.#events.length > mostEvents) this.#events.shift();
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

async function answerOf(ask: () => Promise<AgentAnswer>): Promise<AgentAnswer> {
  try {
    return await ask();
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): AgentAnswer {
  return { kind: 'failure', error: errorData(error) };
}

async function carryOut({ front, asked }: Prepared, operationId: string, listening: Listening): Promise<AgentAnswer> {
  switch (asked.kind) {
    case 'restart':
      return { kind: 'restart-result', result: await front.restart({ operationId, ...asked }, listening) };
    case 'plan':
      return { kind: 'plan-result', result: await front.plan({ operationId, ...asked }, listening) };
    case 'inspect':
      return { kind: 'inspect-result', result: await front.inspect({ operationId, ...asked }, listening) };
    case 'history':
      return { kind: 'history-result', result: await front.history({ operationId }, listening) };
  }
}

export class Operations {
  readonly #byId = new Map<string, Operation>();
  readonly #running = new Set<Promise<void>>();

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  get(id: string): Operation | undefined {
    return this.#byId.get(id);
  }

  /** The same id a second time is the same operation. */
  start(id: string, prepare: Prepare): Operation {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const operation = this.#add(id);
    const running = operation.run(prepare);
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return operation;
  }

  /** Nothing is begun. */
  refuse(id: string, error: HotexecError): Operation {
    const known = this.#byId.get(id);
    // One that is under way, or over, has an answer of its own.
    if (known !== undefined) return known;
    const operation = this.#add(id);
    operation.fail(error);
    return operation;
  }

  /** Resolves when all that was begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #add(id: string): Operation {
    const operation = new Operation(id);
    this.#byId.set(id, operation);
    const ended = [...this.#byId].filter(([, old]) => !old.isRunning);
    for (const [, old] of ended.slice(0, -mostStories)) old.forgetEvents();
    for (const [oldId] of ended.slice(0, -mostResults)) this.#byId.delete(oldId);
    return operation;
  }
}

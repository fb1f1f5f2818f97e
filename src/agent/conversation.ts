// One request to the agent, over as many connections as it takes: its files, itself, its events, its answer.
import { HotexecError } from '../errors.ts';
import type { Listening } from '../front/front.ts';
import type { AgentAnswer, AgentAsked, AgentMessage, AgentTarget } from '../protocol/agent.ts';
import { CutError, type Link } from './link.ts';
import type { Packed } from './pack.ts';
import { SentHooks } from './sent-hooks.ts';
import { Sending } from './sending.ts';

export interface Asking {
  readonly operationId: string;
  readonly target: AgentTarget;
  readonly asked: AgentAsked;
  readonly packed: Packed;
  /** The operation was asked for before: what came of it is wanted, and nothing is to be done. */
  readonly attaches: boolean;
  readonly listening: Listening;
}

export class Conversation implements Disposable {
  readonly operationId: string;
  readonly asked: AgentAsked;
  readonly #asking: Asking;
  /** The agent that the request went to, whether it arrived or not. */
  #askedOf: string | null = null;
  #askedMs = 0;
  /** The agent has said that it has not got the request. */
  #isNew = false;
  /** Of the events that have been passed on, the last. */
  #seen = 0;
  #progressMs = performance.now();
  readonly #hooks: SentHooks;

  constructor(asking: Asking) {
    this.operationId = asking.operationId;
    this.asked = asking.asked;
    this.#asking = asking;
    this.#hooks = new SentHooks(asking.operationId, asking.listening.runHook);
  }

  [Symbol.dispose](): void {
    this.#hooks[Symbol.dispose]();
  }

  /** From now on the agent may be at work. */
  get wasAsked(): boolean {
    return this.#askedOf !== null;
  }

  /** When something was last heard that brings it on. */
  get progressMs(): number {
    return this.#progressMs;
  }

  /** Of connections that nothing depends on yet. */
  get signalBefore(): AbortSignal {
    return this.wasAsked ? new AbortController().signal : this.#asking.listening.signal;
  }

  isLate(answerWithinMs: number): boolean {
    return this.wasAsked && performance.now() - this.#askedMs > answerWithinMs;
  }

  /** Until the answer. Throws CutError when the connection ends before, or a HotexecError. */
  async hold(link: Link, answerWithinMs: number): Promise<AgentAnswer> {
    const { signal, onEvent } = this.#asking.listening;
    const { channel } = link;
    const sending = new Sending(channel, this.operationId, { files: this.#asking.packed.files, onEvent });
    // A cancel before the request is the end of the connection; after it, the engine decides.
    const cancel = (): void => {
      if (this.wasAsked) void channel.send({ kind: 'cancel', operationId: this.operationId });
      else channel.close();
    };
    const late = setInterval(() => {
      if (this.isLate(answerWithinMs)) channel.close();
    }, 1000);
    signal.addEventListener('abort', cancel);
    try {
      // Not awaited, here and below: two ends that both send and do not read would wait for each other for ever.
      void this.#begin(link, sending);
      void this.#hooks.reached(channel);
      if (signal.aborted) cancel();
      for await (const message of link.messages()) {
        const answer = this.#hear(message, link, sending);
        if (answer !== null) return answer;
      }
    } catch (error) {
      throw sending.error ?? error;
    } finally {
      clearInterval(late);
      signal.removeEventListener('abort', cancel);
    }
    throw new CutError('the connection ended');
  }

  async #begin(link: Link, sending: Sending): Promise<void> {
    const { operationId } = this;
    // Somebody who asks again with the id of an operation that is done need not send its files again.
    if (this.wasAsked || this.#asking.attaches || !(this.#isNew || sending.isComplete))
      await link.channel.send({ kind: 'attach', operationId, after: this.#seen });
    else if (sending.isComplete) await this.#request(link);
    else await sending.offer();
  }

  #hear(message: AgentMessage, link: Link, sending: Sending): AgentAnswer | null {
    if ('operationId' in message && message.operationId !== this.operationId) return null;
    if (message.kind !== 'pong' || this.wasAsked) this.#progressMs = performance.now();
    switch (message.kind) {
      case 'want':
      case 'have':
      case 'got':
        sending.hear(message);
        if (sending.isComplete && !this.wasAsked) void this.#request(link);
        return null;
      case 'event':
        this.#wentTo(link);
        if (message.number <= this.#seen) return null;
        this.#seen = message.number;
        this.#asking.listening.onEvent(message.event);
        this.#hooks.on(message.event);
        return null;
      case 'answer':
        return message.answer;
      case 'unknown-operation':
        if (this.#asking.attaches) throw notKnown(this.#asking);
        this.#askAgain(link, sending);
        return null;
      case 'hello':
      case 'pong':
      case 'refused':
        return null;
    }
  }

  async #request({ channel, instance }: Link): Promise<void> {
    const { operationId, target, asked, packed } = this.#asking;
    this.#wentTo({ instance });
    await channel.send({ kind: 'request', operationId, target, asked, uploads: packed.uploads });
  }

  #wentTo({ instance }: Pick<Link, 'instance'>): void {
    if (this.#askedOf === null) this.#askedMs = performance.now();
    this.#askedOf ??= instance;
  }

  /** It did not arrive; unless it went to an agent that is no more, and has perhaps done it. */
  #askAgain(link: Link, sending: Sending): void {
    if (this.wasAsked && this.#askedOf !== link.instance && this.asked.kind === 'restart') throw agentGone();
    this.#askedOf = null;
    this.#isNew = true;
    void this.#begin(link, sending);
  }
}

function notKnown({ operationId, target: { name } }: Asking): HotexecError {
  return new HotexecError({
    code: 'outcome-unknown',
    message: `${name}: the agent in the pod does not know operation ${operationId}: it was not asked for here, the agent that was asked has ended since, or it was too long ago.`,
    hint: `hotexec inspect ${name} shows what runs; kubectl get events names the operations that have changed something.`,
    details: { operationId },
  });
}

function agentGone(): HotexecError {
  return new HotexecError({
    code: 'agent-unreachable',
    message: 'the agent that was asked has ended, and the one that answers now does not know of it',
    hint: null,
  });
}

// Hooks that the agent says are due and that its client runs: commands in the container. Each is run once, whatever connections there are, and
// its end is told on each of them: the agent takes the first.
import type { ClientMessage } from '../protocol/agent.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { DueHook, HookEnd, RunHook } from '../protocol/hook.ts';
import type { Channel } from './channel.ts';

export class SentHooks implements Disposable {
  readonly #operationId: string;
  readonly #run: RunHook | undefined;
  readonly #over = new AbortController();
  readonly #ends = new Map<number, HookEnd>();
  #channel: Channel<ClientMessage> | null = null;

  constructor(operationId: string, run: RunHook | undefined) {
    this.#operationId = operationId;
    this.#run = run;
  }

  /** The agent is reached again: it may not have heard. */
  async reached(channel: Channel<ClientMessage>): Promise<void> {
    this.#channel = channel;
    for (const [number, end] of this.#ends) await this.#tell(number, end);
  }

  on(event: HotexecEvent): void {
    if (event.kind === 'hook-due' && event.action === 'exec' && this.#run !== undefined)
      void this.#carryOut(this.#run, event);
  }

  /** The operation is over, or given up. */
  [Symbol.dispose](): void {
    this.#over.abort();
  }

  async #carryOut(run: RunHook, due: DueHook): Promise<void> {
    const end = await run(due, this.#over.signal);
    this.#ends.set(due.number, end);
    await this.#tell(due.number, end);
  }

  async #tell(number: number, end: HookEnd): Promise<void> {
    await this.#channel?.send({ kind: 'hook-ended', operationId: this.#operationId, number, end });
  }
}

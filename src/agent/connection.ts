// One client of the agent, from its hello to its end. What it asks for goes on without it.
import { HotexecError } from '../errors.ts';
import { agentProtocol, type AgentAnswer, type AgentMessage, type ClientMessage } from '../protocol/agent.ts';
import { FrameError } from '../protocol/frames.ts';
import type { ByteStream } from './byte-stream.ts';
import { Channel } from './channel.ts';
import type { EngineAhead } from '../front/engine-ahead.ts';
import { parseClientMessage } from './messages.ts';
import type { NumberedEvent, Operation, Operations, Prepare } from './operations.ts';
import type { Receiving } from './receiving.ts';
import type { Uploads } from './uploads.ts';

export interface AgentParts {
  readonly version: string;
  /** Of this run of the agent. */
  readonly instance: string;
  readonly operations: Operations;
  readonly uploads: Uploads;
  readonly ahead: EngineAhead;
  readonly prepare: (request: RequestMessage) => Prepare;
  /** A client has said something. */
  readonly onActivity: () => void;
  /** It finishes what it has begun, and begins nothing new. */
  readonly isEnding: () => boolean;
  /** What clients are being told. */
  readonly telling: Set<Promise<void>>;
}

export type RequestMessage = Extract<ClientMessage, { readonly kind: 'request' }>;

/** How much of a file is written between two words about it. */
const reportBytes = 128 * 1024;

/** Resolves when the client has gone; never rejects. */
export async function serveConnection(stream: ByteStream, agent: AgentParts): Promise<void> {
  const connection = new Connection(new Channel(stream), agent);
  try {
    await connection.serve();
    await connection.finish();
  } catch (error) {
    if (error instanceof FrameError) await connection.refuse(error);
    // Else the stream broke: the client has gone.
  }
  await connection.leave();
}

class Connection {
  readonly #channel: Channel<AgentMessage>;
  readonly #agent: AgentParts;
  readonly #told: Promise<void>[] = [];
  readonly #operations = new Set<Operation>();
  #greeted = false;
  #receiving: { readonly operationId: string; readonly file: Receiving; reportedBytes: number } | null = null;

  constructor(channel: Channel<AgentMessage>, agent: AgentParts) {
    this.#channel = channel;
    this.#agent = agent;
  }

  /** Throws FrameError when the client talks nonsense. */
  async serve(): Promise<void> {
    // Unasked: whoever has started the relay learns by it that the agent is there.
    const { version, instance } = this.#agent;
    void this.#channel.send({ kind: 'hello', protocol: agentProtocol, version, instance });
    try {
      for await (const frame of this.#channel.frames()) {
        this.#agent.onActivity();
        if (frame.kind === 'bytes') await this.#receive(frame.bytes);
        else await this.#hear(parseClientMessage(frame.text));
      }
    } finally {
      // It may still listen, but says nothing more.
      for (const operation of this.#operations) operation.left();
    }
  }

  async refuse({ message }: FrameError): Promise<void> {
    const error = {
      code: 'agent-skewed',
      message: `The agent was told what it does not know: ${message}.`,
      hint: null,
    } as const;
    await this.#channel.send({ kind: 'refused', error });
    await this.#channel.finish();
  }

  /** The client has said all that it wanted to, and may still listen. */
  async finish(): Promise<void> {
    await Promise.all(this.#told);
    await this.#channel.finish();
  }

  async leave(): Promise<void> {
    this.#agent.ahead[Symbol.dispose]();
    await this.#receiving?.file.leave();
    this.#channel.close();
  }

  async #hear(message: ClientMessage): Promise<void> {
    if (message.kind !== 'hello' && !this.#greeted) throw new FrameError('there was no hello');
    switch (message.kind) {
      case 'hello':
        if (message.protocol !== agentProtocol)
          throw new FrameError(`this is protocol ${agentProtocol}, not ${message.protocol}`);
        this.#greeted = true;
        if (!this.#agent.isEnding()) this.#agent.ahead.prepare();
        return;
      case 'ping':
        return this.#channel.send({ kind: 'pong' });
      case 'offer':
        return this.#offered(message);
      case 'file': {
        const { operationId } = message;
        const file = await this.#agent.uploads.receive(operationId, message);
        this.#receiving = { operationId, file, reportedBytes: message.offset };
        return;
      }
      case 'file-end':
        return this.#received();
      case 'request':
        return this.#attach(this.#operationOf(message), 0);
      case 'attach': {
        const { operationId, after } = message;
        const operation = this.#agent.operations.get(operationId);
        if (operation === undefined) return this.#channel.send({ kind: 'unknown-operation', operationId });
        return this.#attach(operation, after);
      }
      case 'hook-ended':
        return this.#agent.operations.get(message.operationId)?.hookEnded(message.number, message.end);
      case 'cancel':
        return this.#agent.operations.get(message.operationId)?.cancel();
    }
  }

  async #offered({ operationId, files }: Extract<ClientMessage, { readonly kind: 'offer' }>): Promise<void> {
    this.#agent.ahead[Symbol.dispose]();
    try {
      const answers = await this.#agent.uploads.offer(operationId, files);
      for (const [index, { digest }] of files.entries()) {
        const answer = answers[index] ?? { kind: 'have' };
        await this.#channel.send({ ...answer, operationId, digest });
      }
    } catch (error) {
      if (!(error instanceof HotexecError)) throw error;
      await this.#agent.uploads.remove(operationId);
      this.#attach(this.#agent.operations.refuse(operationId, error), 0);
    }
  }

  async #receive(bytes: Buffer): Promise<void> {
    const receiving = this.#receiving;
    if (receiving === null) throw new FrameError('bytes came that belong to no file');
    const { operationId, file } = receiving;
    await file.write(bytes);
    if (file.offset - receiving.reportedBytes < reportBytes) return;
    receiving.reportedBytes = file.offset;
    await this.#channel.send({ kind: 'got', operationId, digest: file.digest, offset: file.offset });
  }

  async #received(): Promise<void> {
    if (this.#receiving === null) throw new FrameError('a file ended that had not begun');
    const { operationId, file } = this.#receiving;
    this.#receiving = null;
    const answer = (await file.finish()) ? ({ kind: 'have' } as const) : ({ kind: 'want', offset: 0 } as const);
    await this.#channel.send({ ...answer, operationId, digest: file.digest });
  }

  #operationOf(message: RequestMessage): Operation {
    const { operations, isEnding, prepare } = this.#agent;
    const { operationId } = message;
    return isEnding() ? operations.refuse(operationId, ending()) : operations.start(operationId, prepare(message));
  }

  /** Not awaited: meanwhile the client may cancel, or ask for something else. */
  #attach(operation: Operation, after: number): void {
    if (!this.#operations.has(operation)) operation.joined();
    this.#operations.add(operation);
    const { telling } = this.#agent;
    const told = this.#tell(operation, after);
    this.#told.push(told);
    telling.add(told);
    void told.finally(() => telling.delete(told));
  }

  async #tell(operation: Operation, after: number): Promise<void> {
    const { id } = operation;
    for await (const told of operation.follow(after)) {
      if (!this.#channel.isOpen) return;
      await this.#channel.send(
        isEvent(told) ? { kind: 'event', operationId: id, ...told } : { kind: 'answer', operationId: id, answer: told },
      );
    }
  }
}

function ending(): HotexecError {
  return new HotexecError({
    code: 'agent-unreachable',
    message: 'The agent in the pod ends. Nothing was touched.',
    hint: 'run the command again',
  });
}

function isEvent(told: NumberedEvent | AgentAnswer): told is NumberedEvent {
  return 'number' in told;
}

// One connection of a client to the agent: it begins with a hello from both ends, and is cut when nothing is heard for a while.
import { HotexecError } from '../errors.ts';
import { agentProtocol, type AgentMessage, type ClientMessage } from '../protocol/agent.ts';
import { FrameError } from '../protocol/frames.ts';
import type { OpenByteStream } from './byte-stream.ts';
import { Channel } from './channel.ts';
import { parseAgentMessage } from './messages.ts';

export interface LinkOptions {
  /** Of the target, for messages. */
  readonly name: string;
  readonly open: OpenByteStream;
  /** Of this hotexec; the agent has to be of the same. */
  readonly version: string;
}

/** The connection is gone, or never was: another try may have more luck. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

const helloMs = 20_000;
const pingMs = 5000;
/** A way whose other end has gone may say nothing of it (seen: docker exec into a container that was killed). */
const silenceMs = 20_000;

export class Link implements Disposable {
  readonly channel: Channel<ClientMessage>;
  /** Of the agent at the other end. */
  readonly instance: string;
  readonly #messages: AsyncGenerator<AgentMessage, void, undefined>;
  readonly #pings: NodeJS.Timeout;
  #silence: NodeJS.Timeout | undefined;

  private constructor(
    channel: Channel<ClientMessage>,
    messages: AsyncGenerator<AgentMessage, void, undefined>,
    instance: string,
  ) {
    this.channel = channel;
    this.instance = instance;
    this.#messages = messages;
    this.#pings = setInterval(() => void channel.send({ kind: 'ping' }), pingMs);
    this.#heard();
  }

  /** Throws CutError, a HotexecError of `open`, or agent-skewed. */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    const channel = new Channel<ClientMessage>(await openStream(options, signal));
    const tooLate = setTimeout(() => channel.close(), helloMs);
    const close = (): void => channel.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await channel.send({ kind: 'hello', protocol: agentProtocol, version: options.version });
      const messages = messagesOf(channel, options);
      const first = await messages.next();
      if (first.done === true) throw new CutError('it ended before a hello');
      return new Link(channel, messages, instanceOf(first.value, options));
    } catch (error) {
      channel.close();
      throw error;
    } finally {
      clearTimeout(tooLate);
      signal.removeEventListener('abort', close);
    }
  }

  /** Throws CutError at its end. */
  async *messages(): AsyncGenerator<AgentMessage, never, undefined> {
    for await (const message of this.#messages) {
      this.#heard();
      yield message;
    }
    throw new CutError('the connection ended');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pings);
    clearTimeout(this.#silence);
    this.channel.close();
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.channel.close(), silenceMs);
  }
}

async function openStream({ open }: LinkOptions, signal: AbortSignal): ReturnType<OpenByteStream> {
  try {
    return await open(signal);
  } catch (error) {
    if (error instanceof HotexecError) throw error;
    throw new CutError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function* messagesOf(
  channel: Channel<ClientMessage>,
  { name }: LinkOptions,
): AsyncGenerator<AgentMessage, void, undefined> {
  try {
    for await (const frame of channel.frames()) {
      if (frame.kind !== 'message') throw new FrameError('bytes of a file came from the agent');
      const message = parseAgentMessage(frame.text);
      if (message.kind === 'refused') throw new HotexecError(message.error);
      yield message;
    }
  } catch (error) {
    if (error instanceof HotexecError) throw error;
    if (error instanceof FrameError) throw skewed(`${name}: ${error.message}.`, null, error);
    throw new CutError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function instanceOf(hello: AgentMessage, { name, version }: LinkOptions): string {
  if (hello.kind !== 'hello') throw skewed(`${name}: the agent says nothing of itself.`, null);
  if (hello.protocol === agentProtocol && hello.version === version) return hello.instance;
  const message = `${name}: the agent in the pod is hotexec ${hello.version}, and this is ${version}.`;
  throw skewed(message, hello.version);
}

function skewed(message: string, version: string | null, cause?: unknown): HotexecError {
  const data = {
    code: 'agent-skewed',
    message: `${message} Nothing was touched.`,
    hint: 'use the hotexec of the same version, or wait until that agent has ended',
    details: { version },
  } as const;
  return new HotexecError(data, { cause });
}

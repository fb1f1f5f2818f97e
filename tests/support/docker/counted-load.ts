// A client that counts what became of every request: bounded in number, in connections and in time, on this machine only.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The path of a Unix socket, or an address and port. */
export type Place = string | { readonly host: string; readonly port: number };

/** One question and its whole answer, over any protocol that answers each question once. */
export interface Exchange {
  /** Of now: a container that its runtime restarts may get another address. */
  readonly where: () => Place;
  /** `index` counts the requests, so that some may be others. */
  readonly question: (index: number, keepAlive: boolean) => string;
  /** The bytes are a whole answer. It throws for what is none. */
  readonly isWhole: (bytes: Buffer) => boolean;
}

export interface LoadOptions {
  /** So many at most. */
  readonly requests: number;
  readonly connections: number;
  readonly keepAlive: boolean;
}

/** What became of the requests. */
export interface Tally {
  answered: number;
  /** ECONNREFUSED; ENOENT at a Unix path. */
  refused: number;
  /** A connection of its own was reset, or closed, before a byte of the answer. */
  reset: number;
  /** A connection that had been used before was closed instead of being answered: every HTTP client knows this and asks again. */
  notReused: number;
  /** It broke off within the answer. */
  cut: number;
  /** Nothing came for 20 s, or no connection. */
  silent: number;
  /** A whole answer, but a wrong one. */
  wrong: number;
  slowestMs: number;
}

type Fate = Exclude<keyof Tally, 'slowestMs'>;

const answerTimeoutMs = 20_000;
// A client that was let down asks again a moment later.
const afterFailureMs = 10;

export interface CountedLoad extends AsyncDisposable {
  readonly tally: Tally;
}

export function startCountedLoad(exchange: Exchange, options: LoadOptions): CountedLoad {
  const tally: Tally = {
    answered: 0,
    refused: 0,
    reset: 0,
    notReused: 0,
    cut: 0,
    silent: 0,
    wrong: 0,
    slowestMs: 0,
  };
  const stop = new AbortController();
  let index = 0;
  const askOn = async (): Promise<void> => {
    let line: Line | null = null;
    while (!stop.signal.aborted && index < options.requests) {
      const startedMs = performance.now();
      line ??= new Line(exchange.where());
      const fate = await line.ask(exchange, exchange.question(index++, options.keepAlive));
      tally[fate] += 1;
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedMs);
      if (fate === 'answered' && options.keepAlive && line.isOpen) continue;
      line.close();
      line = null;
      if (fate !== 'answered' && fate !== 'notReused') await delay(afterFailureMs);
    }
    line?.close();
  };
  const done = Promise.all(Array.from({ length: options.connections }, askOn));
  return {
    tally,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/** One connection. */
export class Line {
  readonly #socket: Socket;
  #answered = 0;
  #bytes = Buffer.alloc(0);
  #look: (event: Event) => void = () => {};

  constructor(where: Place) {
    this.#socket = typeof where === 'string' ? connect(where) : connect(where.port, where.host);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#look({ kind: 'bytes' });
    });
    this.#socket.on('error', ({ code }: NodeJS.ErrnoException) => this.#look({ kind: 'error', code: code ?? '' }));
    this.#socket.on('close', () => this.#look({ kind: 'closed' }));
    this.#socket.setTimeout(answerTimeoutMs, () => this.#look({ kind: 'silent' }));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open';
  }

  /** What came last. */
  get text(): string {
    return this.#bytes.toString();
  }

  async ask({ isWhole }: Exchange, question: string): Promise<Fate> {
    const { promise, resolve } = Promise.withResolvers<Fate>();
    this.#bytes = Buffer.alloc(0);
    this.#look = (event) => {
      const fate = this.#fateOf(event, isWhole);
      if (fate !== null) resolve(fate);
    };
    if (this.#socket.destroyed) return 'notReused';
    this.#socket.write(question);
    const fate = await promise;
    if (fate === 'answered') this.#answered += 1;
    return fate;
  }

  #fateOf(event: Event, isWhole: Exchange['isWhole']): Fate | null {
    switch (event.kind) {
      case 'bytes':
        return whole(this.#bytes, isWhole);
      case 'silent':
        return 'silent';
      case 'error':
        if (event.code === 'ECONNREFUSED' || event.code === 'ENOENT') return 'refused';
        if (!connectionBroke.has(event.code)) return 'silent';
        return this.#broken();
      case 'closed':
        return this.#broken();
    }
  }

  #broken(): Fate {
    if (this.#bytes.length > 0) return 'cut';
    return this.#answered > 0 ? 'notReused' : 'reset';
  }

  /** Over TCP by a reset: so many short connections would use up the ports of this machine. */
  close(): void {
    if (this.#socket.remotePort === undefined) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}

type Event = { readonly kind: 'bytes' | 'silent' | 'closed' } | { readonly kind: 'error'; readonly code: string };

const connectionBroke: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

function whole(bytes: Buffer, isWhole: Exchange['isWhole']): Fate | null {
  try {
    return isWhole(bytes) ? 'answered' : null;
  } catch {
    return 'wrong';
  }
}

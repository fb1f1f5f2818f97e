// The other half, seen from here: a child process that is asked one thing and answers in JSON lines.
// A death without an answer is a reply like any other; what to do about it is decided in restart.ts.
import type { ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { EngineAnswer, HotexecEvent } from '../protocol/event.ts';
import type { EngineControl, EngineRequest } from '../protocol/request.ts';
import type { parseEngineLine as parseLine } from './engine-line.ts';
import { linesOf } from './lines.ts';

export interface EngineDeath {
  readonly kind: 'died';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to standard error. */
  readonly stderr: string;
}

export interface Asking {
  readonly onEvent?: ((event: HotexecEvent) => void) | undefined;
  /** Asks the engine to stop; it decides whether it still can, and answers in any case. */
  readonly signal?: AbortSignal | undefined;
  /** An engine that has not answered by then is killed: no wait is without an end. */
  readonly answerWithinMs: number;
}

type EngineProcess = ChildProcessByStdio<Writable, Readable, Readable>;

type ParseLine = typeof parseLine;

// A child of the engine may hold its output open for a moment longer.
const drainMs = 200;

export class Engine implements Disposable {
  readonly #process: EngineProcess;
  readonly #ended: Promise<EngineDeath>;
  /** Its answer is being read, or nobody will. */
  readonly #read = Promise.withResolvers<void>();

  constructor(process: EngineProcess) {
    this.#process = process;
    this.#ended = endOf(process, this.#read.promise);
    process.stdin.on('error', ignore); // EPIPE: it has died, which its end tells
    process.stdout.on('error', ignore);
    // At the end of a child Node throws away what nobody reads (flushStdio, lib/internal/child_process.js).
    process.stdout.on('readable', ignore);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends the one request of this engine's life. */
  async ask(request: EngineRequest, { onEvent, signal, answerWithinMs }: Asking): Promise<EngineAnswer | EngineDeath> {
    const cancel = (): void => this.#send({ kind: 'cancel' });
    const giveUp = setTimeout(() => this.#process.kill('SIGKILL'), answerWithinMs);
    this.#send(request);
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      // Here and not above: what is needed to read the answer is loaded while the engine works.
      const { parseEngineLine } = await import('./engine-line.ts');
      this.#read.resolve();
      const answer = await this.#readAnswer(parseEngineLine, onEvent);
      // An orphan would become a child of the target, which never waits for it.
      if (request.target.pid === 1) await this.#ended;
      return answer ?? (await this.#ended);
    } finally {
      clearTimeout(giveUp);
      signal?.removeEventListener('abort', cancel);
      this[Symbol.dispose]();
    }
  }

  /** A word to an engine that has been asked. */
  control(line: EngineControl): void {
    this.#send(line);
  }

  /** The end of its input: one that was asked nothing exits. One that works goes on. */
  [Symbol.dispose](): void {
    this.#process.stdin.end();
    this.#read.resolve();
  }

  /** One that has changed nothing. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send(line: EngineRequest | EngineControl): void {
    if (this.#process.stdin.writable) this.#process.stdin.write(`${JSON.stringify(line)}\n`);
  }

  async #readAnswer(parse: ParseLine, onEvent: Asking['onEvent']): Promise<EngineAnswer | undefined> {
    try {
      for await (const text of linesOf(this.#process.stdout)) {
        const line = parse(text);
        if (line.kind === 'answer') return line.answer;
        onEvent?.(line.event);
      }
    } catch (error) {
      // Its output was closed behind its death (endOf): the end tells more than the broken stream.
      if (!isPrematureClose(error)) throw error;
    }
    return undefined;
  }
}

/** `read`: what it wrote may have waited until then, however long ago it has ended. */
async function endOf(process: EngineProcess, read: Promise<void>): Promise<EngineDeath> {
  let stderr = '';
  process.stderr.setEncoding('utf8');
  process.stderr.on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-16_384);
  });
  const { promise, resolve } = Promise.withResolvers<Omit<EngineDeath, 'stderr'>>();
  process.once('error', (error) => {
    stderr += error.message;
    resolve({ kind: 'died', exitCode: null, signal: null });
  });
  process.once('exit', (exitCode, signal) => resolve({ kind: 'died', exitCode, signal }));
  const end = await promise;
  await read;
  await drained(process);
  return { ...end, stderr: stderr.trim() };
}

async function drained({ stdout, stderr }: EngineProcess): Promise<void> {
  const all = Promise.all([ended(stdout), ended(stderr)]).then(() => 'ended' as const);
  let readBytes: number;
  do {
    readBytes = bytesReadOf(stdout);
    if ((await Promise.race([all, pause()])) === 'ended') return;
  } while (bytesReadOf(stdout) !== readBytes);
  stdout.destroy();
  stderr.destroy();
}

/** Timers go before input: a caller that blocked its event loop for longer finds the answer only after the second wait. */
async function pause(): Promise<'paused'> {
  await delay(drainMs, undefined, { ref: false });
  await nextTurn();
  return 'paused';
}

function bytesReadOf(stream: Readable): number {
  return stream instanceof Socket ? stream.bytesRead : 0;
}

async function ended(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('close', resolve);
  await promise;
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function ignore(): void {}

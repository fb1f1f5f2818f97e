// An exec in a container, over a WebSocket to the API server: its standard input and output as two streams. The status that the server sends at the end
// tells an exec that ended from a connection that was cut.
import type { IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import { parseJson } from '../parse-json.ts';
import { apiError, apiPath } from './api.ts';
import type { Cluster } from './kubeconfig.ts';

export interface ExecStream {
  /** Ends with the command; fails where that failed, or the connection was cut. */
  readonly readable: Readable;
  readonly writable: Writable;
  /** Ends the connection at once. */
  readonly close: () => void;
}

export interface ExecPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Stands in the audit log of the cluster: nothing secret. */
  readonly command: readonly string[];
  /** False: it has no standard input; true without it. */
  readonly withInput?: boolean;
}

export interface ExecListening {
  readonly signal: AbortSignal;
  /** What the reader gets where the server says that it failed, for instance since the container does not run. */
  readonly failure?: (message: string, exitCode: number | null) => Error;
}

/** The command has failed, or could not be begun, as the server says. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  /** Null: it did not exit. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Rejects with ApiError where the server refuses, with a plain Error where the network does. */
export async function openExec(
  cluster: Cluster,
  place: ExecPlace,
  { signal, failure = (message, exitCode) => new ExecError(message, exitCode) }: ExecListening,
): Promise<ExecStream> {
  const [{ WebSocket: Socket }, credentials] = await Promise.all([import('./libraries.ts'), cluster.credentials()]);
  const path = apiPath(['api', 'v1', 'namespaces', place.namespace, 'pods', place.pod, 'exec'], {
    container: place.container,
    command: place.command,
    stdin: String(place.withInput ?? true),
    stdout: 'true',
    stderr: 'true',
  });
  const url = `${cluster.server.replace(/^http/, 'ws')}${path}`;
  const socket = new Socket(url, [...protocols], {
    ...credentials.tls,
    headers: { ...credentials.headers, 'user-agent': 'hotexec' },
    handshakeTimeout: 30_000,
    perMessageDeflate: false,
  });
  await opened(socket, signal);
  return streamOn(socket, failure);
}

// The second is what servers before 1.30 know; the difference is how an end of the input is told.
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

async function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  socket.once('open', resolve);
  socket.once('error', reject);
  socket.once('unexpected-response', (_request, response: IncomingMessage) => {
    const refused = async (): Promise<never> => {
      const body = await text(response);
      throw apiError(response.statusCode ?? 0, parseJson(body));
    };
    refused().catch((error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
      socket.terminate();
    });
  });
  if (signal.aborted) abort();
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    // What comes later is told by the streams; without a listener it would end the process.
    socket.on('error', () => {});
  }
}

const channel = { input: 0, output: 1, errors: 2, status: 3, close: 255 } as const;

const largestErrors = 4096;

function streamOn(socket: WebSocket, failure: NonNullable<ExecListening['failure']>): ExecStream {
  let errors = '';
  let isOver = false;
  const readable = new Readable({
    read: () => socket.resume(),
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  // Whoever reads it learns of a failure; whoever has left need not.
  readable.on('error', () => {});
  const told = (why: string): string => (errors === '' ? why : `${why}: ${errors.trim()}`);

  socket.on('message', (data: Buffer) => {
    const content = data.subarray(1);
    if (data[0] === channel.output) {
      if (!readable.push(content)) socket.pause();
    } else if (data[0] === channel.errors) {
      errors = `${errors}${content.toString('utf8')}`.slice(-largestErrors);
    } else if (data[0] === channel.status) {
      const failed = failureIn(content);
      isOver = true;
      if (failed === null) readable.push(null);
      else readable.destroy(failure(told(failed.message), failed.exitCode));
    }
  });
  socket.on('close', () => {
    if (!isOver) readable.destroy(new Error(told('the connection was cut')));
  });
  return { readable, writable: inputOf(socket), close: () => socket.terminate() };
}

// As kubectl sends it; a server may take no more in one message.
const pieceBytes = 32 * 1024;

function inputOf(socket: WebSocket): Writable {
  return new Writable({
    highWaterMark: 16 * pieceBytes,
    write: (chunk: Buffer, _encoding, done) => {
      const pieces = Math.ceil(chunk.length / pieceBytes);
      for (let piece = 0; piece < pieces; piece += 1) {
        const content = chunk.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
        const isLast = piece === pieces - 1;
        socket.send(Buffer.concat([Buffer.of(channel.input), content]), (error) => {
          if (isLast) done(error ?? null);
        });
      }
      if (pieces === 0) done();
    },
    final: (done) => {
      if (socket.protocol === protocols[0])
        socket.send(Buffer.of(channel.close, channel.input), (error) => done(error ?? null));
      else done();
    },
  });
}

const maybeText = v.nullish(v.string(), '');

const execStatus = v.object({
  status: v.string(),
  message: maybeText,
  details: v.nullish(v.object({ causes: v.nullish(v.array(v.object({ reason: maybeText, message: maybeText })), []) })),
});

/** Null: the command exited 0. */
function failureIn(content: Buffer): { readonly message: string; readonly exitCode: number | null } | null {
  const parsed = v.safeParse(execStatus, parseJson(content.toString('utf8')));
  if (!parsed.success) return { message: 'the server ended it without a reason', exitCode: null };
  const { status, message, details } = parsed.output;
  if (status === 'Success') return null;
  // As client-go reads it (tools/remotecommand/v4.go).
  const code = details?.causes.find(({ reason }) => reason === 'ExitCode')?.message ?? '';
  return { message, exitCode: /^\d{1,3}$/.test(code) ? Number(code) : null };
}

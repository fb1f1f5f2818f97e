// All that the doctor touches of the outside, as one object: it reads, it connects to sockets, and it changes nothing.
// Paths are absolute; `root` is put in front of them, so that a test can bring a tree of its own.
import { accessSync, closeSync, constants, openSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { connect } from 'node:net';

export type Answer<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'failed'; readonly errno: string };

interface DirectoryFacts {
  readonly isDirectory: boolean;
  readonly uid: number;
  readonly mode: number;
}

/** What the engine half found by really trying on a child of its own; each: null when it worked, else the errno. */
export interface SelfTest {
  readonly ptrace: string | null;
  readonly processVmWritev: string | null;
}

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As `uname -m` says: x86_64. */
  readonly architecture: string;
  readonly readText: (path: string) => Answer<string>;
  readonly readHead: (path: string, sizeBytes: number) => Answer<Buffer>;
  readonly readLink: (path: string) => Answer<string>;
  readonly stat: (path: string) => Answer<DirectoryFacts>;
  readonly mayWrite: (path: string) => Answer<null>;
  readonly mayOpen: (path: string) => Answer<null>;
  readonly connect: (path: string) => Promise<Answer<null>>;
  /** What speaks CRI on a socket: `containerd 1.6.20`; null: nothing does. Missing: it is not asked. */
  readonly criVersion?: ((path: string) => Promise<string | null>) | undefined;
  /** Null: there is none in this build, and what it would tell is unknown. */
  readonly selfTest: (() => Promise<SelfTest>) | null;
}

export interface MachineOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly architecture: string;
  /** In front of every path; empty for the real machine. */
  readonly root: string;
  readonly selfTest: Machine['selfTest'];
  readonly criVersion?: Machine['criVersion'];
}

const connectTimeoutMs = 1_000;

export function machineAt({ root, ...options }: MachineOptions): Machine {
  const at = (path: string): string => `${root}${path}`;
  return {
    ...options,
    readText: (path) => attempt(() => readFileSync(at(path), 'utf8')),
    readHead: (path, sizeBytes) => attempt(() => readHead(at(path), sizeBytes)),
    readLink: (path) => attempt(() => readlinkSync(at(path))),
    stat: (path) => attempt(() => directoryFacts(at(path))),
    mayWrite: (path) => attempt(() => (accessSync(at(path), constants.W_OK | constants.X_OK), null)),
    mayOpen: (path) => attempt(() => (closeSync(openSync(at(path), constants.O_RDONLY)), null)),
    connect: (path) => tryConnect(at(path)),
  };
}

/** The value, or null for any failure. */
export function valueOf<Value>(answer: Answer<Value>): Value | null {
  return answer.kind === 'ok' ? answer.value : null;
}

function readHead(path: string, sizeBytes: number): Buffer {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, sizeBytes, 0));
  } finally {
    closeSync(fd);
  }
}

function directoryFacts(path: string): DirectoryFacts {
  const facts = statSync(path);
  return { isDirectory: facts.isDirectory(), uid: facts.uid, mode: facts.mode & 0o7777 };
}

function attempt<Value>(look: () => Value): Answer<Value> {
  try {
    return { kind: 'ok', value: look() };
  } catch (error) {
    return { kind: 'failed', errno: errnoOf(error) };
  }
}

function tryConnect(path: string): Promise<Answer<null>> {
  const { promise, resolve } = Promise.withResolvers<Answer<null>>();
  const socket = connect({ path });
  const end = (answer: Answer<null>): void => {
    socket.destroy();
    resolve(answer);
  };
  socket.setTimeout(connectTimeoutMs, () => end({ kind: 'failed', errno: 'ETIMEDOUT' }));
  socket.on('connect', () => end({ kind: 'ok', value: null }));
  socket.on('error', (error) => end({ kind: 'failed', errno: errnoOf(error) }));
  return promise;
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
}

// The demo's server and the place it runs in, with a lifetime: whatever happens, nothing stays behind.
// Ways out: dispose kills the server by its pid (and so its namespaces); a demo that is SIGKILLed closes the
// server's standard input, at which the server ends by itself (server-program.ts).
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HotexecError } from '../errors.ts';
import { readText } from '../procfs/read.ts';
import { findIsolation, type Isolation } from './isolation.ts';
import { namespaceInitOf, startTicksIfAlive } from './process-facts.ts';
import { ask, type ServerAnswer } from './ask.ts';
import { until } from './wait.ts';

export interface Sandbox extends AsyncDisposable {
  readonly isolation: Isolation;
  /** As this process sees it. */
  readonly pid: number;
  readonly port: number;
  /** What the server has written since it began, over all its restarts. */
  readonly log: () => string;
  readonly firstAnswer: ServerAnswer;
}

/** What the sandbox needs of the process it runs in. */
export interface Host {
  /** Of the Node that runs hotexec. */
  readonly execPath: string;
  readonly uid: number;
  /** As process.kill: throws when the process is gone. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => unknown;
}

/** What runs first: its own version is all that the program knows of releases. */
const firstVersion = '1.0';

type Launched = ChildProcessByStdio<Writable, Readable, Readable>;

const startTimeoutMs = 8_000;
const graceMs = 2_000;

export async function startSandbox(program: string, host: Host, signal: AbortSignal): Promise<Sandbox> {
  const isolation = await findIsolation({ uid: host.uid, yamaScope: readYamaScope() }, signal);
  const port = await freePort();
  await using undo = new AsyncDisposableStack();

  const launched = launch([...isolation.launcher, host.execPath, '-e', program], port);
  undo.defer(() => ended(launched));
  const log = collect(launched);

  const wait = { timeoutMs: startTimeoutMs, everyMs: 5, signal };
  const pid = await until(() => serverPid(launched, isolation, log), { ...wait, what: 'the server did not start' });
  const startTicks = startTicksIfAlive(pid);
  undo.defer(() => {
    // The start time tells whether the pid is still the server's.
    if (startTicks !== 'gone' && startTicksIfAlive(pid) === startTicks) host.kill(pid, 'SIGKILL');
  });

  const firstAnswer = await until(
    async () => {
      throwIfEnded(launched, log);
      return (await ask({ port, workMs: 0 })).answer;
    },
    { ...wait, what: 'the server did not answer' },
  );

  const lifetime = undo.move();
  return { isolation, pid, port, log, firstAnswer, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

/** Null: a kernel without Yama. */
function readYamaScope(): number | null {
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope');
  return scope.kind === 'read' ? Number(scope.content) : null;
}

/** A port that is free now. It is given back before the server takes it; a thief in between makes the start fail. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}

/** In a session of its own: a Ctrl-C at the terminal is for the demo, which then cleans up. */
function launch(command: readonly string[], port: number): Launched {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('no command');
  return spawn(file, args, {
    detached: true,
    cwd: '/',
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      DEMO_PORT: String(port),
      DEMO_VERSION: firstVersion,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function collect(launched: Launched): () => string {
  const chunks: string[] = [];
  for (const stream of [launched.stdout, launched.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    stream.on('error', () => {}); // the end of the pipe is told by the exit
  }
  launched.stdin.on('error', () => {}); // as above
  launched.on('error', (error) => chunks.push(`${error.message}\n`));
  return () => chunks.join('');
}

/** Of unshare's children the one that is pid 1 inside; without namespaces the launched process is the server. */
function serverPid(launched: Launched, isolation: Isolation, log: () => string): number | null {
  throwIfEnded(launched, log);
  if (launched.pid === undefined) return null;
  if (isolation.kind === 'none') return launched.pid;
  return namespaceInitOf(launched.pid);
}

function throwIfEnded(launched: Launched, log: () => string): void {
  if (launched.exitCode === null && launched.signalCode === null && launched.pid !== undefined) return;
  throw new HotexecError({
    code: 'not-permitted',
    message: `the demo's server ended at its start: ${log().trim() || 'it said nothing'}`,
    hint: '`hotexec doctor` tells what this machine allows',
  });
}

/** Waits until the launcher is reaped: it ends when the server does, and the server when its standard input does. */
async function ended(launched: Launched): Promise<void> {
  launched.stdin.destroy();
  if (!(await exited(launched, graceMs))) {
    launched.kill('SIGKILL'); // takes the server along, by --kill-child
    await exited(launched, graceMs);
  }
  launched.stdout.destroy();
  launched.stderr.destroy();
}

async function exited(launched: Launched, withinMs: number): Promise<boolean> {
  if (launched.pid === undefined || launched.exitCode !== null || launched.signalCode !== null) return true;
  return once(launched, 'exit', { signal: AbortSignal.timeout(withinMs) }).then(
    () => true,
    () => false,
  );
}

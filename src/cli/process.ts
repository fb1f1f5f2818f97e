// The real process around a command line: streams, signals, the exit code.
import { text } from 'node:stream/consumers';
import type { CliContext, Output } from './context.ts';
import { wantsColours } from './render/style.ts';

export interface Called extends Pick<CliContext, 'argv' | 'program' | 'startEngine'> {
  /** `complete`: say what could be typed next. */
  readonly task: 'run' | 'complete';
}

export async function runProcess({ argv, program, task, startEngine }: Called): Promise<void> {
  const { env, execPath } = process;
  let operationId: string | null = null;
  const carryOut = task === 'run' ? (await import('./run.ts')).run : (await import('./complete.ts')).complete;
  const exitCode = await carryOut({
    argv,
    program,
    cwd: process.cwd(),
    env,
    stdout: outputOn(process.stdout),
    stderr: outputOn(process.stderr),
    readStdin: () => text(process.stdin),
    signal: abortedBySignals(() => operationId),
    onBegin: (id) => (operationId = id),
    startEngine,
    proc: '/proc',
    host: {
      architecture: machineName[process.arch] ?? process.arch,
      execPath,
      uid: process.getuid?.() ?? -1,
      kill: (pid, signal) => process.kill(pid, signal),
    },
  });
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Not by itself: an engine that has answered may still have something to tidy up, and needs no one to wait for it.
  process.exit(exitCode);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.write('', () => resolve());
  await promise;
}

const machineName: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };

function outputOn(stream: NodeJS.WriteStream): Output {
  // EPIPE (`| head`) and EIO (a terminal that hung up): who does not listen misses words, and nothing else changes.
  stream.on('error', () => {});
  const isTerminal = stream.isTTY;
  const output = {
    write: (words: string) => void stream.write(words),
    isTerminal,
    colours: wantsColours(isTerminal, process.env),
  };
  return isTerminal && process.env['TERM'] !== 'dumb' ? { ...output, terminal: stream } : output;
}

const patience = 3;

/** The first cancels, and the engine decides whether it still can. Whoever insists may leave; the engine finishes alone. */
function abortedBySignals(begun: () => string | null): AbortSignal {
  const controller = new AbortController();
  let received = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    received += 1;
    controller.abort(new Error(`received ${signal}`));
    if (received < patience) return;
    const id = begun();
    const which = id === null ? '' : ` (operation ${id})`;
    process.stderr.write(`hotexec leaves; its engine finishes or undoes what it has begun by itself${which}\n`);
    process.exit(unknownOutcome);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}

const unknownOutcome = 6;

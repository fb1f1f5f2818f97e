// hotexec demo: starts a server and restarts it in place three times under load: at once, so that nobody notices, and with a version that
// cannot start. Everything is real: the process, the clients, the restarts, which are the library's as anybody would call them.
import { paintFor } from '../doctor/paint.ts';
import { HotexecError } from '../errors.ts';
import type { Timeline } from '../front/timeline.ts';
import { compare, isRight } from './compare.ts';
import {
  renderLog,
  renderPicture,
  renderStarted,
  renderTable,
  renderTitle,
  renderTrial,
  renderVerdict,
} from './render.ts';
import { factsOf, runTrial, type Restart, type Run, type Trial } from './run.ts';
import { startSandbox, type Host } from './sandbox.ts';
import { brokenVersion, serverProgram } from './server-program.ts';

export interface DemoContext {
  readonly stdout: { readonly write: (text: string) => unknown };
  readonly colours: boolean;
  /** Aborted at Ctrl-C. */
  readonly signal: AbortSignal;
  readonly host: Host;
  /** Where the picture goes; null: none is wanted. */
  readonly picture: Picture | null;
}

export interface Picture {
  /** As it is told. */
  readonly path: string;
  readonly write: (timelines: readonly Timeline[]) => Promise<void>;
}

/** With the cleaning up after it no more than 20 s. Each wait inside has a shorter end of its own. */
const totalTimeoutMs = 17_000;

const trials: readonly Trial[] = [
  {
    name: 'at once',
    flags: '--no-drain --no-handover',
    options: { drain: false, handover: false },
    outcome: 'restarted',
    losesNothing: false,
  },
  {
    name: 'graceful',
    flags: '--env DEMO_VERSION=1.1',
    options: { env: { DEMO_VERSION: '1.1' } },
    outcome: 'restarted',
    losesNothing: true,
  },
  {
    name: 'bad version',
    flags: `--env DEMO_VERSION=${brokenVersion}`,
    options: { env: { DEMO_VERSION: brokenVersion } },
    outcome: 'rolled-back',
    losesNothing: true,
  },
];

export async function runDemo(context: DemoContext, restart: Restart | null = null): Promise<number> {
  const deadline = AbortSignal.timeout(totalTimeoutMs);
  const signal = AbortSignal.any([context.signal, deadline]);
  try {
    return await demonstrate({ ...context, signal }, restart ?? (await loadRestart()));
  } catch (error) {
    throw explain(error, { interrupted: context.signal.aborted, late: deadline.aborted });
  }
}

async function demonstrate(context: DemoContext, restart: Restart): Promise<number> {
  const { stdout, signal, picture } = context;
  const paint = paintFor(context);
  stdout.write(renderTitle(paint));

  await using sandbox = await startSandbox(serverProgram, context.host, signal);
  stdout.write(renderStarted(sandbox.isolation.kind, sandbox.pid));

  const before = { facts: factsOf(sandbox), answer: sandbox.firstAnswer };
  const runs: Run[] = [];
  for (const trial of trials) {
    const run = await runTrial(trial, { sandbox, restart, signal });
    stdout.write(renderTrial(run, paint));
    runs.push(run);
  }

  const rows = compare(before, runs);
  stdout.write(renderTable(rows, runs, paint) + renderLog(sandbox.log(), paint));
  if (picture !== null) {
    await picture.write(runs.map(({ timeline }) => timeline));
    stdout.write(renderPicture(picture.path, paint));
  }
  stdout.write(renderVerdict(rows, paint));
  return isRight(rows) ? 0 : 1;
}

/** By now the sandbox is gone, whatever happened. */
function explain(error: unknown, { interrupted, late }: { interrupted: boolean; late: boolean }): unknown {
  const left = 'The server has been stopped; nothing is left behind.';
  if (interrupted) {
    return new HotexecError(
      { code: 'cancelled', message: `the demo was interrupted. ${left}`, hint: null },
      { cause: error },
    );
  }
  if (late && !(error instanceof HotexecError)) {
    const message = `the demo took longer than ${totalTimeoutMs / 1000} s. ${left}`;
    return new HotexecError({ code: 'timeout', message, hint: null }, { cause: error });
  }
  return error;
}

/** Before there are clients: they live in this process too, and would be held up by it. */
async function loadRestart(): Promise<Restart> {
  const { restart } = await import('../index.ts');
  return restart;
}

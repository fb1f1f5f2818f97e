// hotexec demo: starts a server, restarts it in place, and proves by comparison that it was a restart in place.
// Everything is real: the process, the requests, the restart, which is the library's as anybody would call it.
import { setTimeout as sleep } from 'node:timers/promises';
import { paintFor } from '../doctor/paint.ts';
import { HotexecError } from '../errors.ts';
import type { RestartResult } from '../protocol/result.ts';
import { compare, isRight, type Look } from './compare.ts';
import { readProcessFacts, type ProcessFacts } from './process-facts.ts';
import {
  renderAfter,
  renderBefore,
  renderLog,
  renderRestarted,
  renderStarted,
  renderTable,
  renderTitle,
  renderVerdict,
} from './render.ts';
import { startSandbox, type Host, type Sandbox } from './sandbox.ts';
import { serverProgram } from './server-program.ts';
import { send, type ServerAnswer, type Tally } from './traffic.ts';

export interface DemoContext {
  readonly stdout: { readonly write: (text: string) => unknown };
  readonly colours: boolean;
  /** Aborted at Ctrl-C. */
  readonly signal: AbortSignal;
  readonly host: Host;
}

export type Restart = (target: string, options: { readonly signal: AbortSignal }) => Promise<RestartResult>;

/** With the cleaning up after it no more than 20 s. Each wait inside has a shorter end of its own. */
const totalTimeoutMs = 15_000;

export async function runDemo(context: DemoContext, restart: Restart = libraryRestart): Promise<number> {
  const deadline = AbortSignal.timeout(totalTimeoutMs);
  const signal = AbortSignal.any([context.signal, deadline]);
  try {
    return await demonstrate({ ...context, signal }, restart);
  } catch (error) {
    throw explain(error, { interrupted: context.signal.aborted, late: deadline.aborted });
  }
}

async function demonstrate(context: DemoContext, restart: Restart): Promise<number> {
  const { stdout, signal } = context;
  const paint = paintFor(context);
  stdout.write(renderTitle(paint));

  await using sandbox = await startSandbox(serverProgram, context.host, signal);
  stdout.write(renderStarted(sandbox.isolation.kind, sandbox.pid, paint));

  const before = await lookBefore(sandbox, signal);
  stdout.write(renderBefore(before.tally, paint));

  const restarted = await restartUnderRequests(sandbox, { restart, signal, before });
  stdout.write(renderRestarted(restarted, paint));

  const after = await lookAfter(sandbox, restarted.firstAnswer, signal);
  stdout.write(renderAfter(after.tally, paint));

  const rows = compare(before, after);
  stdout.write(renderTable(rows, paint) + renderLog(sandbox.log(), paint) + renderVerdict(rows, paint));
  return isRight(rows) ? 0 : 1;
}

/** Spread over a second, so that the uptime before and the uptime after can be told apart at a glance. */
async function lookBefore(sandbox: Sandbox, signal: AbortSignal): Promise<Look> {
  const tally = await send({ port: sandbox.port, everyMs: 50, limit: 20, signal });
  return { facts: factsOf(sandbox), answer: tally.last ?? sandbox.firstAnswer, tally };
}

async function lookAfter(sandbox: Sandbox, firstAnswer: ServerAnswer, signal: AbortSignal): Promise<Look> {
  const facts = factsOf(sandbox);
  const tally = await send({ port: sandbox.port, everyMs: 5, limit: 20, signal });
  return { facts, answer: firstAnswer, tally };
}

interface Restarted {
  readonly pid: number;
  readonly holdMs: number;
  readonly backAfterMs: number;
  readonly meanwhile: Tally;
  readonly firstAnswer: ServerAnswer;
}

interface Restarting {
  readonly restart: Restart;
  readonly signal: AbortSignal;
  readonly before: Look;
}

/** Requests go on while the restart happens, until an instance answers that was not there before. */
async function restartUnderRequests(sandbox: Sandbox, { restart, signal, before }: Restarting): Promise<Restarted> {
  const stop = new AbortController();
  const beganMs = performance.now();
  const isNew = ({ instance }: ServerAnswer): boolean => instance !== before.answer.instance;
  const requests = send(
    { port: sandbox.port, everyMs: 2, limit: 2_000, signal: AbortSignal.any([signal, stop.signal]) },
    isNew,
  );
  const back = requests.then((tally) => ({ tally, afterMs: performance.now() - beganMs }));
  back.catch(() => {}); // awaited below, unless the restart fails first

  try {
    const result = await restart(`pid/${sandbox.pid}`, { signal });
    if (result.outcome !== 'restarted') throw notRestarted(result);
    const { tally, afterMs } = await Promise.race([back, tooLate(stop.signal)]);
    if (tally.last === null || !isNew(tally.last)) throw silent();
    return {
      pid: sandbox.pid,
      holdMs: result.timingsMs.hold,
      backAfterMs: afterMs,
      meanwhile: tally,
      firstAnswer: tally.last,
    };
  } finally {
    stop.abort();
  }
}

const answerTimeoutMs = 8_000;

async function tooLate(signal: AbortSignal): Promise<never> {
  await sleep(answerTimeoutMs, undefined, { signal });
  throw silent();
}

function silent(): HotexecError {
  return new HotexecError({
    code: 'timeout',
    message: `no new program answered within ${answerTimeoutMs / 1000} s after the restart. The demo has stopped its server and cleaned up.`,
    hint: null,
  });
}

function notRestarted({ error, outcome }: RestartResult): HotexecError {
  return new HotexecError(
    error ?? { code: 'bug', message: `the demo's server was not restarted: ${outcome}`, hint: null },
  );
}

function factsOf({ pid, port }: Sandbox): ProcessFacts {
  const facts = readProcessFacts(pid, port);
  if (facts !== 'gone') return facts;
  throw new HotexecError({
    code: 'target-lost',
    message: `the demo's server (pid ${pid}) has ended by itself.`,
    hint: null,
  });
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

/** Loaded when it is needed: the demo's own start does not wait for it. */
const libraryRestart: Restart = async (target, options) => {
  const { restart } = await import('../index.ts');
  return restart(target, options);
};

// hotexec as a library: restarts or replaces the main process of a running container in place, and tells what would be done
// and what runs there. The work is done by a child process; the caller's event loop is never blocked, and nothing is printed.
import { env, execPath, getuid } from 'node:process';
import { HotexecError } from './errors.ts';
import { changeOf } from './front/change.ts';
import { newOperationId } from './front/operation-id.ts';
import type { CallOptions, InspectOptions, ReplaceOptions, RestartOptions, RollbackOptions } from './front/options.ts';
import { startEngine, type StartEngine } from './front/launch.ts';
import { askRestart } from './front/restart.ts';
import { askHistory, askInspection, askPlan, type Session } from './front/session.ts';
import type { History } from './protocol/history.ts';
import type { Inspection } from './protocol/inspection.ts';
import type { Plan } from './protocol/plan.ts';
import type { ProgramChange, TargetProcess } from './protocol/request.ts';
import type { RestartResult } from './protocol/result.ts';
import { resolve } from './targets/resolve.ts';
import { isInCluster, parseTarget, type Target } from './targets/target.ts';

export { HotexecError, type ErrorCode, type ErrorData } from './errors.ts';
export type { HotexecEvent, Moment, Phase } from './protocol/event.ts';
export type {
  CallOptions,
  ChangeOptions,
  Copy,
  InspectOptions,
  ReplaceOptions,
  RestartOptions,
  RollbackOptions,
} from './front/options.ts';
export type { History, Version, VersionState } from './protocol/history.ts';
export type { Drift, InspectedDescriptor, InspectedThread, Inspection } from './protocol/inspection.ts';
export type { Plan, PlannedCall, PlannedDrain, PlannedFile, PlannedListener, PlannedStep } from './protocol/plan.ts';
export type { ContainerIdentity } from './protocol/request.ts';
export type {
  ChangedFile,
  Drain,
  ListenerResult,
  NotFresh,
  Outcome,
  Probation,
  ProgramEnd,
  ProgramSummary,
  RestartResult,
} from './protocol/result.ts';
export { parseTarget, type Target } from './targets/target.ts';

/**
 * Restarts the main process of a container in place: same pid, same container, new program.
 *
 * Resolves once the new program runs. Rejects with a HotexecError otherwise; its `result`, where there is one, tells
 * what runs now.
 * @example
 * const { timingsMs } = await restart('docker/web', { env: { LOG_LEVEL: 'debug' } });
 * console.log(`held for ${timingsMs.hold} ms`);
 */
export async function restart(target: string | Target, options: RestartOptions = {}): Promise<RestartResult> {
  return changed(target, options);
}

/**
 * Puts a file from this machine in the place of the main process's executable and starts it: same pid, same container, the same arguments,
 * environment and working directory unless the options change them.
 *
 * Resolves once the new program has passed its probation. If it fails, the previous program is started again, with the files that were
 * replaced put back, and the promise rejects with the code `new-program-failed`; `error.result.failed` tells how the new one ended.
 * @example
 * await replace('docker/web', { with: './build/app', probe: 'http://localhost:8080/healthz' });
 * @example
 * await replace('docker/web', {
 *   with: './build/app',
 *   args: ['--listen', ':8080'],
 *   copies: [{ source: './app.conf', destination: '/etc/app/app.conf' }],
 * });
 */
export async function replace(target: string | Target, options: ReplaceOptions): Promise<RestartResult> {
  return changed(target, options);
}

async function changed(target: string | Target, options: RestartOptions | ReplaceOptions): Promise<RestartResult> {
  const change = await changeOf(options);
  const result = await withEngine(target, options, (process, session) =>
    askRestart({ kind: 'restart', operationId: newOperationId(), target: process, ...change }, session),
  );
  await forgetGone(result, { rarely: true });
  return succeeded(result);
}

/**
 * Goes back to a program that ran there before, in place, with its environment and the files it had.
 *
 * Rejects with the code `no-such-version` where the record has none, else as restart() does.
 * @example
 * await rollback('docker/web');
 */
export async function rollback(target: string | Target, options: RollbackOptions = {}): Promise<RestartResult> {
  const { to = 'previous', ...how } = options;
  const { program, options: asked } = await changeOf(how);
  const version: ProgramChange = { ...program, version: to };
  const result = await withEngine(target, options, (process, session) => {
    const request = { kind: 'restart', operationId: newOperationId(), target: process, options: asked } as const;
    return askRestart({ ...request, program: version }, session);
  });
  await forgetGone(result);
  return succeeded(result);
}

/**
 * Tells the programs that ran in a container, newest first, and which of them rollback() can go back to. It only reads.
 * @example
 * const { versions } = await history('docker/web');
 */
export async function history(target: string | Target, options: CallOptions = {}): Promise<History> {
  return withEngine(target, options, (process, session) =>
    askHistory({ kind: 'history', operationId: newOperationId(), target: process }, session),
  );
}

/** The records of containers that Docker has removed since. */
async function forgetGone({ container }: RestartResult, how: { readonly rarely?: boolean } = {}): Promise<void> {
  if (container?.runtime !== 'docker') return;
  const { forgetGoneContainers } = await import('./targets/docker/forget.ts');
  await forgetGoneContainers({ env, uid: getuid?.() ?? 0, proc: '/proc', ...how });
}

function succeeded(result: RestartResult): RestartResult {
  if (result.outcome === 'restarted') return result;
  if (result.error === null) throw new Error(`hotexec: the outcome is ${result.outcome}, and no reason is given`);
  throw new HotexecError(result.error, { result });
}

/**
 * Tells every step that restart() would take with the same options, or replace() with those of it, and changes nothing.
 * @example
 * const { possible, refusals } = await plan('docker/web');
 * @example
 * const { files } = await plan('docker/web', { with: './build/app' });
 */
export async function plan(target: string | Target, options: RestartOptions | ReplaceOptions = {}): Promise<Plan> {
  const change = await changeOf(options);
  return withEngine(target, options, (process, session) =>
    askPlan({ kind: 'plan', operationId: newOperationId(), target: process, ...change }, session),
  );
}

/**
 * Tells what runs in the target, and whether it can be restarted here. It only reads.
 * @example
 * const { program, verdict } = await inspect('1234');
 */
export async function inspect(target: string | Target, options: InspectOptions = {}): Promise<Inspection> {
  const { showEnvironment = false } = options;
  return withEngine(target, options, (process, session) =>
    askInspection({ kind: 'inspect', operationId: newOperationId(), target: process, showEnvironment }, session),
  );
}

type Ask<Result> = (process: TargetProcess, session: Session) => Promise<Result>;

async function withEngine<Result>(
  target: string | Target,
  { signal, onEvent }: CallOptions,
  ask: Ask<Result>,
): Promise<Result> {
  const parsed = typeof target === 'string' ? parseTarget(target) : target;
  if (isInCluster(parsed))
    throw new HotexecError({
      code: 'usage',
      message: 'The library does not reach pods yet; kubectl hotexec does.',
      hint: null,
    });
  using engine = startOne(); // it boots while the target is looked up
  const process = await resolve(parsed, { env, proc: '/proc', signal });
  return await ask(process, { engine, startEngine: startOne, signal, onEvent });
}

const startOne: StartEngine = () => startEngine({ execPath, env });

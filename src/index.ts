// hotexec as a library: restarts the main process of a running container in place, and tells what would be done and
// what runs there. The work is done by a child process; the caller's event loop is never blocked, and nothing is printed.
import { env, execPath, getuid } from 'node:process';
import { HotexecError } from './errors.ts';
import { newOperationId } from './front/operation-id.ts';
import { startEngine, type StartEngine } from './front/launch.ts';
import { askRestart } from './front/restart.ts';
import { askHistory, askInspection, askPlan, type Session } from './front/session.ts';
import type { HotexecEvent } from './protocol/event.ts';
import type { History } from './protocol/history.ts';
import type { Inspection } from './protocol/inspection.ts';
import type { Plan } from './protocol/plan.ts';
import { defaultRestartOptions, sameProgram, type ProgramChange, type TargetProcess } from './protocol/request.ts';
import type { RestartOptions as EngineOptions } from './protocol/request.ts';
import type { RestartResult } from './protocol/result.ts';
import { resolve } from './targets/resolve.ts';
import { parseTarget, type Target } from './targets/target.ts';

export { HotexecError, type ErrorCode, type ErrorData } from './errors.ts';
export type { HotexecEvent, Phase } from './protocol/event.ts';
export type { History, Version, VersionState } from './protocol/history.ts';
export type { InspectedDescriptor, InspectedThread, Inspection } from './protocol/inspection.ts';
export type { Plan, PlannedCall, PlannedStep } from './protocol/plan.ts';
export type { ContainerIdentity } from './protocol/request.ts';
export type { NotFresh, Outcome, ProgramSummary, RestartResult } from './protocol/result.ts';
export { parseTarget, type Target } from './targets/target.ts';

export interface CallOptions {
  /** Cancels: before the point of no return the old program runs on and the promise rejects with the code `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: HotexecEvent) => void) | undefined;
}

export interface RestartOptions extends CallOptions {
  /** The whole new command; without it the same program is started again. */
  readonly command?: readonly string[];
  /** The file to execute, a path inside the container; without it found from the command. */
  readonly exe?: string;
  readonly cwd?: string;
  /** Variables to set; null unsets one. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Where command and environment come from: what runs now, or what the runtime would start. */
  readonly from?: 'auto' | 'process' | 'spec';
  /** Descriptors above 2 that stay open. */
  readonly keepFds?: readonly number[];
  /** What becomes of the old program's children; `kill` without it. */
  readonly children?: 'kill' | 'keep';
  /** Goes on although something cannot be as after a fresh start. */
  readonly force?: boolean;
  /** Until the point of no return; 30,000 without it. */
  readonly timeoutMs?: number;
  /** Tells each system call made in the target as an event. */
  readonly verbose?: boolean;
}

export interface RollbackOptions
  extends CallOptions, Pick<RestartOptions, 'keepFds' | 'children' | 'force' | 'timeoutMs' | 'verbose'> {
  /** The number of a version, as history() tells it; without it the program before this one. */
  readonly to?: number;
}

export interface InspectOptions extends CallOptions {
  /** Values of the environment too, not only names. */
  readonly showEnvironment?: boolean;
}

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
  return succeeded(
    await withEngine(target, options, (process, session) =>
      askRestart({ kind: 'restart', ...changeOf(process, options) }, session),
    ),
  );
}

/**
 * Goes back to a program that ran there before, in place, with its environment and the files it had.
 *
 * Rejects with the code `no-such-version` where the record has none, else as restart() does.
 * @example
 * await rollback('docker/web');
 */
export async function rollback(target: string | Target, options: RollbackOptions = {}): Promise<RestartResult> {
  const { to = 'previous', ...rest } = options;
  const result = await withEngine(target, options, (process, session) => {
    const { program, ...change } = changeOf(process, rest);
    return askRestart({ kind: 'restart', ...change, program: { ...program, version: to } }, session);
  });
  if (result.container?.runtime === 'docker') await forgetGoneContainers();
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

async function forgetGoneContainers(): Promise<void> {
  const docker = await import('./targets/docker/forget.ts');
  await docker.forgetGoneContainers({ env, uid: getuid?.() ?? 0, proc: '/proc' });
}

function succeeded(result: RestartResult): RestartResult {
  if (result.outcome === 'restarted') return result;
  if (result.error === null) throw new Error(`hotexec: the outcome is ${result.outcome}, and no reason is given`);
  throw new HotexecError(result.error, { result });
}

/**
 * Tells every step that restart() would take with the same options, and changes nothing.
 * @example
 * const { possible, refusals } = await plan('docker/web');
 */
export async function plan(target: string | Target, options: RestartOptions = {}): Promise<Plan> {
  return withEngine(target, options, (process, session) =>
    askPlan({ kind: 'plan', ...changeOf(process, options) }, session),
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
  using engine = startOne(); // it boots while the target is looked up
  const process = await resolve(parsed, { env, proc: '/proc', signal });
  return await ask(process, { engine, startEngine: startOne, signal, onEvent });
}

const startOne: StartEngine = () => startEngine({ execPath, env });

interface ChangeRequest {
  readonly operationId: string;
  readonly target: TargetProcess;
  readonly program: ProgramChange;
  readonly options: EngineOptions;
}

function changeOf(target: TargetProcess, options: RestartOptions): ChangeRequest {
  const { command = null, exe = null, cwd = null, from = 'auto', env: variables = {} } = options;
  const { keepFds, children, force, timeoutMs, verbose } = { ...defaultRestartOptions, ...options };
  const set: [name: string, value: string][] = [];
  const unset: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) unset.push(name);
    else set.push([name, value]);
  }
  return {
    operationId: newOperationId(),
    target,
    program: { ...sameProgram, from, command, exe, cwd, env: { standsAlone: false, set, unset } },
    options: { ...defaultRestartOptions, keepFds, children, force, timeoutMs, verbose },
  };
}

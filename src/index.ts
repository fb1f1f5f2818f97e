// hotexec as a library: restarts or replaces the main process of a running container in place, on this machine or in a pod, and tells what
// would be done and what runs there. The work is done by a child process, or by the agent in the pod; the caller's event loop is never
// blocked, and nothing is printed.
import { env, execPath, getuid } from 'node:process';
import { EngineAhead } from './front/engine-ahead.ts';
import { kubernetesOptions } from './connect/kubernetes-options.ts';
import { openFront, type FrontContext } from './connect/open-front.ts';
import { HotexecError } from './errors.ts';
import { changeOf, type Change } from './front/change.ts';
import type { Front, Listening } from './front/front.ts';
import { startEngine } from './front/launch.ts';
import { newOperationId } from './front/operation-id.ts';
import type { CallOptions, InspectOptions, ReplaceOptions, RestartOptions, RollbackOptions } from './front/options.ts';
import type { HotexecEvent } from './protocol/event.ts';
import type { History } from './protocol/history.ts';
import type { Inspection } from './protocol/inspection.ts';
import type { RestartList } from './protocol/list.ts';
import type { Plan } from './protocol/plan.ts';
import { defaultRestartOptions, type RestartOptions as EngineOptions } from './protocol/request.ts';
import type { RestartResult } from './protocol/result.ts';
import type { RolloutEvent } from './rollout/event.ts';
import { policyOf, type RolloutOptions } from './rollout/options.ts';
import { planOfMany } from './rollout/planned.ts';
import type { SingleTarget, WorkloadTarget } from './targets/target-name.ts';
import { isInCluster, parseTarget, type ClusterTarget, type Target } from './targets/target.ts';

export { HotexecError, type ErrorCode, type ErrorData } from './errors.ts';
export type { HotexecEvent, Moment, Phase } from './protocol/event.ts';
export type {
  AgentOptions,
  CallOptions,
  ChangeOptions,
  Copy,
  InspectOptions,
  KubernetesOptions,
  ReplaceOptions,
  RestartOptions,
  RollbackOptions,
} from './front/options.ts';
export type { History, Version, VersionState } from './protocol/history.ts';
export type { DueHook, HookAction, HookName, HookResult } from './protocol/hook.ts';
export type { Drift, InspectedDescriptor, InspectedThread, Inspection } from './protocol/inspection.ts';
export type { FailedPod, RestartList } from './protocol/list.ts';
export type {
  Plan,
  PlannedCall,
  PlannedDrain,
  PlannedFile,
  PlannedHook,
  PlannedListener,
  PlannedStep,
} from './protocol/plan.ts';
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
export type { PodState, RolloutEvent } from './rollout/event.ts';
export type { RolloutOptions } from './rollout/options.ts';
export type { SingleTarget, WorkloadTarget } from './targets/target-name.ts';
export { parseTarget, type Target } from './targets/target.ts';

/** Of a workload: the same, and how many pods at once. */
export type OfWorkload<Options extends CallOptions> = Omit<Options, 'onEvent' | 'onProgress'> & RolloutOptions;

/** Of a target that is known only when it is read. */
export type OfAny<Options extends CallOptions> = Omit<Options, 'onEvent'> &
  Omit<RolloutOptions, 'onEvent'> & {
    readonly onEvent?: ((event: HotexecEvent | RolloutEvent) => void) | undefined;
  };

/**
 * Restarts the main process of a container in place: same pid, same container, new program.
 *
 * Resolves once the new program runs. Rejects with a HotexecError otherwise; its `result`, where there is one, tells
 * what runs now.
 * @example
 * const { timingsMs } = await restart('docker/web', { env: { LOG_LEVEL: 'debug' } });
 * console.log(`held for ${timingsMs.hold} ms`);
 * @example
 * await restart('pod/web-0', { hooks: true, kubernetes: { namespace: 'shop', container: 'app' } });
 */
export function restart(target: SingleTarget, options?: RestartOptions): Promise<RestartResult>;
/**
 * Restarts all pods of a workload in place, one after another.
 *
 * Resolves once all of them run the new program. Rejects with a HotexecError otherwise (`pods-failed`); its `list` tells what has become of
 * each.
 * @example
 * const { items } = await restart('deployment/web', { maxUnavailable: '25%' });
 */
export function restart(target: WorkloadTarget, options?: OfWorkload<RestartOptions>): Promise<RestartList>;
/** `kind` tells which of the two it is. */
export function restart(target: string | Target, options?: OfAny<RestartOptions>): Promise<RestartResult | RestartList>;
export async function restart(
  target: string | Target,
  options: Heard<RestartOptions> = {},
): Promise<RestartResult | RestartList> {
  return changed(targetOf(target), await changeOf(options), options);
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
 * await replace('pod/web-0', {
 *   with: './build/app',
 *   args: ['--listen', ':8080'],
 *   copies: [{ source: './app.conf', destination: '/etc/app/app.conf' }],
 * });
 */
export function replace(target: SingleTarget, options: ReplaceOptions): Promise<RestartResult>;
/** In all pods of a workload, one after another; as restart(). */
export function replace(target: WorkloadTarget, options: OfWorkload<ReplaceOptions>): Promise<RestartList>;
/** `kind` tells which of the two it is. */
export function replace(target: string | Target, options: OfAny<ReplaceOptions>): Promise<RestartResult | RestartList>;
export async function replace(
  target: string | Target,
  options: Heard<ReplaceOptions>,
): Promise<RestartResult | RestartList> {
  return changed(targetOf(target), await changeOf(options), options);
}

/**
 * Goes back to a program that ran there before, in place, with its environment and the files it had.
 *
 * Rejects with the code `no-such-version` where the record has none, else as restart() does.
 * @example
 * await rollback('docker/web');
 */
export function rollback(target: SingleTarget, options?: RollbackOptions): Promise<RestartResult>;
/** Each pod of a workload to its own previous program, one after another; as restart(). */
export function rollback(target: WorkloadTarget, options?: OfWorkload<RollbackOptions>): Promise<RestartList>;
/** `kind` tells which of the two it is. */
export function rollback(
  target: string | Target,
  options?: OfAny<RollbackOptions>,
): Promise<RestartResult | RestartList>;
export async function rollback(
  target: string | Target,
  options: Heard<RollbackOptions> = {},
): Promise<RestartResult | RestartList> {
  const { to = 'previous', ...how } = options;
  const { program, options: asked } = await changeOf(how);
  return changed(targetOf(target), { program: { ...program, version: to }, options: asked }, options);
}

/**
 * Tells the programs that ran in a container, newest first, and which of them rollback() can go back to. It only reads.
 * @example
 * const { versions } = await history('docker/web');
 */
export async function history(target: string | Target, options: CallOptions = {}): Promise<History> {
  return asking({ target: targetOf(target), call: options, restart: null }, async (front, listening) =>
    front.history({ operationId: newOperationId() }, listening),
  );
}

/**
 * Tells every step that restart() would take with the same options, or replace() with those of it, and changes nothing. Of a workload those
 * in its first pod.
 * @example
 * const { possible, refusals } = await plan('docker/web');
 * @example
 * const { files } = await plan('pod/web-0', { with: './build/app' });
 */
export async function plan(target: string | Target, options: RestartOptions | ReplaceOptions = {}): Promise<Plan> {
  const change = await changeOf(options);
  const { first, after } = await firstOf(targetOf(target), options, change.options);
  const looking = { target: first, call: options, restart: null, asked: change.options };
  const planned = await asking(looking, async (front, listening) =>
    front.plan({ operationId: newOperationId(), ...change, gdbScript: null }, listening),
  );
  return planOfMany(planned, after);
}

/**
 * Tells what runs in the target, and whether it can be restarted here. It only reads.
 * @example
 * const { program, verdict } = await inspect('1234');
 */
export async function inspect(target: string | Target, options: InspectOptions = {}): Promise<Inspection> {
  const { showEnvironment = false } = options;
  return asking({ target: targetOf(target), call: options, restart: null }, async (front, listening) =>
    front.inspect({ operationId: newOperationId(), showEnvironment }, listening),
  );
}

/**
 * Tells what came of a restart in a pod whose connection was lost: of one that rejected with `outcome-unknown`. Nothing is done.
 * @example
 * const { outcome } = await outcome('pod/web-0', error.details.operationId);
 */
export async function outcome(
  target: string | Target,
  operationId: string,
  options: CallOptions = {},
): Promise<RestartResult> {
  return asking({ target: targetOf(target), call: options, restart: null }, async (front, listening) =>
    front.outcome({ operationId }, listening),
  );
}

/** All but the listener, which hears of one target or of many pods. */
type Call = Omit<CallOptions, 'onEvent'> & Omit<RolloutOptions, 'onEvent'>;

/** Of either kind of events: of a method parameters are compared both ways, and each overload has its own kind. */
type AnyListener = { on(event: HotexecEvent | RolloutEvent): void }['on'];

/** Whichever of the overloads it was. */
type Heard<Options extends CallOptions> = Omit<Options, 'onEvent'> &
  Omit<RolloutOptions, 'onEvent'> & { readonly onEvent?: AnyListener | undefined };

async function changed(target: Target, change: Change, call: Heard<CallOptions>): Promise<RestartResult | RestartList> {
  if (isInCluster(target) && target.kind !== 'pod') return changedAll(target, change, call);
  const { program, options } = change;
  const result = await asking({ target, call, restart: options }, async (front, listening) =>
    front.restart({ operationId: newOperationId(), program, options }, listening),
  );
  await forgetGone(result, { rarely: program.version === null });
  return succeeded(result);
}

async function changedAll(
  target: ClusterTarget,
  { program, options }: Change,
  call: Heard<CallOptions>,
): Promise<RestartList> {
  const policyFor = policyOf(call);
  const context = contextOf(target, call, options);
  const [{ openRollouts }, { runRollouts }, { errorOfList }] = await Promise.all([
    import('./rollout/cluster.ts'),
    import('./rollout/run.ts'),
    import('./rollout/result.ts'),
  ]);
  using found = await openRollouts(target, { ...context, restart: options });
  const following = { signal: context.signal, onEvent: call.onEvent ?? ignore };
  const list = await runRollouts(found, { target, program, options, policyFor }, following);
  const error = errorOfList(list);
  if (error !== null) throw error;
  return list;
}

/** The records of containers that Docker has removed since. */
async function forgetGone({ container }: RestartResult, how: { readonly rarely: boolean }): Promise<void> {
  if (container?.runtime !== 'docker') return;
  const { forgetGoneContainers } = await import('./targets/docker/forget.ts');
  await forgetGoneContainers({ env, uid: getuid?.() ?? 0, proc: '/proc', ...how });
}

function succeeded(result: RestartResult): RestartResult {
  if (result.outcome === 'restarted') return result;
  if (result.error === null) throw new Error(`hotexec: the outcome is ${result.outcome}, and no reason is given`);
  throw new HotexecError(result.error, { result });
}

function targetOf(target: string | Target): Target {
  return typeof target === 'string' ? parseTarget(target) : target;
}

async function firstOf(
  target: Target,
  call: Call,
  asked: EngineOptions,
): Promise<{ readonly first: Target; readonly after: readonly string[] }> {
  if (!isInCluster(target) || target.kind === 'pod') return { first: target, after: [] };
  const { firstPod } = await import('./rollout/first.ts');
  return firstPod(target, contextOf(target, call, asked));
}

interface Asking {
  readonly target: Target;
  readonly call: Call & Pick<CallOptions, 'onEvent'>;
  /** Null: nothing is restarted. */
  readonly restart: EngineOptions | null;
  /** What a plan is made for. */
  readonly asked?: EngineOptions;
}

async function asking<Result>(
  { target, call, restart: options, asked }: Asking,
  ask: (front: Front, listening: Listening) => Promise<Result>,
): Promise<Result> {
  const context = contextOf(target, call, options ?? asked ?? defaultRestartOptions);
  using ahead = new EngineAhead(context.startEngine);
  // It boots while the target is looked up.
  if (!isInCluster(target)) ahead.prepare();
  using front = await openFront(target, { ...context, startEngine: () => ahead.take(), restart: options });
  return await ask(front, { signal: context.signal, onEvent: call.onEvent ?? ignore });
}

/** Throws usage: an option for pods where the target is none. */
function contextOf(target: Target, call: Call, { force, timeoutMs, runHooks }: EngineOptions): FrontContext {
  const { kubernetes, signal = new AbortController().signal, onProgress = ignore } = call;
  if (!isInCluster(target) && (kubernetes !== undefined || runHooks))
    throw new HotexecError({
      code: 'usage',
      message: `${runHooks ? 'hooks' : 'kubernetes'} is for pods, and the target is none.`,
      hint: 'A pod is named pod/NAME.',
    });
  return {
    env,
    proc: '/proc',
    signal,
    startEngine: () => startEngine({ execPath, env }),
    cluster: kubernetesOptions(kubernetes ?? {}, { env, force, timeoutMs }),
    onProgress,
    restart: null,
  };
}

function ignore(): void {}

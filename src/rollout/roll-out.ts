// Many pods, one after another: what decide.ts says is done here. A pod's restart is its front's; what pods there are, the caller's.
import { errorData, HotexecError, type ErrorData } from '../errors.ts';
import type { Front } from '../front/front.ts';
import type { ProgramChange, RestartOptions } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { Course, type Member } from './course.ts';
import { decide, type Policy } from './decide.ts';
import type { RolloutEvent } from './event.ts';
import { listPatiently, lookEveryMs, type Listing } from './listing.ts';
import { targetName, type RolloutPod } from './pod.ts';
import type { FailedPod, RestartList } from '../protocol/list.ts';
import { isGood } from './result.ts';
import { regression, settled } from './settle.ts';

export interface RolloutPlan {
  /** `deployment/web` */
  readonly target: string;
  /** In the order in which they are restarted. */
  readonly pods: readonly RolloutPod[];
  readonly program: ProgramChange;
  readonly options: RestartOptions;
  readonly policy: Policy;
  /** The workload's minReadySeconds, ms. */
  readonly minReadyMs: number;
}

/** One pod, looked at and reached. */
export interface OpenPod extends Disposable {
  readonly front: Front;
  /** For as long after the exec its Ready may be what the old program was, ms. */
  readonly staleForMs: number;
  /** How long it may take to be Ready after the exec, ms. */
  readonly readyWithinMs: number;
}

export interface Means {
  /** Rejects with HotexecError where the pod may not be touched. */
  readonly openPod: (pod: RolloutPod, how: Opening) => Promise<OpenPod>;
  /** All pods of the workload as they are now. Rejects where the API server does not answer. */
  readonly listPods: () => Promise<readonly RolloutPod[]>;
  readonly newOperationId: () => string;
  readonly clock: Clock;
  /** Aborted: pods in the middle of it cancel or finish, and no other one is begun. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: RolloutEvent) => void;
}

export interface Opening {
  /** What is being waited for, as a clause. */
  readonly doing: (what: string) => void;
}

export interface Clock {
  readonly nowMs: () => number;
  /** Resolves after `ms`, or when `signal` is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export async function rollOut(plan: RolloutPlan, means: Means): Promise<RestartList> {
  const { clock, signal, onEvent } = means;
  const startedMs = clock.nowMs();
  const course = new Course(plan.pods, { nowMs: clock.nowMs, onEvent });
  onEvent({ kind: 'rollout', target: plan.target, pods: plan.pods.map(targetName), atOnce: plan.policy.atOnce });
  const busy = new Set<Promise<void>>();
  for (;;) {
    const decision = decide(course.situation(signal.aborted), plan.policy);
    if (decision.kind === 'end') break;
    if (decision.kind === 'wait') {
      await somethingHappens(busy, decision.untilMs, means);
      continue;
    }
    const member = await next(course, decision.index, means);
    if (member === null) continue;
    course.go(member, 'restarting');
    const work: Promise<void> = restartPod(member, { plan, means, course }).finally(() => busy.delete(work));
    busy.add(work);
  }
  return documentOf(plan, { course, means, totalMs: clock.nowMs() - startedMs });
}

/** A pod has come further, the pause is over, or somebody wants out. */
async function somethingHappens(busy: ReadonlySet<Promise<void>>, untilMs: number | null, means: Means): Promise<void> {
  const { clock, signal } = means;
  const timer = new AbortController();
  const onAbort = (): void => timer.abort();
  if (!signal.aborted) signal.addEventListener('abort', onAbort);
  // Until somebody wants out: that wait has no end of its own.
  const idleMs = untilMs === null ? longestTimerMs : untilMs - clock.nowMs();
  const waits = signal.aborted && untilMs === null ? [] : [clock.wait(idleMs, timer.signal)];
  await Promise.race([...busy, ...waits]);
  signal.removeEventListener('abort', onAbort);
  timer.abort();
}

// What setTimeout takes.
const longestTimerMs = 2 ** 31 - 1;

/** The pod that is begun now; null: another decision is due, since something is not as it was. */
async function next(course: Course, index: number, means: Means): Promise<Member | null> {
  const member = course.members[index];
  if (member === undefined) throw new Error(`there is no pod ${index}`);
  const listing = await listPatiently(means);
  if (listing.kind === 'failed') {
    course.fail(member, failedPod(member.pod, listing.error));
    return null;
  }
  const now = listing.pods;
  const worse = course.members.flatMap((done) => (done.stage === 'done' ? regressed(done, now) : []));
  for (const { done, why } of worse) course.regress(done, notReady(done.pod, why));
  if (worse.length > 0) return null;
  const why = whySkipped(member.pod, now);
  if (why === null) return member;
  course.skip(member, why);
  return null;
}

function regressed(
  done: Member,
  pods: readonly RolloutPod[],
): readonly { readonly done: Member; readonly why: string }[] {
  const why = regression(
    done.pod,
    pods.find(({ uid }) => uid === done.pod.uid),
  );
  return why === null ? [] : [{ done, why }];
}

function whySkipped({ uid, name }: RolloutPod, pods: readonly RolloutPod[]): string | null {
  const now = pods.find((pod) => pod.uid === uid);
  if (now?.state === 'running') return null;
  if (now?.state === 'deleting') return 'it is being deleted';
  if (now?.state === 'stopped') return 'its container does not run';
  return pods.some((pod) => pod.name === name)
    ? 'it was deleted, and there is a new one of that name'
    : 'it was deleted';
}

interface Work {
  readonly plan: RolloutPlan;
  readonly means: Means;
  readonly course: Course;
}

/** From its first touch until it is available again, or has failed. Never rejects. */
async function restartPod(member: Member, work: Work): Promise<void> {
  const { course, means } = work;
  const target = targetName(member.pod);
  let execMs: number | null = null;
  try {
    const doing = (what: string): void => means.onEvent({ kind: 'doing', target, what });
    using opened = await means.openPod(member.pod, { doing });
    const result = await opened.front.restart(
      { operationId: means.newOperationId(), program: work.plan.program, options: work.plan.options },
      {
        signal: means.signal,
        onEvent: (event) => {
          // The exec has been: its listeners are looked for, and its end is waited for.
          if (event.kind === 'phase' && event.phase === 'probation') execMs ??= means.clock.nowMs();
          means.onEvent({ kind: 'in-pod', target, event });
        },
      },
    );
    if (isGood(result)) await settle(member, { ...work, item: result, opened, execMs: execMs ?? means.clock.nowMs() });
    else await failOrSkip(member, result, work);
  } catch (error) {
    const result = error instanceof HotexecError ? error.result : null;
    await failOrSkip(member, result ?? failedPod(member.pod, error), work);
  }
  course.ended();
}

interface Restarted extends Work {
  readonly item: RestartResult;
  readonly opened: OpenPod;
  readonly execMs: number;
}

async function settle(member: Member, restarted: Restarted): Promise<void> {
  const { course, means, plan, item, opened, execMs } = restarted;
  course.go(member, 'settling');
  for (;;) {
    const pods = await means.listPods().catch(() => null);
    const sinceExecMs = means.clock.nowMs() - execMs;
    const now = pods === null ? unseen(member.pod) : (pods.find(({ uid }) => uid === member.pod.uid) ?? null);
    const { minReadyMs } = plan;
    const { staleForMs, readyWithinMs } = opened;
    const state = settled({ before: member.pod, now, sinceExecMs, minReadyMs, staleForMs, readyWithinMs });
    if (state === 'available') return course.finish(member, item);
    if (state === 'gone') return course.skip(member, 'it was restarted, and deleted since');
    if (state !== 'wait') return course.fail(member, { ...item, error: notReady(member.pod, state.failed) });
    // Who wants out does not wait for the pod to settle: what was to be done there is done.
    if (means.signal.aborted) return course.finish(member, item);
    const dueMs = Math.max(minReadyMs, staleForMs) - sinceExecMs;
    await means.clock.wait(dueMs > 0 && now?.ready === true ? Math.min(dueMs, lookEveryMs) : lookEveryMs, means.signal);
  }
}

/** The API server does not answer: what was known last, and not ready, so that it is asked again. */
function unseen(pod: RolloutPod): RolloutPod {
  return { ...pod, ready: false };
}

/** A pod that is deleted under the restart is nobody's failure. */
async function failOrSkip(member: Member, item: RestartResult | FailedPod, { course, means }: Work): Promise<void> {
  const pods = item.error?.code === 'cancelled' ? null : await means.listPods().catch(() => null);
  const now = pods?.find(({ uid }) => uid === member.pod.uid);
  if (pods !== null && (now === undefined || now.state === 'deleting')) course.skip(member, 'it was deleted meanwhile');
  else course.fail(member, item);
}

function failedPod(pod: RolloutPod, error: unknown): FailedPod {
  const target = targetName(pod);
  return { apiVersion: 'hotexec/v1', kind: 'Error', target, outcome: null, error: errorData(error) };
}

function notReady(pod: RolloutPod, why: string): ErrorData {
  return {
    code: 'not-ready',
    message: `${targetName(pod)}: ${why}. The new program was started there, and is not taken back.`,
    hint: `Look at its log (kubectl logs ${pod.name}); hotexec rollback goes back to the previous program.`,
  };
}

interface Finished {
  readonly course: Course;
  readonly means: Means;
  readonly totalMs: number;
}

async function documentOf({ target, pods }: RolloutPlan, { course, means, totalMs }: Finished): Promise<RestartList> {
  const untouched = course.leaveRest();
  // Whoever wants out is not kept.
  const listing: Listing = means.signal.aborted ? { kind: 'listed', pods: [] } : await listPatiently(means);
  const known = new Set(pods.map(({ uid }) => uid));
  const now = listing.kind === 'listed' ? listing.pods : [];
  return {
    apiVersion: 'hotexec/v1',
    kind: 'List',
    target,
    items: course.items(),
    untouched: untouched.map(targetName),
    skipped: course.members.flatMap(({ pod, stage, why }) =>
      stage === 'skipped' ? [{ target: targetName(pod), why: why ?? '' }] : [],
    ),
    appeared: now.filter(({ uid, state }) => !known.has(uid) && state !== 'deleting').map(targetName),
    warnings:
      listing.kind === 'listed' ? [] : [`whether pods have appeared is not known: ${errorData(listing.error).message}`],
    timingsMs: { total: Math.round(totalMs) },
  };
}

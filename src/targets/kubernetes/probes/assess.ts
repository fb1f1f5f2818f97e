// What a pod's description says about a restart of one of its containers, before anything is asked of it: refused where its liveness probe
// would kill it, its readiness probe for the new program, what is not done. Pure.
import { withoutUntouched } from '../../refusal.ts';
import type { ErrorData } from '../../../errors.ts';
import type { Probe, RestartOptions } from '../../../protocol/request.ts';
import { knownStartMs, silenceBudget, startAllowanceMs, type SilenceBudget } from './budget.ts';
import { hooksLeftOut, hooksOf } from './hooks.ts';
import { readinessOf } from './readiness.ts';
import { formatDuration, timingOf, type ProbedContainer, type ProbedPod } from './spec.ts';

export interface Assessment {
  /** The options with what the pod adds to them. */
  readonly options: RestartOptions;
  /** Empty: nothing of the pod's description is against it, or `force` was asked for. */
  readonly refusals: readonly ErrorData[];
  readonly warnings: readonly string[];
  /** For as long after the exec the API's Ready may still be what the old program was, ms; 0: the new program itself was asked. */
  readonly staleForMs: number;
  /** How long the kubelet may take to see that the new program is ready, ms after the exec. */
  readonly readyWithinMs: number;
}

export interface Assessed {
  /** `pod/web-0`. */
  readonly name: string;
  readonly pod: ProbedPod;
  readonly container: ProbedContainer;
}

export function assessRestart(subject: Assessed, options: RestartOptions): Assessment {
  const { pod, container } = subject;
  const budget = silenceBudget(container, options);
  const refusals = budget === null ? [] : overBudget(budget, { subject, options });
  const readiness = options.probe === null && options.probationMs !== 0 ? readinessOf(pod, container) : null;
  const hooks = hooksOf(pod, container);
  const forced = options.force ? refusals.map(({ message }) => withoutUntouched(message)) : [];
  return {
    options: {
      ...options,
      probe: options.probe ?? readiness?.probe ?? null,
      probationLimitMs: probationLimitMs(container, budget),
      mayFinish: mayFinish(pod, container),
      ...(options.runHooks ? { hooks: hooks.hooks } : {}),
    },
    refusals: options.force ? [] : refusals,
    warnings: [
      ...forced,
      ...(readiness?.warning === null || readiness === null ? [] : [readiness.warning]),
      ...(options.runHooks ? hooks.warnings : hooksLeftOut(container)),
    ],
    ...readyTimes(container, options.probe ?? readiness?.probe ?? null),
  };
}

/** The kubelet goes by the probe's own numbers: so many failures until it is not ready, so many successes until it is. */
function readyTimes(
  { readinessProbe }: ProbedContainer,
  asked: Probe | null,
): Pick<Assessment, 'staleForMs' | 'readyWithinMs'> {
  if (!readinessProbe) return { staleForMs: 0, readyWithinMs: slackMs };
  const { periodMs, failures, successes, timeoutMs } = timingOf(readinessProbe);
  return {
    staleForMs: asked === null ? periodMs * failures + timeoutMs : 0,
    readyWithinMs: periodMs * (failures + successes) + timeoutMs + slackMs,
  };
}

// The kubelet tells the API server at once; a busy one is later.
const slackMs = 30_000;

interface Asked {
  readonly subject: Assessed;
  readonly options: RestartOptions;
}

/** 30 s is the API server's own default. */
function graceMsOf({ pod }: Assessed, { gracePeriodMs }: RestartOptions): number {
  return gracePeriodMs ?? (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
}

function overBudget(budget: SilenceBudget, asked: Asked): readonly ErrorData[] {
  const { subject, options } = asked;
  const graceMs = options.drain ? graceMsOf(subject, options) : 0;
  const startMs = knownStartMs(subject.pod, subject.container) ?? 0;
  return [
    ...(graceMs > budget.limitMs ? [graceTooLong(budget, { ...asked, ms: graceMs })] : []),
    ...(startMs > budget.limitMs ? [startTooLong(budget, { ...asked, ms: startMs })] : []),
  ];
}

interface TooLong extends Asked {
  readonly ms: number;
}

function graceTooLong(budget: SilenceBudget, { subject, options, ms }: TooLong): ErrorData {
  const whose = options.gracePeriodMs === null ? "the pod's terminationGracePeriodSeconds" : '--grace-period';
  const limit = formatDuration(budget.limitMs);
  return refusal(budget, subject, {
    what: `the old program may take ${formatDuration(ms)} to finish (${whose})`,
    hint: `--grace-period ${limit} or less; --no-drain; or --force, if the program answers the probe while it finishes`,
    ms,
  });
}

function startTooLong(budget: SilenceBudget, { subject, ms }: TooLong): ErrorData {
  return refusal(budget, subject, {
    what: `the last start of container ${subject.container.name} took more than ${formatDuration(Math.floor(ms / 1000) * 1000)}`,
    hint: 'a longer periodSeconds or failureThreshold of that probe in the workload; or --force, if the new program starts faster',
    ms,
  });
}

interface Reason {
  readonly what: string;
  readonly hint: string;
  readonly ms: number;
}

function refusal({ limitMs, probe }: SilenceBudget, { name }: Assessed, { what, hint, ms }: Reason): ErrorData {
  const kills = `its ${probe} has the kubelet kill the container after ${formatDuration(limitMs)} of silence. Its startup probe does not count any more.`;
  return {
    code: 'liveness-budget',
    message: `${name}: ${what}, and ${kills} Nothing was touched.`,
    hint,
    details: { budgetMs: limitMs, neededMs: ms },
  };
}

/** After an exit with 0 the kubelet does not start it again: of a Job. A sidecar has a policy of its own. */
function mayFinish({ spec }: ProbedPod, { restartPolicy: own }: ProbedContainer): boolean {
  const policy = own ?? spec?.restartPolicy ?? 'Always';
  return policy !== 'Always';
}

const leastLimitMs = 10_000;
const longestLimitMs = 600_000;

/**
 * For how long the new program may take to be ready: as long as the kubelet would let a fresh container, but not so long that the liveness
 * probe kills the container before the previous program is back. In ms.
 */
function probationLimitMs(container: ProbedContainer, budget: SilenceBudget | null): number {
  const allowedMs = Math.min(Math.max(startAllowanceMs(container), leastLimitMs), longestLimitMs);
  return budget === null ? allowedMs : Math.min(allowedMs, budget.safeMs);
}

// For how long a container's main process may be silent before the kubelet kills the container. Pure. Once the container has started, its
// liveness probe alone counts: a startup probe never runs again (seen: killed after 7 s in spite of a startup probe of 120 s).
import { describeProbe, formatDuration, kindOf, timingOf, type ProbedContainer, type ProbedPod } from './spec.ts';

export interface SilenceBudget {
  /** periodSeconds × failureThreshold + timeoutSeconds, in ms: after this much silence the container is killed. */
  readonly limitMs: number;
  /** As much is survived however the silence falls between two probes; ms. */
  readonly safeMs: number;
  /** `liveness probe (httpGet :8080/healthz every 2s, 3 failures, timeout 1s)` */
  readonly probe: string;
}

/**
 * Null: nothing limits it. With hand-over a tcpSocket probe is no limit: the listener that is kept answers it in the kernel, whatever
 * the program does.
 */
export function silenceBudget(
  { livenessProbe }: Pick<ProbedContainer, 'livenessProbe'>,
  { handover }: { readonly handover: boolean },
): SilenceBudget | null {
  if (!livenessProbe || kindOf(livenessProbe) === 'none') return null;
  if (handover && kindOf(livenessProbe) === 'tcpSocket') return null;
  const { periodMs, failures, timeoutMs } = timingOf(livenessProbe);
  const often = failures === 1 ? '1 failure' : `${failures} failures`;
  const times = `every ${formatDuration(periodMs)}, ${often}, timeout ${formatDuration(timeoutMs)}`;
  return {
    limitMs: periodMs * failures + timeoutMs,
    safeMs: Math.max(periodMs * (failures - 1), 1_000),
    probe: `liveness probe (${describeProbe(livenessProbe)} ${times})`,
  };
}

/**
 * How long this container's last start took at least, as far as the pod's status tells, in ms; null: it does not. The time from its start
 * to the pod's readiness, less what the probes' own waiting may have added. A pod that was ready, then was not, then was again tells
 * nothing: its start cannot have been longer than the kubelet would have let it be.
 */
export function knownStartMs(pod: ProbedPod, container: ProbedContainer): number | null {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const startedAt = statuses.find(({ name }) => name === container.name)?.state?.running?.startedAt;
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  if (!startedAt || ready?.status !== 'True' || !ready.lastTransitionTime) return null;
  const tookMs = timeOf(ready.lastTransitionTime) - timeOf(startedAt);
  if (!(tookMs > 0)) return null;
  const mostMs = startAllowanceMs(container) + waitingMs(container);
  const leastMs = tookMs - waitingMs(container);
  return leastMs > 0 && tookMs <= mostMs ? leastMs : null;
}

/** Where nothing else says how long a start may take. */
const patienceMs = 60_000;

/** For how long the kubelet lets a fresh container start before it kills it; a minute where nothing limits it. In ms. */
export function startAllowanceMs({ startupProbe, livenessProbe }: ProbedContainer): number {
  const probe = startupProbe ?? livenessProbe;
  if (!probe || kindOf(probe) === 'none') return patienceMs;
  const { initialDelayMs, periodMs, failures, timeoutMs } = timingOf(probe);
  return initialDelayMs + periodMs * failures + timeoutMs;
}

/** What may lie between a program that is up and a pod that is ready, because probes look only now and then. A second for the clocks' grain. */
function waitingMs({ startupProbe, readinessProbe }: ProbedContainer): number {
  const startup = startupProbe ? timingOf(startupProbe) : null;
  const readiness = readinessProbe ? timingOf(readinessProbe) : null;
  const startupMs = startup === null ? 0 : startup.initialDelayMs + startup.periodMs;
  const readinessMs = readiness === null ? 0 : readiness.initialDelayMs + readiness.periodMs * readiness.successes;
  return startupMs + readinessMs + 1_000;
}

function timeOf(time: Date | string): number {
  return new Date(time).getTime();
}

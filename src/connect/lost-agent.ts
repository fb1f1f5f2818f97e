// The agent of a container ended in the middle of a restart. It shares the process namespace of the container's first process, and ends with that:
// so the API server is asked what has become of the container, and the events have told the rest.
import { setTimeout as delay } from 'node:timers/promises';
import { HotexecError, type ErrorData } from '../errors.ts';
import type { RestartAsked } from '../front/front.ts';
import type { Story } from '../front/story.ts';
import type { AgentTarget } from '../protocol/agent.ts';
import type { RestartResult } from '../protocol/result.ts';
import type { ClusterApi } from '../targets/kubernetes/api.ts';
import { containerFate, type ContainerFate } from '../targets/kubernetes/container-fate.ts';
import { findPod } from '../targets/kubernetes/find-pod.ts';

export interface LostRestart {
  readonly asked: RestartAsked;
  /** What was heard of it. */
  readonly story: Story;
  readonly target: AgentTarget;
  readonly api: ClusterApi;
}

/** The kubelet looks at its containers every second, and tells the API server then. The program may stand stopped meanwhile. */
const toldWithinMs = 4_000;
const pauseMs = 200;

/** `lost`: outcome-unknown. Null where the API server does not know more: the container runs, or it cannot be asked. */
export async function resultWithoutAgent(lost: HotexecError, restart: LostRestart): Promise<RestartResult | null> {
  const fate = await fateOf(lost, restart);
  if (fate === null || fate.kind === 'running') return null;
  const { asked, story, target } = restart;
  const { operationId, options } = asked;
  const { planned, phase } = story;
  const error = errorOf(fate, restart);
  // It was not even planned.
  if (planned === null) throw new HotexecError(error, { cause: lost });
  const { pid, startTicks } = planned;
  const known = {
    operationId,
    target: { ...target, pid, startTicks },
    running: null,
    hooks: [],
    warnings: [],
  };
  // The end of a new program that is a failure is caught: one that ended with 0 was let do so.
  const wasStarted = phase === 'probation' || phase === 'verify';
  const hasDoneItsWork = fate.kind === 'ended' && fate.end?.exitCode === 0 && wasStarted && options.rollback;
  if (hasDoneItsWork)
    return story.result({ ...known, outcome: 'restarted', error: null, probation: { end: 'ended', ms: 0 } });
  return story.result({ ...known, outcome: fate.kind === 'stopped' ? 'stopped' : 'lost', error, probation: null });
}

/** Null: it cannot be asked. */
async function fateOf(lost: HotexecError, restart: LostRestart): Promise<ContainerFate | null> {
  const deadline = performance.now() + toldWithinMs;
  for (;;) {
    const fate = await look(restart);
    // A connection that is cut says nothing of the agent.
    if (fate?.kind !== 'running' || !isAgentGone(lost) || performance.now() > deadline) return fate;
    await delay(pauseMs);
  }
}

function isAgentGone({ cause }: HotexecError): boolean {
  return cause instanceof HotexecError && cause.details['agentEnded'] !== undefined;
}

async function look({ target, api }: LostRestart): Promise<ContainerFate | null> {
  const { pod, container } = target;
  const known = { name: container.name, id: container.id, podUid: pod.uid };
  try {
    return containerFate(await findPod(pod.name, api), known);
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return error.code === 'target-not-found' ? containerFate(null, known) : null;
  }
}

function errorOf(
  fate: Exclude<ContainerFate, { readonly kind: 'running' }>,
  { asked: { operationId }, target }: LostRestart,
): ErrorData {
  const { name, pod, container } = target;
  const details = { operationId };
  if (fate.kind === 'stopped') {
    const message = `${name}: the pod was stopped by somebody else (${fate.why}) in the middle of operation ${operationId}; its program was let go.`;
    return { code: 'stopped-by-other', message, hint: 'kubectl get pods shows what takes its place.', details };
  }
  const how = fate.end === null ? '' : `, with exit code ${fate.end.exitCode} (${fate.end.reason})`;
  const message = `${name}: container ${container.name} ended in the middle of operation ${operationId}${how}. What runs there after it, if anything, is the program of the image.`;
  const hint = `kubectl logs -n ${pod.namespace} ${pod.name} -c ${container.name} --previous shows its last words; kubectl describe ${name}, who ended it.`;
  return { code: 'target-lost', message, hint, details };
}

// A container of a pod as a front: what is asked of it goes to the agent beside it, by an exec of the relay for each request.
import type { ByteStream } from '../agent/byte-stream.ts';
import { AgentFront } from '../agent/client.ts';
import { defaultAgentImage } from '../agent/image.ts';
import type { Front, HistoryAsked, InspectAsked, Listening, PlanAsked, RestartAsked } from '../front/front.ts';
import type { AgentTarget } from '../protocol/agent.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { ProgramChange } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { findOrMakeAgent } from '../targets/kubernetes/agent.ts';
import { ApiError, type ClusterApi } from '../targets/kubernetes/api.ts';
import { chooseContainer } from '../targets/kubernetes/container.ts';
import { openExec } from '../targets/kubernetes/exec.ts';
import { refuseUnreachable, runningContainer } from '../targets/kubernetes/find-pod.ts';
import { podName, type Pod } from '../targets/kubernetes/pod.ts';
import { programSpec } from '../targets/kubernetes/program-spec.ts';
import { refusalOf } from '../targets/kubernetes/refusal.ts';
import { leaveTrace, type TracedVerb } from '../targets/kubernetes/trace.ts';
import type { FrontContext } from './open-front.ts';
import { acceptedRestart, ProbedFront } from './probed-front.ts';

export interface PodFrontSetting {
  readonly api: ClusterApi;
  readonly context: Pick<FrontContext, 'cluster' | 'signal' | 'onProgress' | 'restart'>;
  /** Disposed of with the front; null: the caller goes on with it. */
  readonly closing: Disposable | null;
}

/** Chooses the container, and finds or makes the agent. Throws HotexecError. */
export async function openPodFront(pod: Pod, { api, context, closing }: PodFrontSetting): Promise<Front> {
  const { cluster, signal, onProgress, restart } = context;
  refuseUnreachable(pod);
  const container = chooseContainer(pod, cluster.container);
  const running = runningContainer(pod, container);
  const { namespace, name, uid } = pod.metadata;
  const target: AgentTarget = {
    name: podName(pod),
    pod: { namespace, name, uid },
    container: { name: container.name, id: running.id, runtime: running.runtime },
    startedAt: running.startedAt,
    spec: programSpec(pod, container),
  };
  const subject = { name: podName(pod), pod, container };
  // Before anything is put into the pod.
  if (restart !== null) acceptedRestart(subject, restart);
  const { agent: choice, force, timeoutMs, version } = cluster;
  const defaultImage = defaultAgentImage(version);
  const making = { api, choice, defaultImage, force, timeoutMs, version, signal, onProgress };
  const agent = await findOrMakeAgent({ pod, container }, making);
  const open = async (until: AbortSignal): Promise<ByteStream> =>
    openRelay({ target, api, agent: agent.name, signal: until });
  const front = new PodFront(new AgentFront({ target, open, version }), { target, pod, api, closing });
  return new ProbedFront(front, subject);
}

interface RelayPlace {
  readonly target: AgentTarget;
  readonly api: ClusterApi;
  /** The agent's container. */
  readonly agent: string;
  readonly signal: AbortSignal;
}

// Stands in the audit log; all that is secret goes by its standard input.
const relay = ['hotexec', 'agent', 'relay'] as const;

async function openRelay({ target, api, agent, signal }: RelayPlace): Promise<ByteStream> {
  const { namespace, name: pod } = target.pod;
  try {
    return await openExec(api.cluster, { namespace, pod, container: agent, command: relay }, signal);
  } catch (error) {
    // Without an answer the network is at fault, and it may come back.
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    throw refusalOf(error, { target: target.name, namespace, what: 'create pods/exec' });
  }
}

interface PodFrontParts {
  readonly target: AgentTarget;
  readonly pod: Pod;
  readonly api: ClusterApi;
  readonly closing: Disposable | null;
}

/** The agent's answers, and a trace of each change in the cluster. */
class PodFront implements Front {
  readonly #agent: AgentFront;
  readonly #parts: PodFrontParts;

  constructor(agent: AgentFront, parts: PodFrontParts) {
    this.#agent = agent;
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.target.name;
  }

  async restart(asked: RestartAsked, listening: Listening): Promise<RestartResult> {
    const result = await this.#agent.restart(asked, listening);
    const { target, pod, api } = this.#parts;
    const trace = { verb: verbOf(asked.program), container: target.container.name, result };
    for (const message of await leaveTrace(trace, pod, api)) listening.onEvent({ kind: 'warning', message });
    return result;
  }

  async plan(asked: PlanAsked, listening: Listening): Promise<Plan> {
    return this.#agent.plan(asked, listening);
  }

  async inspect(asked: InspectAsked, listening: Listening): Promise<Inspection> {
    return this.#agent.inspect(asked, listening);
  }

  async history(asked: HistoryAsked, listening: Listening): Promise<History> {
    return this.#agent.history(asked, listening);
  }

  [Symbol.dispose](): void {
    this.#agent[Symbol.dispose]();
    this.#parts.closing?.[Symbol.dispose]();
  }
}

function verbOf({ version, replacement }: ProgramChange): TracedVerb {
  if (version !== null) return 'rollback';
  return replacement === null ? 'restart' : 'replace';
}

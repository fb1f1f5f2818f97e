// A container of a pod as a front: what is asked of it goes to the agent beside it, by an exec of the relay for each request.
import { askAgent } from '../agent/client.ts';
import type { ByteStream } from '../agent/byte-stream.ts';
import { HotexecError } from '../errors.ts';
import type { Front, HistoryAsked, InspectAsked, Listening, PlanAsked, RestartAsked } from '../front/front.ts';
import type { AgentAnswer, AgentAsked, AgentTarget } from '../protocol/agent.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { ProgramChange } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { findOrMakeAgent, type Agent } from '../targets/kubernetes/agent.ts';
import { ApiError, type ClusterApi } from '../targets/kubernetes/api.ts';
import { chooseContainer } from '../targets/kubernetes/container.ts';
import { openExec } from '../targets/kubernetes/exec.ts';
import { refuseUnreachable, runningContainer } from '../targets/kubernetes/find-pod.ts';
import { podName, type Pod } from '../targets/kubernetes/pod.ts';
import { assessRestart, type Assessed, type Assessment } from '../targets/kubernetes/probes/assess.ts';
import { programSpec } from '../targets/kubernetes/program-spec.ts';
import { refusalOf } from '../targets/kubernetes/refusal.ts';
import { leaveTrace, type TracedVerb } from '../targets/kubernetes/trace.ts';
import type { FrontContext } from './open-front.ts';

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
  if (restart !== null) refuseFirst(assessRestart(subject, restart));
  const { agent: choice, force, timeoutMs, version } = cluster;
  const making = { api, choice, force, timeoutMs, version, signal, onProgress };
  const agent = await findOrMakeAgent({ pod, container }, making);
  return new PodFront({ target, subject, pod, agent, api, closing });
}

interface PodFrontParts {
  readonly target: AgentTarget;
  readonly subject: Assessed;
  readonly pod: Pod;
  readonly agent: Agent;
  readonly api: ClusterApi;
  readonly closing: Disposable | null;
}

// Stands in the audit log; all that is secret goes by its standard input.
const relay = ['hotexec', 'agent', 'relay'] as const;

class PodFront implements Front {
  readonly #parts: PodFrontParts;

  constructor(parts: PodFrontParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.target.name;
  }

  async restart({ operationId, program, options: asked }: RestartAsked, listening: Listening): Promise<RestartResult> {
    const assessment = assessRestart(this.#parts.subject, asked);
    refuseFirst(assessment);
    const { options, warnings } = assessment;
    for (const message of warnings) listening.onEvent({ kind: 'warning', message });
    const answer = await this.#ask(operationId, { kind: 'restart', program, options }, listening);
    if (answer.kind !== 'restart-result') return refuse(answer);
    const result = { ...answer.result, warnings: [...warnings, ...answer.result.warnings] };
    const { target, pod, api } = this.#parts;
    const trace = { verb: verbOf(program), container: target.container.name, result };
    for (const message of await leaveTrace(trace, pod, api)) listening.onEvent({ kind: 'warning', message });
    return result;
  }

  async plan({ operationId, ...asked }: PlanAsked, listening: Listening): Promise<Plan> {
    const { options, warnings, refusals } = assessRestart(this.#parts.subject, asked.options);
    const answer = await this.#ask(operationId, { kind: 'plan', ...asked, options }, listening);
    if (answer.kind !== 'plan-result') return refuse(answer);
    const { result } = answer;
    return {
      ...result,
      possible: result.possible && refusals.length === 0,
      refusals: [...refusals, ...result.refusals],
      warnings: [...warnings, ...result.warnings],
    };
  }

  async inspect({ operationId, ...asked }: InspectAsked, listening: Listening): Promise<Inspection> {
    const answer = await this.#ask(operationId, { kind: 'inspect', ...asked }, listening);
    return answer.kind === 'inspect-result' ? answer.result : refuse(answer);
  }

  async history({ operationId }: HistoryAsked, listening: Listening): Promise<History> {
    const answer = await this.#ask(operationId, { kind: 'history' }, listening);
    return answer.kind === 'history-result' ? answer.result : refuse(answer);
  }

  [Symbol.dispose](): void {
    this.#parts.closing?.[Symbol.dispose]();
  }

  async #ask(operationId: string, asked: AgentAsked, listening: Listening): Promise<AgentAnswer> {
    const { target } = this.#parts;
    return askAgent(async (signal) => this.#openRelay(signal), { operationId, target, asked }, listening);
  }

  async #openRelay(signal: AbortSignal): Promise<ByteStream> {
    const { target, agent, api } = this.#parts;
    const { namespace, name: pod } = target.pod;
    try {
      return await openExec(api.cluster, { namespace, pod, container: agent.name, command: relay }, signal);
    } catch (error) {
      // Without an answer the network is at fault, and it may come back.
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      throw refusalOf(error, { target: target.name, namespace, what: 'create pods/exec' });
    }
  }
}

/** Throws the first reason against it. */
function refuseFirst({ refusals: [first] }: Assessment): void {
  if (first !== undefined) throw new HotexecError(first);
}

function verbOf({ version, replacement }: ProgramChange): TracedVerb {
  if (version !== null) return 'rollback';
  return replacement === null ? 'restart' : 'replace';
}

function refuse(answer: AgentAnswer): never {
  if (answer.kind === 'failure') throw new HotexecError(answer.error);
  throw new Error(`the agent answered another question: ${answer.kind}`);
}

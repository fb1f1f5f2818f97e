// A container of a pod as a front: what is asked of it goes to the agent beside it, by an exec of the relay for each request.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ByteStream } from '../agent/byte-stream.ts';
import { AgentFront } from '../agent/client.ts';
import { defaultAgentImage } from '../agent/image.ts';
import { HotexecError, type ErrorData } from '../errors.ts';
import type {
  Front,
  HistoryAsked,
  InspectAsked,
  Listening,
  OutcomeAsked,
  PlanAsked,
  RestartAsked,
} from '../front/front.ts';
import { Story } from '../front/story.ts';
import type { AgentTarget } from '../protocol/agent.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { ProgramChange } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { findOrMakeAgent } from '../targets/kubernetes/agent.ts';
import { ApiError, type ClusterApi } from '../targets/kubernetes/api.ts';
import { chooseContainer } from '../targets/kubernetes/container.ts';
import { findPod, refuseUnreachable, runningContainer } from '../targets/kubernetes/find-pod.ts';
import { accessesFor, programUser, type Access } from '../targets/kubernetes/agent-container.ts';
import { podName, type Container, type Pod } from '../targets/kubernetes/pod.ts';
import { programSpec } from '../targets/kubernetes/program-spec.ts';
import { openRelay } from '../targets/kubernetes/relay.ts';
import { withoutUntouched } from '../targets/refusal.ts';
import { leaveTrace, type TracedVerb } from '../targets/kubernetes/trace.ts';
import { resultWithoutAgent } from './lost-agent.ts';
import type { FrontContext } from './open-front.ts';
import { commandHooks } from './pod-hooks.ts';
import { acceptedRestart, ProbedFront } from './probed-front.ts';

export interface PodFrontSetting {
  readonly api: ClusterApi;
  readonly context: Pick<FrontContext, 'cluster' | 'signal' | 'onProgress' | 'restart'>;
  /** Disposed of with the front; null: the caller goes on with it. */
  readonly closing: Disposable | null;
}

/** Chooses the container, and finds or makes the agent. Throws HotexecError. */
export async function openPodFront(pod: Pod, setting: PodFrontSetting): Promise<Front> {
  const { cluster, restart } = setting.context;
  refuseUnreachable(pod);
  const container = chooseContainer(pod, cluster.container);
  const target = agentTarget(pod, container);
  const subject = { name: podName(pod), pod, container };
  // Before anything is put into the pod.
  if (restart !== null) acceptedRestart(subject, restart);
  const accesses = accessesFor(programUser(pod, container), cluster.agent.user);
  const parts: PodFrontParts = { ...setting, pod, container, target };
  return new ProbedFront(new PodFront(await agentFor(parts, accesses), parts), subject);
}

/** Of an agent that is there already: nothing is put into the pod. Throws HotexecError. */
export function openPresentAgent(
  { pod, container, agent }: PresentAgent,
  { api, version }: { readonly api: ClusterApi; readonly version: string },
): AgentFront {
  const target = agentTarget(pod, container);
  const open = async (signal: AbortSignal): Promise<ByteStream> => openRelay({ pod, api, agent }, signal);
  return new AgentFront({ target, version, open, reconnectMs: lookAgainMs });
}

// Nothing is at stake: who looks at many does not wait for one.
const lookAgainMs = 3000;

export interface PresentAgent {
  readonly pod: Pod;
  readonly container: Container;
  /** Its container. */
  readonly agent: string;
}

interface PodFrontParts extends PodFrontSetting {
  readonly pod: Pod;
  readonly container: Container;
  readonly target: AgentTarget;
}

function agentTarget(pod: Pod, container: Container): AgentTarget {
  const { id, runtime, startedAt } = runningContainer(pod, container);
  const { namespace, name, uid } = pod.metadata;
  return {
    name: podName(pod),
    pod: { namespace, name, uid },
    container: { name: container.name, id, runtime },
    startedAt,
    spec: programSpec(pod, container),
  };
}

interface ReachedAgent extends Disposable {
  readonly front: AgentFront;
  /** Its own first, then what may be tried where it may not do it. */
  readonly accesses: readonly Access[];
}

/** `gone`: agents that have ended, as far as is known here. */
async function agentFor(
  parts: PodFrontParts,
  accesses: readonly Access[],
  gone: ReadonlySet<string> = new Set(),
): Promise<ReachedAgent> {
  const { pod, container, api, target, context } = parts;
  const { agent: choice, force, timeoutMs, version } = context.cluster;
  const { signal, onProgress } = context;
  const making = {
    api,
    choice,
    defaultImage: defaultAgentImage(version),
    force,
    gone,
    timeoutMs,
    version,
    signal,
    onProgress,
  };
  const agent = await findOrMakeAgent({ pod, container }, accesses, making);
  let { way } = agent;
  const takeWay = (): ByteStream | null => {
    const first = way;
    way = null;
    return first;
  };
  const open = async (until: AbortSignal): Promise<ByteStream> =>
    takeWay() ?? (await openRelay({ pod, api, agent: agent.name }, until));
  const from = accesses.findIndex((access) => isDeepStrictEqual(access, agent.access));
  return {
    front: new AgentFront({ target, open, version }),
    accesses: accesses.slice(from),
    [Symbol.dispose]: () => takeWay()?.close(),
  };
}

/** The agent's answers, and a trace of each change in the cluster. */
class PodFront implements Front {
  readonly #parts: PodFrontParts;
  readonly #gone = new Set<string>();
  #agent: ReachedAgent;

  constructor(agent: ReachedAgent, parts: PodFrontParts) {
    this.#agent = agent;
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.target.name;
  }

  async restart(asked: RestartAsked, listening: Listening): Promise<RestartResult> {
    const { target, pod, api } = this.#parts;
    const runHook = commandHooks(this.#parts);
    const story = new Story();
    const onEvent = (event: HotexecEvent): void => {
      story.note(event);
      listening.onEvent(event);
    };
    const result = await this.#ask({
      ask: async (front) => front.restart(asked, { ...listening, onEvent, runHook }),
      refusals: ({ outcome, error }) => (outcome === 'unchanged' && error !== null ? [error] : []),
    }).catch(async (error: unknown) => {
      if (!(error instanceof HotexecError) || error.code !== 'outcome-unknown') throw error;
      const told = await resultWithoutAgent(error, { asked, story, target, api });
      if (told !== null) return told;
      throw endedAgent(error) === null ? error : await this.#succeed(error, listening);
    });
    const trace = { verb: verbOf(asked.program), container: target.container.name, result };
    for (const message of await leaveTrace(trace, pod, api)) onEvent({ kind: 'warning', message });
    return result;
  }

  async plan(asked: PlanAsked, listening: Listening): Promise<Plan> {
    return this.#ask({ ask: async (front) => front.plan(asked, listening), refusals: (plan) => plan.refusals });
  }

  async inspect(asked: InspectAsked, listening: Listening): Promise<Inspection> {
    return this.#ask({
      ask: async (front) => front.inspect(asked, listening),
      refusals: ({ verdict }) => verdict.refusals,
    });
  }

  async history(asked: HistoryAsked, listening: Listening): Promise<History> {
    return this.#ask({ ask: async (front) => front.history(asked, listening), refusals: () => [] });
  }

  async outcome(asked: OutcomeAsked, listening: Listening): Promise<RestartResult> {
    return this.#agent.front.outcome(asked, listening);
  }

  [Symbol.dispose](): void {
    this.#agent.front[Symbol.dispose]();
    this.#agent[Symbol.dispose]();
    this.#parts.closing?.[Symbol.dispose]();
  }

  /**
   * Where the node does not let this agent do it, another one may: the program's own user is not enough under Yama, or where its group
   * stands in its image alone. Nothing has been touched then.
   */
  async #ask<Result>({ ask, refusals }: Question<Result>): Promise<Result> {
    let refused: HotexecError | null = null;
    try {
      const result = await this.#askPresent(ask);
      if (!refusals(result).some(({ code }) => code === 'not-permitted')) return result;
      if ((await this.#takeAnother()) !== 'taken') return result;
    } catch (error) {
      if (!isRefusedThere(error)) throw error;
      refused = error;
    }
    if (refused !== null) {
      const other = await this.#takeAnother();
      if (other === 'none') throw withWayOut(refused);
      if (other !== 'taken') throw withBoth(refused, other);
    }
    return this.#askPresent(ask).catch((error: unknown) => {
      throw isRefusedThere(error) ? withWayOut(error) : error;
    });
  }

  /** Of an agent whose time was over just when it was found, the successor. */
  async #askPresent<Result>(ask: Question<Result>['ask']): Promise<Result> {
    try {
      return await ask(this.#agent.front);
    } catch (error) {
      const ended = error instanceof HotexecError && error.code === 'agent-unreachable' ? endedAgent(error) : null;
      if (ended === null) throw error;
      await this.#take(this.#agent.accesses, ended);
    }
    return ask(this.#agent.front);
  }

  /** Of an agent that was killed in the middle: its successor puts in order what it left, and what came of it stays unknown. */
  async #succeed(error: HotexecError, listening: Listening): Promise<HotexecError> {
    try {
      await this.#take(this.#agent.accesses, endedAgent(error));
      await this.#agent.front.inspect({ operationId: randomUUID(), showEnvironment: false }, listening);
    } catch {
      return error; // which says what to do
    }
    const message = `${error.message} Its successor has looked after that.`;
    return new HotexecError(
      { ...error.toData(), message, hint: `hotexec inspect ${this.name} shows what runs.` },
      { cause: error },
    );
  }

  /** The pod has other ephemeral containers now than when it was found. */
  async #take(accesses: readonly Access[], ended: string | null = null): Promise<void> {
    if (ended !== null) this.#gone.add(ended);
    const pod = await findPod(this.#parts.pod.metadata.name, this.#parts.api);
    this.#agent[Symbol.dispose]();
    this.#agent = await agentFor({ ...this.#parts, pod }, accesses, this.#gone);
  }

  /** An error: why the cluster does not let one in. */
  async #takeAnother(): Promise<'taken' | 'none' | HotexecError> {
    const others = this.#agent.accesses.slice(1);
    if (others.length === 0) return 'none';
    try {
      await this.#take(others);
      return 'taken';
    } catch (error) {
      if (error instanceof HotexecError && error.code === 'not-permitted') return error;
      throw error;
    }
  }
}

/** The name of an agent that is no more; null: the error is about something else. */
function endedAgent({ details }: HotexecError): string | null {
  const { agentEnded } = details;
  return typeof agentEnded === 'string' ? agentEnded : null;
}

interface Question<Result> {
  readonly ask: (front: AgentFront) => Promise<Result>;
  /** Why it was not done, where the answer says so. */
  readonly refusals: (result: Result) => readonly ErrorData[];
}

/** By the kernel of the node; the API server's refusals have its error as their cause. */
function isRefusedThere(error: unknown): error is HotexecError {
  return error instanceof HotexecError && error.code === 'not-permitted' && !(error.cause instanceof ApiError);
}

/** What can be done about it from here, not there. */
function withWayOut(error: HotexecError): HotexecError {
  const hint =
    '--agent-user UID:GID of the program (kubectl exec POD -- id), or --agent-user 0 for an agent with SYS_PTRACE';
  return new HotexecError({ ...error.toData(), hint }, { cause: error });
}

/** The node refuses one agent, and the cluster the other. */
function withBoth(there: HotexecError, other: HotexecError): HotexecError {
  const why = withoutUntouched(there.message);
  return new HotexecError({ ...other.toData(), message: `${why} ${other.message}` }, { cause: there });
}

function verbOf({ version, replacement }: ProgramChange): TracedVerb {
  if (version !== null) return 'rollback';
  return replacement === null ? 'restart' : 'replace';
}

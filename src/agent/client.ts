// The front of a container in a pod, as the command sees it: what is asked goes to the agent, whatever carries the bytes. A cut
// connection is made again, and the agent asked what came of it.
import { setTimeout as delay } from 'node:timers/promises';
import { HotexecError } from '../errors.ts';
import type {
  Front,
  HistoryAsked,
  InspectAsked,
  Listening,
  OutcomeAsked,
  PlanAsked,
  RestartAsked,
} from '../front/front.ts';
import { longestMs } from '../front/restart.ts';
import { throwIfCancelled } from '../front/session.ts';
import { withoutUntouched } from '../targets/refusal.ts';
import type { AgentAnswer, AgentAsked, AgentTarget } from '../protocol/agent.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import { defaultRestartOptions, sameProgram } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { Conversation, type Asking } from './conversation.ts';
import { CutError, Link, type LinkOptions } from './link.ts';
import { pack } from './pack.ts';

export interface AgentFrontOptions extends Omit<LinkOptions, 'name'> {
  readonly target: AgentTarget;
  /** For how long a connection that is gone is made again, ms; 60,000 without it. */
  readonly reconnectMs?: number;
}

const defaultReconnectMs = 60_000;
const [firstPauseMs, longestPauseMs] = [100, 5000];
/** An engine that was killed is mended by up to three others. */
const mendingMs = 120_000;
const lookMs = 120_000;

export class AgentFront implements Front {
  readonly name: string;
  readonly #options: AgentFrontOptions & LinkOptions;

  constructor(options: AgentFrontOptions) {
    this.name = options.target.name;
    this.#options = { ...options, name: options.target.name };
  }

  async restart({ operationId, program, options }: RestartAsked, listening: Listening): Promise<RestartResult> {
    const answer = await this.#ask(operationId, { kind: 'restart', program, options }, listening);
    return answer.kind === 'restart-result' ? answer.result : refuse(answer);
  }

  async plan({ operationId, program, options, gdbScript }: PlanAsked, listening: Listening): Promise<Plan> {
    const answer = await this.#ask(operationId, { kind: 'plan', program, options, gdbScript }, listening);
    return answer.kind === 'plan-result' ? answer.result : refuse(answer);
  }

  async inspect({ operationId, showEnvironment }: InspectAsked, listening: Listening): Promise<Inspection> {
    const answer = await this.#ask(operationId, { kind: 'inspect', showEnvironment }, listening);
    return answer.kind === 'inspect-result' ? answer.result : refuse(answer);
  }

  async history({ operationId }: HistoryAsked, listening: Listening): Promise<History> {
    const answer = await this.#ask(operationId, { kind: 'history' }, listening);
    return answer.kind === 'history-result' ? answer.result : refuse(answer);
  }

  async outcome({ operationId }: OutcomeAsked, listening: Listening): Promise<RestartResult> {
    const asked = { kind: 'restart', program: sameProgram, options: defaultRestartOptions } as const;
    const answer = await this.#converse({ operationId, asked, attaches: true, listening });
    return answer.kind === 'restart-result' ? answer.result : refuse(answer);
  }

  /** Each request has had a connection of its own. */
  [Symbol.dispose](): void {}

  async #ask(operationId: string, asked: AgentAsked, listening: Listening): Promise<AgentAnswer> {
    return this.#converse({ operationId, asked, attaches: false, listening });
  }

  async #converse(wanted: Pick<Asking, 'operationId' | 'asked' | 'attaches' | 'listening'>): Promise<AgentAnswer> {
    const { asked, listening } = wanted;
    throwIfCancelled(listening.signal);
    const { target, reconnectMs = defaultReconnectMs } = this.#options;
    const packed = await pack(asked);
    using conversation = new Conversation({ ...wanted, target, packed });
    const answerWithinMs = longestAnswerMs(asked, target);
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const progressMs = conversation.progressMs;
      const cut = await this.#try(conversation, answerWithinMs);
      if (!(cut instanceof CutError)) return cut;
      if (!conversation.wasAsked) throwIfCancelled(listening.signal);
      if (conversation.progressMs > progressMs) pauseMs = firstPauseMs;
      const isOver = performance.now() - conversation.progressMs + pauseMs > reconnectMs;
      if (isOver || conversation.isLate(answerWithinMs)) throw this.#givenUp(conversation, cut);
      // A cancel ends the pause; what it means is decided above.
      await delay(pauseMs, undefined, { signal: conversation.signalBefore }).catch(() => {});
    }
  }

  async #try(conversation: Conversation, answerWithinMs: number): Promise<AgentAnswer | CutError> {
    try {
      // Once it was asked, a cancel goes over the connection, and must not cut it.
      using link = await Link.open(this.#options, conversation.signalBefore);
      return await conversation.hold(link, answerWithinMs);
    } catch (error) {
      if (error instanceof CutError) return error;
      if (!conversation.wasAsked || !(error instanceof HotexecError) || error.code === 'file-not-written') throw error;
      // The pod or the agent may be gone: what came of it is not known all the same.
      throw this.#givenUp(conversation, error);
    }
  }

  #givenUp({ operationId, wasAsked, asked }: Conversation, cause: Error): HotexecError {
    const name = this.name;
    const isUnknown = wasAsked && asked.kind === 'restart';
    if (!isUnknown) {
      const message = `${name}: the agent in the pod does not answer (${cause.message}). Nothing was touched.`;
      return new HotexecError(
        { code: 'agent-unreachable', message, hint: 'run the command again', details: { operationId } },
        { cause },
      );
    }
    const { agentEnded } = cause instanceof HotexecError ? cause.details : {};
    if (agentEnded !== undefined) {
      const message = `${name}: the agent (${String(agentEnded)}) has ended in the middle of operation ${operationId}: it was killed, perhaps for want of memory. The program is the old or the new one, and may stand stopped.`;
      const hint = `hotexec inspect ${name} puts in order what was left, and shows what runs.`;
      return new HotexecError(
        { code: 'outcome-unknown', message, hint, details: { operationId, agentEnded } },
        { cause },
      );
    }
    const why = withoutUntouched(cause.message);
    const message = `${name}: the connection to the agent is lost (${why}), and with it what came of operation ${operationId}. The agent finishes or undoes it on its own.`;
    const hint = `hotexec inspect ${name} --operation ${operationId} tells what came of it; without --operation what runs.`;
    return new HotexecError({ code: 'outcome-unknown', message, hint, details: { operationId } }, { cause });
  }
}

function longestAnswerMs(asked: AgentAsked, { spec }: AgentTarget): number {
  if (asked.kind !== 'restart') return lookMs;
  const target = { name: '', pid: 0, startTicks: 0, container: null, spec };
  return longestMs({ options: asked.options, target }) + mendingMs;
}

function refuse(answer: AgentAnswer): never {
  if (answer.kind === 'failure') throw new HotexecError(answer.error);
  throw new Error(`the agent answered another question: ${answer.kind}`);
}

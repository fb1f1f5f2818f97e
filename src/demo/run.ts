// One restart under load, and what came of it: the result, what clients saw, and what /proc tells of the process afterwards.
import { HotexecError } from '../errors.ts';
import type { RestartOptions } from '../front/options.ts';
import { recordTimeline, type Timeline, type TimelineRequest } from '../front/timeline.ts';
import type { SingleTarget } from '../targets/target-name.ts';
import type { RestartResult } from '../protocol/result.ts';
import type { ServerAnswer } from './ask.ts';
import { startLoad, type Requests, type RunningLoad } from './load.ts';
import { readProcessFacts, type ProcessFacts } from './process-facts.ts';
import type { Sandbox } from './sandbox.ts';
import { until } from './wait.ts';

export type Restart = (target: SingleTarget, options: RestartOptions) => Promise<RestartResult>;

/** What is demonstrated, and how it is asked for. */
export interface Trial {
  readonly name: string;
  /** As a person would type it behind `hotexec restart PID`. */
  readonly flags: string;
  readonly options: Pick<RestartOptions, 'drain' | 'handover' | 'env'>;
  readonly outcome: RestartResult['outcome'];
  /** Clients are promised that nobody notices. */
  readonly losesNothing: boolean;
}

export interface Run {
  readonly trial: Trial;
  readonly timeline: Timeline;
  readonly requests: Requests;
  readonly tally: Tally;
  readonly facts: ProcessFacts;
  /** Of the program that runs now. */
  readonly answer: ServerAnswer;
}

export interface Tally {
  readonly sent: number;
  readonly answered: number;
  readonly refused: number;
  /** Connected, and never answered. */
  readonly cutOff: number;
  /** Of those that were answered, ms. */
  readonly slowestMs: number;
}

export interface Means {
  readonly sandbox: Sandbox;
  readonly restart: Restart;
  readonly signal: AbortSignal;
}

const everyMs = 8;
const limit = 2_000;
const answerTimeoutMs = 8_000;
/** So many are answered before the restart, and so many after it by the program that runs then. */
const enough = 25;

export async function runTrial(trial: Trial, { sandbox, restart, signal }: Means): Promise<Run> {
  using load = startLoad({ port: sandbox.port, everyMs, limit, signal });
  const wait = { timeoutMs: answerTimeoutMs, everyMs, signal, what: 'not enough requests were answered' };
  await until(() => (load.answers.length >= enough ? true : null), wait);

  const recorder = recordTimeline();
  const options = { ...trial.options, signal, timeline: true, onEvent: recorder.onEvent };
  const before = load.answers.length;
  const result = await resultOf(restart(`pid/${sandbox.pid}`, options));
  if (result.outcome !== trial.outcome) throw notAsMeant(result);

  const answer = await until(() => newAnswer(load, before), wait);
  const requests = await load.stop();
  const timeline = recorder.finish(result, {
    title: trial.name,
    about: `hotexec restart ${result.pid} ${trial.flags}`,
    requests: requests.requests,
  });
  return { trial, timeline, requests, tally: tallyOf(requests.requests), facts: factsOf(sandbox), answer };
}

/** A rollback rejects: the new version does not run. Here it is what was wanted. */
async function resultOf(restarted: Promise<RestartResult>): Promise<RestartResult> {
  try {
    return await restarted;
  } catch (error) {
    if (error instanceof HotexecError && error.result !== null && error.code === 'new-program-failed')
      return error.result;
    throw error;
  }
}

/** Of an instance that was not there before, when it has given enough of them. */
function newAnswer({ answers }: RunningLoad, before: number): ServerAnswer | null {
  const known = new Set(answers.slice(0, before).map(({ instance }) => instance));
  const fresh = answers.filter(({ instance }) => !known.has(instance));
  return fresh.length >= enough ? (fresh.at(-1) ?? null) : null;
}

function tallyOf(requests: readonly TimelineRequest[]): Tally {
  const answered = requests.filter(({ end }) => end === 'answered');
  const refused = requests.filter(({ end }) => end === 'refused').length;
  return {
    sent: requests.length,
    answered: answered.length,
    refused,
    cutOff: requests.length - answered.length - refused,
    slowestMs: Math.max(0, ...answered.map(({ startMs, endMs }) => endMs - startMs)),
  };
}

function notAsMeant({ error, outcome }: RestartResult): HotexecError {
  const message = `the demo's server was to be restarted, and the outcome is: ${outcome}`;
  return new HotexecError(error ?? { code: 'bug', message, hint: null });
}

export function factsOf({ pid, port }: Pick<Sandbox, 'pid' | 'port'>): ProcessFacts {
  const facts = readProcessFacts(pid, port);
  if (facts !== 'gone') return facts;
  throw new HotexecError({
    code: 'target-lost',
    message: `the demo's server (pid ${pid}) has ended by itself.`,
    hint: null,
  });
}

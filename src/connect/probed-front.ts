// A pod's front that goes by the pod's own description: a restart that its liveness probe would not survive is refused, its readiness probe is
// what the new program must answer, and what is not done is said.
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
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { assessRestart, type Assessed, type Assessment } from '../targets/kubernetes/probes/assess.ts';

export class ProbedFront implements Front {
  readonly #front: Front;
  readonly #subject: Assessed;

  /** Goes with `front`, and disposes of it. */
  constructor(front: Front, subject: Assessed) {
    this.#front = front;
    this.#subject = subject;
  }

  get name(): string {
    return this.#front.name;
  }

  async restart(asked: RestartAsked, listening: Listening): Promise<RestartResult> {
    const { options, warnings } = acceptedRestart(this.#subject, asked.options);
    for (const message of warnings) listening.onEvent({ kind: 'warning', message });
    const result = await this.#front.restart({ ...asked, options }, listening);
    return { ...result, warnings: [...warnings, ...result.warnings] };
  }

  async plan(asked: PlanAsked, listening: Listening): Promise<Plan> {
    const { options, warnings, refusals } = assessRestart(this.#subject, asked.options);
    const plan = await this.#front.plan({ ...asked, options }, listening);
    return {
      ...plan,
      possible: plan.possible && refusals.length === 0,
      refusals: [...refusals, ...plan.refusals],
      warnings: [...warnings, ...plan.warnings],
    };
  }

  async inspect(asked: InspectAsked, listening: Listening): Promise<Inspection> {
    return this.#front.inspect(asked, listening);
  }

  async history(asked: HistoryAsked, listening: Listening): Promise<History> {
    return this.#front.history(asked, listening);
  }

  async outcome(asked: OutcomeAsked, listening: Listening): Promise<RestartResult> {
    return this.#front.outcome(asked, listening);
  }

  [Symbol.dispose](): void {
    this.#front[Symbol.dispose]();
  }
}

/** Throws HotexecError with the first reason against it. */
export function acceptedRestart(subject: Assessed, options: RestartOptions): Assessment {
  const assessment = assessRestart(subject, options);
  const [refusal] = assessment.refusals;
  if (refusal !== undefined) throw new HotexecError(refusal);
  return assessment;
}

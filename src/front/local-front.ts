// A process that this machine's engines reach: what is asked of it is one engine's work.
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { HotexecError } from '../errors.ts';
import type { Front, HistoryAsked, InspectAsked, Listening, PlanAsked, RestartAsked } from './front.ts';
import type { StartEngine } from './launch.ts';
import { askRestart } from './restart.ts';
import { askHistory, askInspection, askPlan, type Session } from './session.ts';

export class LocalFront implements Front {
  readonly #target: TargetProcess;
  readonly #startEngine: StartEngine;

  constructor(target: TargetProcess, startEngine: StartEngine) {
    this.#target = target;
    this.#startEngine = startEngine;
  }

  get name(): string {
    return this.#target.name;
  }

  async restart(asked: RestartAsked, listening: Listening): Promise<RestartResult> {
    using engine = this.#startEngine();
    return await askRestart({ kind: 'restart', target: this.#target, ...asked }, this.#session(engine, listening));
  }

  async plan(asked: PlanAsked, listening: Listening): Promise<Plan> {
    using engine = this.#startEngine();
    return await askPlan({ kind: 'plan', target: this.#target, ...asked }, this.#session(engine, listening));
  }

  async inspect(asked: InspectAsked, listening: Listening): Promise<Inspection> {
    using engine = this.#startEngine();
    return await askInspection({ kind: 'inspect', target: this.#target, ...asked }, this.#session(engine, listening));
  }

  async history(asked: HistoryAsked, listening: Listening): Promise<History> {
    using engine = this.#startEngine();
    return await askHistory({ kind: 'history', target: this.#target, ...asked }, this.#session(engine, listening));
  }

  /** Whoever asked an engine of this machine has its answer. */
  async outcome(): Promise<RestartResult> {
    throw new HotexecError({
      code: 'usage',
      message: `${this.name}: --operation is for what an agent in a pod was asked to do.`,
      hint: `hotexec rollback ${this.name} --list shows the programs that ran there, and the operations that started them.`,
    });
  }

  /** Engines end by themselves. */
  [Symbol.dispose](): void {}

  #session(engine: Session['engine'], listening: Listening): Session {
    return { engine, startEngine: this.#startEngine, ...listening };
  }
}

// What a command asks, wherever the target is: of an engine on this machine, or of the agent in a pod.
import type { HotexecEvent } from '../protocol/event.ts';
import type { RunHook } from '../protocol/hook.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { GdbScriptOptions, ProgramChange, RestartOptions } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';

export interface Listening {
  /** Cancels: before the point of no return nothing changes. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: HotexecEvent) => void;
  /** Runs a hook of the container; missing: there is nobody who could. */
  readonly runHook?: RunHook | undefined;
}

export interface RestartAsked {
  readonly operationId: string;
  readonly program: ProgramChange;
  readonly options: RestartOptions;
}

export interface PlanAsked extends RestartAsked {
  /** `--format gdb`; null: no script. */
  readonly gdbScript: GdbScriptOptions | null;
}

export interface InspectAsked {
  readonly operationId: string;
  /** Values of the environment too, not only names. */
  readonly showEnvironment: boolean;
}

export interface HistoryAsked {
  readonly operationId: string;
}

export interface OutcomeAsked {
  /** Of the restart. */
  readonly operationId: string;
}

/** One target. Each of these rejects with a HotexecError where there is no result. */
export interface Front extends Disposable {
  /** As it is printed: `docker/web`, `pod/web-0`. */
  readonly name: string;
  restart(asked: RestartAsked, listening: Listening): Promise<RestartResult>;
  plan(asked: PlanAsked, listening: Listening): Promise<Plan>;
  inspect(asked: InspectAsked, listening: Listening): Promise<Inspection>;
  history(asked: HistoryAsked, listening: Listening): Promise<History>;
  /** What came of a restart that was asked for before, by its id: for who has lost the connection. Nothing is done. */
  outcome(asked: OutcomeAsked, listening: Listening): Promise<RestartResult>;
}

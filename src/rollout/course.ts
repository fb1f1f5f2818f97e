// What has become of each pod of a rollout so far; every step of one is told.
import type { ErrorData } from '../errors.ts';
import type { RestartResult } from '../protocol/result.ts';
import type { Situation, Stage } from './decide.ts';
import type { PodState, RolloutEvent } from './event.ts';
import { targetName, type RolloutPod } from './pod.ts';
import type { FailedPod } from '../protocol/list.ts';

export interface Member {
  readonly pod: RolloutPod;
  stage: Stage;
  /** When it was begun, as a number among all. */
  turn: number | null;
  item: RestartResult | FailedPod | null;
  why: string | null;
}

export interface Telling {
  readonly nowMs: () => number;
  readonly onEvent: (event: RolloutEvent) => void;
}

export class Course {
  readonly members: readonly Member[];
  readonly #telling: Telling;
  #turns = 0;
  #lastEndMs: number | null = null;

  constructor(pods: readonly RolloutPod[], telling: Telling) {
    this.members = pods.map((pod) => ({ pod, stage: 'waiting', turn: null, item: null, why: null }));
    this.#telling = telling;
  }

  situation(cancelled: boolean): Situation {
    const stages = this.members.map(({ stage }) => stage);
    return { stages, lastEndMs: this.#lastEndMs, nowMs: this.#telling.nowMs(), cancelled };
  }

  go(member: Member, stage: 'restarting' | 'settling'): void {
    member.turn ??= this.#turns++;
    member.stage = stage;
    this.#tell(member, stage, null);
  }

  finish(member: Member, item: RestartResult): void {
    member.item = item;
    member.stage = 'done';
    this.#tell(member, 'restarted', null);
  }

  fail(member: Member, item: RestartResult | FailedPod): void {
    member.turn ??= this.#turns++;
    member.item = item;
    member.stage = 'failed';
    this.#tell(member, 'failed', item.error?.message ?? null);
  }

  /** It was done, and has become worse since. */
  regress(member: Member, error: ErrorData): void {
    if (member.item !== null) this.fail(member, { ...member.item, error });
  }

  skip(member: Member, why: string): void {
    member.stage = 'skipped';
    member.why = why;
    this.#tell(member, 'skipped', why);
  }

  /** A pod is not busy any more. */
  ended(): void {
    this.#lastEndMs = this.#telling.nowMs();
  }

  /** The pods whose turn does not come. */
  leaveRest(): readonly RolloutPod[] {
    const rest = this.members.filter(({ stage }) => stage === 'waiting');
    for (const member of rest) this.#tell(member, 'untouched', null);
    return rest.map(({ pod }) => pod);
  }

  /** In the order in which they were begun. A pod that was restarted and is gone has none. */
  items(): readonly (RestartResult | FailedPod)[] {
    const begun = this.members.filter(({ stage }) => stage !== 'skipped');
    const inTurn = begun.toSorted((a, b) => (a.turn ?? 0) - (b.turn ?? 0));
    return inTurn.flatMap(({ item }) => (item === null ? [] : [item]));
  }

  #tell({ pod, item }: Member, state: PodState, why: string | null): void {
    const result = state === 'restarted' || state === 'failed' ? item : null;
    this.#telling.onEvent({ kind: 'pod', target: targetName(pod), state, why, result });
  }
}

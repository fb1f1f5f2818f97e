// A cluster of a few pods that behave as told, and a clock that runs only while somebody waits for it.
import { HotexecError, type ErrorCode } from '../../../src/errors.ts';
import type { Front, Listening } from '../../../src/front/front.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import type { Policy } from '../../../src/rollout/decide.ts';
import type { RolloutEvent } from '../../../src/rollout/event.ts';
import type { RolloutPod } from '../../../src/rollout/pod.ts';
import type { RestartList } from '../../../src/protocol/list.ts';
import { rollOut, type Means } from '../../../src/rollout/roll-out.ts';
import { restartResult } from '../../support/samples.ts';

export type Fate = (pod: RolloutPod, listening: Listening) => RestartResult | Promise<RestartResult>;

export const good: Fate = ({ name }, { onEvent }) => {
  onEvent({ kind: 'phase', phase: 'probation', atMs: 1 });
  return { ...restartResult, target: `pod/${name}` };
};

export const rolledBack: Fate = ({ name }) => ({
  ...restartResult,
  target: `pod/${name}`,
  outcome: 'rolled-back',
  error: { code: 'new-program-failed', message: 'it exited with 1', hint: null },
});

export function refused(code: ErrorCode): Fate {
  return () => {
    throw new HotexecError({ code, message: `refused: ${code}`, hint: null });
  };
}

async function unasked(): Promise<never> {
  throw new Error('not asked for');
}

export class Setting {
  pods: RolloutPod[];
  readonly events: RolloutEvent[] = [];
  readonly began: string[] = [];
  readonly atMs: Map<string, number> = new Map();
  readonly controller: AbortController = new AbortController();
  readonly #fates: Readonly<Record<string, Fate>>;
  /** So many questions are not answered. */
  unreachable = 0;
  now = 0;
  busy = 0;
  mostBusy = 0;

  constructor(pods: readonly RolloutPod[], fates: Readonly<Record<string, Fate>> = {}) {
    this.pods = [...pods];
    this.#fates = fates;
  }

  change(name: string, more: Partial<RolloutPod>): void {
    this.pods = this.pods.map((pod) => (pod.name === name ? { ...pod, ...more } : pod));
  }

  remove(name: string): void {
    this.pods = this.pods.filter((pod) => pod.name !== name);
  }

  readonly means: Means = {
    openPod: async (pod) => {
      this.began.push(pod.name);
      this.atMs.set(pod.name, this.now);
      const front: Front = {
        name: `pod/${pod.name}`,
        restart: async (_asked, listening) => {
          this.busy += 1;
          this.mostBusy = Math.max(this.mostBusy, this.busy);
          try {
            await new Promise((resolve) => setImmediate(resolve));
            return await (this.#fates[pod.name] ?? good)(pod, listening);
          } finally {
            this.busy -= 1;
          }
        },
        plan: unasked,
        inspect: unasked,
        history: unasked,
        outcome: unasked,
        [Symbol.dispose]: () => {},
      };
      return Promise.resolve({
        front,
        staleForMs: 0,
        readyWithinMs: 5_000,
        [Symbol.dispose]: () => {},
      });
    },
    listPods: async () => {
      if (this.unreachable > 0) {
        this.unreachable -= 1;
        throw new HotexecError({ code: 'runtime-unreachable', message: 'no answer', hint: null });
      }
      return Promise.resolve(this.pods);
    },
    newOperationId: () => 'operation',
    clock: {
      nowMs: () => this.now,
      wait: async (ms, signal) => {
        // What is under way comes first.
        await new Promise((resolve) => setImmediate(resolve));
        if (!signal.aborted && ms < 1_000_000) this.now += ms;
        else if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    },
    signal: this.controller.signal,
    onEvent: (event) => void this.events.push(event),
  };

  async run(policy: Partial<Policy> = {}, minReadyMs = 0): Promise<RestartList> {
    return rollOut(
      {
        target: 'deployment/web',
        pods: this.pods,
        program: sameProgram,
        options: defaultRestartOptions,
        policy: { atOnce: 1, pauseMs: 0, continueOnError: false, ...policy },
        minReadyMs,
      },
      this.means,
    );
  }
}

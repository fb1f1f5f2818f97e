// A container's lifecycle hooks (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/) around a restart: what they are,
// when one is due, and how it ended. The engine says when; whoever can do it runs it: the agent, or for a command the client, by an exec.

export type HookName = 'preStop' | 'postStart';

export type HookAction =
  /** A command in the container. Who runs it reads it from the pod: it travels nowhere else. */
  | { readonly kind: 'exec' }
  | {
      readonly kind: 'httpGet';
      readonly scheme: 'http' | 'https';
      readonly host: string;
      readonly port: number;
      /** With a query, where it has one. */
      readonly path: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: 'sleep'; readonly ms: number };

/** What is run around a restart; null: there is none, or none that can be run. */
export interface Hooks {
  readonly preStop: HookAction | null;
  readonly postStart: HookAction | null;
}

/** A hook that is to be run now. */
export interface DueHook {
  /** Counts up from 1 in each restart. */
  readonly number: number;
  readonly hook: HookName;
  /** Whose: of a restart that is rolled back the previous one has a postStart, too. */
  readonly program: 'old' | 'new' | 'previous';
  readonly action: HookAction['kind'];
  /** For so long its end is waited for, ms. */
  readonly withinMs: number;
}

/** What became of a hook, as whoever ran it tells. */
export interface HookEnd {
  /** `unknown`: it was begun, and whether it has ended is not known. */
  readonly end: 'succeeded' | 'failed' | 'unknown';
  /** Of a command; null: it is none, or did not exit. */
  readonly exitCode: number | null;
  /** Completes "the preStop hook ..."; null: it succeeded. */
  readonly why: string | null;
}

/** Runs one. Never rejects; `signal`: nobody waits for it any more. */
export type RunHook = (due: DueHook, signal: AbortSignal) => Promise<HookEnd>;

export interface HookResult extends Pick<DueHook, 'hook' | 'program' | 'action'> {
  /**
   * `failed`: it exited with another code than 0, or could not be run. `unfinished`: its time was over, or the program ended before it.
   * `unknown`: the connection to it was lost. `not-run`: `why` says for what reason.
   */
  readonly end: HookEnd['end'] | 'unfinished' | 'not-run';
  readonly exitCode: number | null;
  readonly why: string | null;
  readonly ms: number;
}

/** As a sentence without its full stop: `the preStop hook (exec) exited with 3`. */
export function describeHook({ hook, program, action, why }: HookResult): string {
  const whose = program === 'previous' ? ' of the previous program' : '';
  return `the ${hook} hook${whose} (${action}) ${why ?? 'has ended'}`;
}

// A command in a container, run to its end: what it writes is thrown away, how it ended is told.
import { finished } from 'node:stream/promises';
import { ApiError } from './api.ts';
import { ExecError, openExec, type ExecPlace } from './exec.ts';
import type { Cluster } from './kubeconfig.ts';

export type CommandEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** It was not begun; `why` is a clause. */
  | { readonly kind: 'not-run'; readonly why: string }
  /** The connection was lost, or was not wanted any more: it may run on. */
  | { readonly kind: 'cut'; readonly why: string };

/** Never rejects. */
export async function runCommand(cluster: Cluster, place: ExecPlace, signal: AbortSignal): Promise<CommandEnd> {
  try {
    const { readable, close } = await openExec(cluster, { ...place, withInput: false }, { signal });
    signal.addEventListener('abort', close, { once: true });
    await finished(readable.resume());
    return { kind: 'exited', exitCode: 0 };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, longestWhy) : String(error);
    if (error instanceof ExecError)
      return error.exitCode === null ? { kind: 'not-run', why } : { kind: 'exited', exitCode: error.exitCode };
    return error instanceof ApiError ? { kind: 'not-run', why } : { kind: 'cut', why };
  }
}

// A runtime wraps the reason in what it was about to do.
const longestWhy = 600;

// What comes of a rollout: the document that `-o json` prints, and the exit code. Pure.
import { exitCodes, type ErrorData } from '../errors.ts';
import { outcomeCodes, type RestartResult } from '../protocol/result.ts';

/** A pod for which there is no Restart, since nothing was begun in it. */
export interface FailedPod {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Error';
  readonly target: string;
  readonly outcome: null;
  readonly error: ErrorData;
}

export interface RestartList {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'List';
  /** `deployment/web` */
  readonly target: string;
  /** Those that were restarted, or were to be: in the order in which they were begun. */
  readonly items: readonly (RestartResult | FailedPod)[];
  /** Left as they were, since another one failed or the rollout was cancelled. */
  readonly untouched: readonly string[];
  /** Not restarted, since they were deleted meanwhile or do not run. */
  readonly skipped: readonly { readonly target: string; readonly why: string }[];
  /** They came meanwhile, and run the program of their image. */
  readonly appeared: readonly string[];
  readonly warnings: readonly string[];
  readonly timingsMs: { readonly total: number };
}

const someOfSeveral = 7;

/**
 * 0: all were restarted. 7: some were and some were not, so that different programs run in one workload. Else the pods are all as they were,
 * and what went wrong tells; several different reasons are 7 too.
 */
export function exitCodeOfList({
  items,
  untouched,
  skipped,
}: Pick<RestartList, 'items' | 'untouched' | 'skipped'>): number {
  const failed = items.filter((item) => !isGood(item));
  const changed = items.some(({ outcome }) => outcome === 'restarted');
  if (failed.length === 0) {
    if (untouched.length > 0) return changed ? someOfSeveral : exitCodes.cancelled;
    return items.length === 0 && skipped.length > 0 ? exitCodes['target-not-found'] : 0;
  }
  const codes = new Set(failed.map(exitCodeOf));
  const [code = someOfSeveral, ...others] = codes;
  const isWhole = items.length + untouched.length === 1;
  return (changed && !isWhole) || others.length > 0 ? someOfSeveral : code;
}

export function isGood({ outcome, error }: RestartResult | FailedPod): boolean {
  return outcome === 'restarted' && error === null;
}

function exitCodeOf({ outcome, error }: RestartResult | FailedPod): number {
  const isTold = outcome === null || outcome === 'unchanged' || outcome === 'restarted';
  return isTold && error !== null ? exitCodes[error.code] : outcomeCodes[outcome ?? 'unchanged'];
}

/** Several workloads, one after another. */
export function combine(target: string, lists: readonly RestartList[]): RestartList {
  const [only, ...more] = lists;
  if (only !== undefined && more.length === 0) return only;
  return {
    apiVersion: 'hotexec/v1',
    kind: 'List',
    target,
    items: lists.flatMap(({ items }) => items),
    untouched: lists.flatMap(({ untouched }) => untouched),
    skipped: lists.flatMap(({ skipped }) => skipped),
    appeared: lists.flatMap(({ appeared }) => appeared),
    warnings: lists.flatMap(({ warnings }) => warnings),
    timingsMs: { total: lists.reduce((sum, { timingsMs }) => sum + timingsMs.total, 0) },
  };
}

/** A workload whose turn did not come. */
export function untouchedList(target: string, pods: readonly string[]): RestartList {
  const none = { items: [], skipped: [], appeared: [], warnings: [], timingsMs: { total: 0 } };
  return { apiVersion: 'hotexec/v1', kind: 'List', target, ...none, untouched: pods };
}

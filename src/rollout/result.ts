// What comes of a rollout: its exit code, and the error that it is where not all is well. Pure.
import { exitCodes, HotexecError, type ErrorCode } from '../errors.ts';
import type { FailedPod, RestartList } from '../protocol/list.ts';
import { outcomeCodes, type RestartResult } from '../protocol/result.ts';

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

/** For a caller that is to hear of it: null where every pod was restarted. */
export function errorOfList(list: RestartList): HotexecError | null {
  const exitCode = exitCodeOfList(list);
  if (exitCode === 0) return null;
  const { target, items, untouched, skipped } = list;
  const bad = items.filter((item) => !isGood(item));
  const [first] = bad;
  const all = items.length + untouched.length + skipped.length;
  const rest = untouched.length === 0 ? '' : ` Untouched: ${untouched.join(', ')}.`;
  const message =
    first === undefined
      ? `${target}: ${all - items.length} of ${all} pods were not restarted.${rest}`
      : `${target}: ${bad.length} of ${all} pods failed. ${first.error?.message ?? `${first.target} is ${first.outcome}.`}${rest}`;
  const code: ErrorCode = first === undefined ? withoutFailure(list) : 'pods-failed';
  return new HotexecError({ code, message, hint: first?.error?.hint ?? null }, { list });
}

/** None has failed, and yet not all were restarted. */
function withoutFailure({ items, untouched }: RestartList): ErrorCode {
  if (untouched.length === 0) return 'target-not-found';
  return items.length === 0 ? 'cancelled' : 'pods-failed';
}

// The record as a person may see it: names and arguments, and no value of an environment.
import type { Version } from '../protocol/history.ts';
import { summarizeRecorded, type Entry } from './entry.ts';
import { availability, type IsThere } from './resolve.ts';

/** Newest first; what has only been begun is left out. */
export function describeVersions(entries: readonly Entry[], isThere: IsThere): readonly Version[] {
  return entries.toReversed().flatMap((entry) => {
    const { number, startedAt, recordedAt, by, operationId, backTo, files, state, end } = entry;
    if (state === 'starting') return [];
    return [
      {
        number,
        startedAt,
        recordedAt,
        by,
        operationId,
        backTo,
        program: summarizeRecorded(entry.program),
        files: files.map(({ path, digest }) => ({ path, digest })),
        state,
        end,
        available: availability(entries, entry, isThere),
      },
    ];
  });
}

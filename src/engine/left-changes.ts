// What a killed engine left in the journal, looked through by a mender.
import type { Change } from '../journal/change.ts';
import type { JournalledChange } from '../journal/state.ts';
import { readMemory } from '../tracer/memory.ts';

/** The old program's scratch memory is there, and so the program. */
export function hasNonce(tid: number, changes: readonly JournalledChange[]): boolean {
  const mapping = find(changes, 'mapping');
  if (mapping === undefined) return false;
  const found = readMemory(tid, BigInt(mapping.address), mapping.nonce.length / 2);
  return typeof found !== 'number' && found.toString('hex') === mapping.nonce;
}

/** The last one of its kind. */
export function find<Kind extends Change['kind']>(
  changes: readonly JournalledChange[],
  kind: Kind,
): Extract<Change, { kind: Kind }> | undefined {
  for (const { change } of changes.toReversed()) if (isKind(change, kind)) return change;
  return undefined;
}

function isKind<Kind extends Change['kind']>(change: Change, kind: Kind): change is Extract<Change, { kind: Kind }> {
  return change.kind === kind;
}

// Inheritable and ambient capabilities pass through execve; a fresh start has those of the spec. Only rights that are too many are taken
// away: what is missing from the bounding set was refused beforehand (freshness.ts).
import { capabilityMask } from '../freshness.ts';
import { attempt, report, type Reset } from './context.ts';

const _LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;
const headerSizeBytes = 8;

export function resetCapabilities(reset: Reset): void {
  const spec = reset.observed.target.spec?.capabilities ?? null;
  const { capAmb = 0n, capInh = 0n, capPrm = 0n, capEff = 0n, uid } = reset.status;
  if (spec === null) return;
  const ambient = capAmb & ~capabilityMask(spec.ambient);
  const inheritable = capInh & ~capabilityMask(spec.inheritable);
  if (ambient === 0n && inheritable === 0n) return;
  // Without root and without file capabilities (which would have cleared the ambient set) all that exec granted came from the ambient set.
  const granted = uid?.[1] === 0 ? 0n : ambient;
  const data = capabilityData({
    effective: capEff & ~granted,
    permitted: capPrm & ~granted,
    // Lowering these lowers the ambient set with them (security/commoncap.c cap_capset).
    inheritable: capInh & ~(inheritable | ambient),
  });
  const written = reset.held.thread.write(reset.room, data);
  const done = written >= 0 && attempt(reset, 'capset', reset.room, reset.room + BigInt(headerSizeBytes));
  reset.held.thread.write(reset.room, Buffer.alloc(data.length));
  if (!done) report(reset, 'capabilities', 'inheritable or ambient capabilities that the old program had stay');
}

/** struct __user_cap_header_struct, then two of struct __user_cap_data_struct: the low and the high 32 bits of each set (capset(2)). */
function capabilityData(sets: {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}): Buffer {
  const data = Buffer.alloc(headerSizeBytes + 24);
  data.writeUInt32LE(_LINUX_CAPABILITY_VERSION_3, 0);
  for (const [index, set] of [sets.effective, sets.permitted, sets.inheritable].entries()) {
    data.writeUInt32LE(Number(set & 0xffff_ffffn), headerSizeBytes + index * 4);
    data.writeUInt32LE(Number(set >> 32n), headerSizeBytes + 12 + index * 4);
  }
  return data;
}

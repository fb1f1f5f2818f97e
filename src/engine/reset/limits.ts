// Resource limits: the spec's, and for those it does not name the runtime shim's, which a fresh container inherits.
import { readFileSync } from 'node:fs';
import { arch } from '../../arch/arch.ts';
import { describeErrno } from '../../native/errno.ts';
import { allocate } from '../../native/memory.ts';
import { syscall } from '../../native/syscall.ts';
import { limitNames, parseLimits, type ResourceLimit, type ResourceLimits } from '../../procfs/limits.ts';
import type { Observed } from '../observe.ts';
import { byEither, report, type Reset } from './context.ts';

const newLimit = allocate(16);
const unlimited = 0xffff_ffff_ffff_ffffn;

export function resetLimits(reset: Reset): void {
  const { observed, held } = reset;
  const now = parseLimits(readFileSync(`/proc/${held.pid}/limits`, 'utf8'));
  const wanted = freshLimits(observed);
  for (const name of limitNames) {
    const want = wanted[name];
    const have = now[name];
    if (want === undefined || have === undefined || (want.soft === have.soft && want.hard === have.hard)) continue;
    newLimit.bytes.writeBigUInt64LE(want.soft === 'unlimited' ? unlimited : want.soft, 0);
    newLimit.bytes.writeBigUInt64LE(want.hard === 'unlimited' ? unlimited : want.hard, 8);
    const answer = byEither(reset, () => syscall(arch.syscalls.prlimit64, held.pid, want.number, newLimit.address, 0), {
      call: ['prlimit64', 0, want.number, reset.room, 0],
      bytes: newLimit.bytes,
    });
    if (answer < 0) {
      const attribute = `rlimit-${name.slice('RLIMIT_'.length).toLowerCase()}`;
      report(
        reset,
        attribute,
        `${name} stays ${have.soft}/${have.hard}, a fresh start has ${want.soft}/${want.hard}: ${describeErrno(answer)}`,
      );
    }
  }
}

export function freshLimits(observed: Observed): ResourceLimits {
  const inherited = observed.environment.parent?.limits ?? {};
  const named = (observed.target.spec?.rlimits ?? []).flatMap(({ type, soft, hard }) => {
    const name = limitNames.find((known) => known === type);
    const number = name === undefined ? undefined : observed.limits[name]?.number;
    return name === undefined || number === undefined
      ? []
      : [[name, { number, soft: limitValue(soft), hard: limitValue(hard) } satisfies ResourceLimit] as const];
  });
  return { ...inherited, ...Object.fromEntries(named) };
}

/** config.json has 2^64-1 for no limit, which JSON numbers round to 2^64. */
function limitValue(value: number): bigint | 'unlimited' {
  return value < 0 || value >= 2 ** 63 ? 'unlimited' : BigInt(value);
}

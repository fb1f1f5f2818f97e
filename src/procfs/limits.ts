// /proc/PID/limits: the resource limits, with the numbers that prlimit(2) takes on x86-64 and arm64
// (include/uapi/asm-generic/resource.h; other architectures number 5 to 9 differently).
import { parseBigInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

/** Number and the label the kernel prints (lnames in fs/proc/base.c). */
const LIMITS = {
  RLIMIT_CPU: { number: 0, label: 'Max cpu time' },
  RLIMIT_FSIZE: { number: 1, label: 'Max file size' },
  RLIMIT_DATA: { number: 2, label: 'Max data size' },
  RLIMIT_STACK: { number: 3, label: 'Max stack size' },
  RLIMIT_CORE: { number: 4, label: 'Max core file size' },
  RLIMIT_RSS: { number: 5, label: 'Max resident set' },
  RLIMIT_NPROC: { number: 6, label: 'Max processes' },
  RLIMIT_NOFILE: { number: 7, label: 'Max open files' },
  RLIMIT_MEMLOCK: { number: 8, label: 'Max locked memory' },
  RLIMIT_AS: { number: 9, label: 'Max address space' },
  RLIMIT_LOCKS: { number: 10, label: 'Max file locks' },
  RLIMIT_SIGPENDING: { number: 11, label: 'Max pending signals' },
  RLIMIT_MSGQUEUE: { number: 12, label: 'Max msgqueue size' },
  RLIMIT_NICE: { number: 13, label: 'Max nice priority' },
  RLIMIT_RTPRIO: { number: 14, label: 'Max realtime priority' },
  RLIMIT_RTTIME: { number: 15, label: 'Max realtime timeout' },
} as const;

export type LimitName = keyof typeof LIMITS;

export interface ResourceLimit {
  /** The RLIMIT_ number. */
  readonly number: number;
  readonly soft: bigint | 'unlimited';
  readonly hard: bigint | 'unlimited';
}

/** By name; on Linux all 16 are there, other kernels (gVisor) may leave some out. */
export type ResourceLimits = { readonly [Name in LimitName]?: ResourceLimit };

/** Every limit this file knows, by ascending number. */
export const limitNames: readonly LimitName[] = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
];

/** Parses a limits file; limits of an unknown label are passed over. Throws ParseError. */
export function parseLimits(text: string): ResourceLimits {
  const limits: { -readonly [Name in LimitName]?: ResourceLimit } = {};
  for (const line of text.split('\n').slice(1)) {
    // The label is padded to 25 characters and never cut.
    const name = limitNames.find((candidate) => line.startsWith(`${LIMITS[candidate].label} `));
    if (name === undefined) continue;
    const [soft, hard] = line.slice(LIMITS[name].label.length).trim().split(/\s+/);
    limits[name] = { number: LIMITS[name].number, soft: limitValue(soft), hard: limitValue(hard) };
  }
  return limits;
}

function limitValue(text: string | undefined): bigint | 'unlimited' {
  if (text === 'unlimited') return text;
  if (text?.startsWith('-') === true) throw new ParseError('limits', 'a negative limit', text);
  return parseBigInteger('limits', text);
}

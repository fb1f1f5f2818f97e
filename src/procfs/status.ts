// /proc/PID/status: `Key:<tab>value` lines. Older kernels and gVisor lack many of them, so most fields may be undefined.
import { parseHex, parseInteger, parseOctal } from './numbers.ts';
import { ParseError } from './parse-error.ts';

/** Real, effective, saved and file-system id. */
export type IdQuartet = readonly [real: number, effective: number, saved: number, fileSystem: number];

export interface ProcessStatus {
  readonly name: string;
  /** The letter and its meaning: `S (sleeping)`. */
  readonly state: string;
  readonly pid: number;
  readonly tgid: number | undefined;
  readonly ngid: number | undefined;
  readonly ppid: number | undefined;
  /** 0: nobody traces it. As seen from the reader's pid namespace, so 0 also for a tracer outside of it. */
  readonly tracerPid: number | undefined;
  readonly uid: IdQuartet | undefined;
  readonly gid: IdQuartet | undefined;
  readonly fdSize: number | undefined;
  readonly groups: readonly number[] | undefined;
  /** The tgid in each nested pid namespace, from the reader's to the innermost. */
  readonly nsTgid: readonly number[] | undefined;
  readonly nsPid: readonly number[] | undefined;
  /** Since Linux 6.6. */
  readonly kernelThread: boolean | undefined;
  readonly threads: number | undefined;
  /** Queued signals of the user, and the limit of them. */
  readonly sigQueue: { readonly used: number; readonly limit: number } | undefined;
  /** Signal masks: bit n-1 is signal n (see `signalsIn`). */
  readonly sigPnd: bigint | undefined;
  readonly shdPnd: bigint | undefined;
  readonly sigBlk: bigint | undefined;
  readonly sigIgn: bigint | undefined;
  readonly sigCgt: bigint | undefined;
  /** Capability masks: bit n is capability n. */
  readonly capInh: bigint | undefined;
  readonly capPrm: bigint | undefined;
  readonly capEff: bigint | undefined;
  readonly capBnd: bigint | undefined;
  readonly capAmb: bigint | undefined;
  readonly noNewPrivs: boolean | undefined;
  /** 0 disabled, 1 strict, 2 filter. */
  readonly seccomp: number | undefined;
  /** Since Linux 5.10. */
  readonly seccompFilters: number | undefined;
  /** Absent for a zombie. */
  readonly umask: number | undefined;
  readonly vmRssBytes: number | undefined;
  readonly rssAnonBytes: number | undefined;
  readonly thpEnabled: boolean | undefined;
  readonly speculationStoreBypass: string | undefined;
  readonly speculationIndirectBranch: string | undefined;
}

const SOURCE = 'status';

/** Parses a status file. Throws ParseError when Name, State or Pid is missing or a value is not what its key promises. */
export function parseStatus(text: string): ProcessStatus {
  const lines = linesByKey(text);
  return {
    name: unescapeName(required(lines, 'Name')),
    state: required(lines, 'State'),
    pid: parseInteger(SOURCE, required(lines, 'Pid')),
    tgid: optional(lines, 'Tgid', integer),
    ngid: optional(lines, 'Ngid', integer),
    ppid: optional(lines, 'PPid', integer),
    tracerPid: optional(lines, 'TracerPid', integer),
    uid: optional(lines, 'Uid', quartet),
    gid: optional(lines, 'Gid', quartet),
    fdSize: optional(lines, 'FDSize', integer),
    groups: optional(lines, 'Groups', integers),
    nsTgid: optional(lines, 'NStgid', integers),
    nsPid: optional(lines, 'NSpid', integers),
    kernelThread: optional(lines, 'Kthread', flag),
    threads: optional(lines, 'Threads', integer),
    sigQueue: optional(lines, 'SigQ', queue),
    sigPnd: optional(lines, 'SigPnd', mask),
    shdPnd: optional(lines, 'ShdPnd', mask),
    sigBlk: optional(lines, 'SigBlk', mask),
    sigIgn: optional(lines, 'SigIgn', mask),
    sigCgt: optional(lines, 'SigCgt', mask),
    capInh: optional(lines, 'CapInh', mask),
    capPrm: optional(lines, 'CapPrm', mask),
    capEff: optional(lines, 'CapEff', mask),
    capBnd: optional(lines, 'CapBnd', mask),
    capAmb: optional(lines, 'CapAmb', mask),
    noNewPrivs: optional(lines, 'NoNewPrivs', flag),
    seccomp: optional(lines, 'Seccomp', integer),
    seccompFilters: optional(lines, 'Seccomp_filters', integer),
    umask: optional(lines, 'Umask', (value) => parseOctal(SOURCE, value)),
    vmRssBytes: optional(lines, 'VmRSS', kibibytes),
    rssAnonBytes: optional(lines, 'RssAnon', kibibytes),
    thpEnabled: optional(lines, 'THP_enabled', flag),
    speculationStoreBypass: lines.get('Speculation_Store_Bypass'),
    speculationIndirectBranch: lines.get('SpeculationIndirectBranch'),
  };
}

/** The value of one line, for those who need no other and have no time. */
export function statusField(text: string, key: string): string | undefined {
  // The name of the process stands in the first line, and its line breaks are escaped: a line of our own cannot be forged.
  const start = text.indexOf(`\n${key}:\t`);
  if (start < 0) return undefined;
  const from = start + key.length + 3;
  return text.slice(from, text.indexOf('\n', from));
}

/** The signals that wait for a thread or its process, of a status file's text. */
export function pendingSignals(text: string): bigint {
  return mask(statusField(text, 'SigPnd') ?? '0') | mask(statusField(text, 'ShdPnd') ?? '0');
}

/** The numbers of the signals in a mask, ascending: bit n-1 is signal n. */
export function signalsIn(signalMask: bigint): readonly number[] {
  const signals: number[] = [];
  for (let signal = 1; signal <= 64; signal += 1) {
    if (((signalMask >> BigInt(signal - 1)) & 1n) === 1n) signals.push(signal);
  }
  return signals;
}

function linesByKey(text: string): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const key = line.slice(0, colon);
    // trim() would take more than the kernel's padding: a process may be named " x".
    if (colon > 0 && !lines.has(key)) lines.set(key, line.slice(line[colon + 1] === '\t' ? colon + 2 : colon + 1));
  }
  return lines;
}

function required(lines: ReadonlyMap<string, string>, key: string): string {
  const value = lines.get(key);
  if (value === undefined) throw new ParseError(SOURCE, `no line ${key}`, [...lines.keys()].join(' '));
  return value;
}

function optional<Value>(
  lines: ReadonlyMap<string, string>,
  key: string,
  parse: (text: string) => Value,
): Value | undefined {
  const value = lines.get(key);
  return value === undefined ? undefined : parse(value);
}

function integer(text: string): number {
  return parseInteger(SOURCE, text.trim());
}

function integers(text: string): readonly number[] {
  return text.split(/\s+/).filter(Boolean).map(integer);
}

function quartet(text: string): IdQuartet {
  const [real, effective, saved, fileSystem, ...rest] = integers(text);
  if (
    real === undefined ||
    effective === undefined ||
    saved === undefined ||
    fileSystem === undefined ||
    rest.length > 0
  ) {
    throw new ParseError(SOURCE, 'not four ids', text);
  }
  return [real, effective, saved, fileSystem];
}

function queue(text: string): { readonly used: number; readonly limit: number } {
  const [used, limit] = text.trim().split('/');
  return { used: parseInteger(SOURCE, used), limit: parseInteger(SOURCE, limit) };
}

function mask(text: string): bigint {
  return parseHex(SOURCE, text.trim());
}

function flag(text: string): boolean {
  return integer(text) !== 0;
}

function kibibytes(text: string): number {
  return parseInteger(SOURCE, text.trim().replace(/ kB$/, '')) * 1024;
}

/** The name is escaped for line breaks and backslashes only (proc_task_name in fs/proc/array.c). */
function unescapeName(text: string): string {
  return text.replaceAll(/\\([n\\])/g, (_, letter: string) => (letter === 'n' ? '\n' : '\\'));
}

// The load clients of others: fortio's own, and wrk. Eight connections, and so many seconds.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const connections = '8';

interface FortioReport {
  /** HTTP status, or the state of a gRPC health check; -1: no answer. */
  readonly RetCodes: Readonly<Record<string, number>>;
}

export interface FortioRun {
  readonly answered: number;
  readonly failed: number;
}

export interface FortioLoad {
  readonly seconds: number;
  readonly keepAlive?: boolean;
  readonly flags?: readonly string[];
}

export async function fortioLoad(url: string, options: FortioLoad): Promise<FortioRun> {
  const timeout = (options.seconds + 30) * 1000;
  const { stdout } = await execute('fortio', fortioArgs(url, options), { timeout, maxBuffer: 16 * 1024 * 1024 });
  return fortioRunIn(stdout);
}

/** For a fortio that is elsewhere; its standard output tells what became of the requests. */
export function fortioArgs(url: string, { seconds, keepAlive = true, flags = [] }: FortioLoad): string[] {
  const load = ['load', '-quiet', '-allow-initial-errors', '-qps', '300', '-t', `${seconds}s`, '-c', connections];
  return [...load, ...(keepAlive ? [] : ['-keepalive=false']), ...flags, '-json', '-', url];
}

export function fortioRunIn(stdout: string): FortioRun {
  const { RetCodes: codes } = JSON.parse(stdout) as FortioReport;
  const answered = (codes['200'] ?? 0) + (codes['SERVING'] ?? 0);
  const all = Object.values(codes).reduce((sum, count) => sum + count, 0);
  return { answered, failed: all - answered };
}

export interface WrkRun {
  readonly answered: number;
  readonly connect: number;
  readonly read: number;
  readonly timeout: number;
}

export async function wrkLoad(url: string, { seconds }: { readonly seconds: number }): Promise<WrkRun> {
  const { stdout } = await execute('wrk', ['-t', '1', '-c', connections, '-d', `${seconds}s`, '--timeout', '10s', url]);
  const count = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  return {
    answered: count(/(\d+) requests in/),
    connect: count(/connect (\d+)/),
    read: count(/read (\d+)/),
    timeout: count(/timeout (\d+)/),
  };
}

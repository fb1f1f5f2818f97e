// Everything that can be seen of a process from outside and that a failed restart must leave as it was.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import { until } from '../until.ts';

export type Snapshot = Readonly<Record<string, unknown>>;

/** A waiting process looks the same again and again: anything else is a difference. */
export function snapshot(pid: number): Snapshot {
  const status = fields(`/proc/${pid}/status`);
  return {
    process: pick(status, [
      'Name',
      'State',
      'TracerPid',
      'Threads',
      'ShdPnd',
      'SigIgn',
      'SigCgt',
      'Uid',
      'Gid',
      'Umask',
      'Seccomp',
    ]),
    threads: Object.fromEntries(numbers(`/proc/${pid}/task`).map((tid) => [tid, thread(pid, tid)])),
    maps: text(`/proc/${pid}/maps`),
    descriptors: Object.fromEntries(numbers(`/proc/${pid}/fd`).map((fd) => [fd, descriptor(pid, fd)])),
    children: numbers(`/proc/${pid}/task`).flatMap((tid) =>
      text(`/proc/${pid}/task/${tid}/children`).trim().split(' '),
    ),
    places: ['cwd', 'root', 'exe'].map((name) => link(`/proc/${pid}/${name}`)),
    rest: [
      'personality',
      'limits',
      'cgroup',
      'cmdline',
      'environ',
      'timers',
      'oom_score_adj',
      'coredump_filter',
      'timerslack_ns',
    ].map((name) => text(`/proc/${pid}/${name}`)),
  };
}

/** A snapshot of a program that has come to rest: every thread waits for something. */
export async function settled(pid: number): Promise<Snapshot> {
  return await until('all threads wait', () => {
    const now = snapshot(pid);
    return (
      !JSON.stringify(now).includes('"waitsIn":"running"') &&
      JSON.stringify(snapshot(pid)) === JSON.stringify(now) &&
      now
    );
  });
}

/** The old program runs as if nothing had happened: within a moment all is as it was. */
export async function expectAsBefore(pid: number, before: Snapshot): Promise<void> {
  const wanted = JSON.stringify(before);
  const seen = await until('all is as it was', () => same(pid, wanted), 1_000).catch(() => snapshot(pid));
  expect(seen).toEqual(before);
}

function same(pid: number, wanted: string): Snapshot | false {
  const now = snapshot(pid);
  return JSON.stringify(now) === wanted && now;
}

function thread(pid: number, tid: number): unknown {
  const directory = `/proc/${pid}/task/${tid}`;
  const { State, SigPnd, SigBlk } = fields(`${directory}/status`);
  return { State, SigPnd, SigBlk, waitsIn: waitsIn(text(`${directory}/syscall`)) };
}

const restartable = new Set(['7', '35', '202', '230']);

// poll, nanosleep, futex and clock_nanosleep go on as restart_syscall (219) after any stop; the program sees none of it.
function waitsIn(syscall: string): string {
  const [number = '', ...rest] = syscall.trim().split(' ');
  return [restartable.has(number) || number === '219' ? 'restartable' : number, ...rest].join(' ');
}

function descriptor(pid: number, fd: number): unknown {
  return { to: link(`/proc/${pid}/fd/${fd}`), flags: fields(`/proc/${pid}/fdinfo/${fd}`)['flags'] };
}

function fields(path: string): Record<string, string> {
  return Object.fromEntries(
    [...text(path).matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

function pick(all: Record<string, string>, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

function numbers(directory: string): number[] {
  try {
    return readdirSync(directory)
      .map(Number)
      .toSorted((a, b) => a - b);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    return `(${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`;
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '(gone)';
  }
}

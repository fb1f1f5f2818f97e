// The target of the killing tests (tests/fixtures/kernel/survivor.c): what it must look like after any kill, and what it says itself.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStat } from '../../../src/procfs/stat.ts';
import { parseStatus } from '../../../src/procfs/status.ts';
import type { TargetProcess } from '../../../src/protocol/request.ts';
import { codeOf } from '../kernel/code.ts';
import { compile } from '../kernel/compile.ts';
import { until } from '../until.ts';

export interface Shape {
  readonly threads: number;
  /** From 64 on a restart uses a holder. */
  readonly mebibytes: number;
  /** `no-clone`: its seccomp filter forbids the dry run, so that a restart fails in the exec itself; `leader-leaves`: its main thread ends. */
  readonly mode?: 'no-clone' | 'leader-leaves';
  /** Pid 1 of a pid namespace. */
  readonly init?: boolean;
  /** Another user's, and hotexec is root with CAP_SYS_PTRACE alone. */
  readonly confined?: true;
  /** Its code is compared as well, byte for byte. */
  readonly compared?: 'code';
}

const holderMebibytes = 64;

const fields = ['starts', 'version', 'stale', 'registers', 'memory', 'mask', 'eintr', 'epollEintr', 'sigchld'] as const;

/** struct record of survivor.c. */
export type SurvivorRecord = Readonly<Record<(typeof fields)[number], number>> & { readonly beats: readonly number[] };

/** What a restart that did not happen must not change. */
export interface Looks {
  readonly record: SurvivorRecord;
  readonly maps: string;
  readonly descriptors: string;
  readonly masks: string;
  readonly code: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly shape: Shape;
  readonly directory: string;
}

export class Survivor implements Disposable {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly startTicks: number;
  readonly shape: Shape;
  readonly #directory: string;

  private constructor({ child, pid, shape, directory }: Started) {
    this.child = child;
    this.pid = pid;
    this.shape = shape;
    this.#directory = directory;
    this.startTicks = parseStat(readFileSync(`/proc/${this.pid}/stat`, 'latin1')).startTicks;
  }

  static async start(shape: Shape): Promise<Survivor> {
    const directory = mkdtempSync(join(tmpdir(), 'hotexec-survivor-'));
    chmodSync(directory, 0o777);
    const args = [
      join(directory, 'record'),
      String(shape.threads),
      String(shape.mebibytes),
      ...(shape.mode === undefined ? [] : [shape.mode]),
    ];
    const launcher = shape.init === true ? ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] : [];
    const user = shape.confined === true ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'] : [];
    // Where that user finds it.
    const program = shape.confined === true ? join(directory, 'survivor') : compile('survivor');
    if (shape.confined === true) copyFileSync(compile('survivor'), program);
    const [file = '', ...words] = [...launcher, ...user, program, ...args];
    const child = spawn(file, words, { stdio: 'ignore', env: { PATH: process.env['PATH'], VERSION: '0' } });
    const pid = await until('the target is there', () => (shape.init === true ? childrenOf(child.pid)[0] : child.pid));
    const survivor = new Survivor({ child, pid, shape, directory });
    await survivor.alive();
    return survivor;
  }

  /** As hotexec beside it sees it: inside the pid namespace where it is pid 1. */
  get target(): TargetProcess {
    const pid = this.shape.init === true ? 1 : this.pid;
    return { name: `pid/${pid}`, pid, startTicks: this.startTicks, container: null, spec: null };
  }

  /** What starts a command where it sees the target so. */
  get launcher(): readonly string[] {
    return this.shape.init === true ? ['nsenter', '-t', String(this.pid), '-p', '-m', '--'] : [];
  }

  record(): SurvivorRecord {
    const bytes = readFileSync(join(this.#directory, 'record'));
    const number = (index: number): number => Number(bytes.readBigInt64LE(index * 8));
    return {
      ...(Object.fromEntries(fields.map((name, index) => [name, number(index)])) as Record<
        (typeof fields)[number],
        number
      >),
      beats: Array.from({ length: this.shape.threads }, (_, thread) => number(fields.length + thread)),
    };
  }

  /** Every thread goes on. */
  async alive(): Promise<SurvivorRecord> {
    const before = this.hasStarted() ? this.record().beats : [];
    return await until(
      'every thread of the target goes on',
      () => {
        const now = this.record();
        return now.starts > 0 && now.beats.every((beats, thread) => beats > (before[thread] ?? 0)) && now;
      },
      3_000,
    );
  }

  looks(): Looks {
    return {
      record: this.record(),
      maps: this.#maps(),
      descriptors: this.#descriptors(),
      masks: this.#masks(),
      code: this.shape.compared === 'code' ? codeOf(this.pid).join('\n') : '',
    };
  }

  /** Undefined: it runs, untraced. */
  whyNotFree(): string | undefined {
    try {
      const stat = parseStat(readFileSync(`/proc/${this.pid}/stat`, 'latin1'));
      if (stat.startTicks !== this.startTicks || this.#tid === undefined) return 'it is dead';
      for (const tid of readdirSync(`/proc/${this.pid}/task`)) {
        const { state, tracerPid } = parseStatus(readFileSync(`/proc/${this.pid}/task/${tid}/status`, 'utf8'));
        if (tracerPid !== 0) return `thread ${tid} is traced by ${tracerPid}`;
        if ('Tt'.includes(state?.[0] ?? '')) return `thread ${tid} is in state ${state}`;
      }
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  /** Everything that is not as it must be, a line each; `version` is what the new program would say. */
  async damage(before: Looks, version: number): Promise<string[]> {
    const notFree = this.whyNotFree();
    if (notFree !== undefined) return [notFree];
    try {
      await this.alive();
    } catch (error) {
      return [error instanceof Error ? error.message : String(error), this.whyNotFree() ?? 'it is free'];
    }
    const now = this.looks();
    // An engine that is killed while a holder lives takes it along, and the new program is told of the end of a child (docs/limits.md).
    const isNew = now.record.version === version;
    const spare =
      isNew && this.shape.mebibytes >= holderMebibytes ? { eintr: 1, sigchld: 1 } : { eintr: 0, sigchld: 0 };
    const allowed = { registers: 0, memory: 0, mask: 0, ...spare };
    const found = (['registers', 'memory', 'mask', 'eintr', 'sigchld'] as const)
      .filter((name) => now.record[name] - before.record[name] > allowed[name])
      .map((name) => `${name}: ${now.record[name] - before.record[name]} faults seen by the program`);
    if (now.code !== before.code) found.push(difference('code', before.code, now.code));
    if (isNew) found.push(...this.#damageOfNew(now.record, before.record));
    else found.push(...damageOfOld(now, before));
    return [...found, ...this.#children()];
  }

  #damageOfNew(now: SurvivorRecord, before: SurvivorRecord): string[] {
    const threads = readdirSync(`/proc/${this.pid}/task`).filter((tid) => this.#state(tid) !== 'Z').length;
    return [
      ...(now.starts > before.starts ? [] : ['it has the version of a new program, and was not started']),
      ...(now.stale === 0 ? [] : [`the new program was not fresh: ${now.stale}`]),
      ...(threads === this.shape.threads ? [] : [`${threads} threads`]),
    ];
  }

  #state(tid: string): string {
    return parseStat(readFileSync(`/proc/${this.pid}/task/${tid}/stat`, 'latin1')).state;
  }

  /** A thread that lives: a leader that has left has no memory and no descriptors. */
  get #tid(): string | undefined {
    return readdirSync(`/proc/${this.pid}/task`).find((tid) => !'ZX'.includes(this.#state(tid)));
  }

  #children(): string[] {
    const states = childrenOf(this.pid).map((child) => parseStat(readFileSync(`/proc/${child}/stat`, 'latin1')).state);
    return states.length === 1 && states[0] !== 'Z' ? [] : [`children: ${states.join(' ')}`];
  }

  #maps(): string {
    return readFileSync(`/proc/${this.#tid}/maps`, 'latin1');
  }

  #descriptors(): string {
    const descriptor = (fd: number): string => {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${this.#tid}/fdinfo/${fd}`, 'latin1'))?.[1];
      return `${fd} ${flags} ${readlinkSync(`/proc/${this.#tid}/fd/${fd}`)}`;
    };
    const numbers = readdirSync(`/proc/${this.#tid}/fd`)
      .map(Number)
      .toSorted((a, b) => a - b);
    return numbers.map(descriptor).join('\n');
  }

  #masks(): string {
    const tids = readdirSync(`/proc/${this.pid}/task`);
    return tids
      .map(
        (tid) => `${tid} ${/^SigBlk:.*$/m.exec(readFileSync(`/proc/${this.pid}/task/${tid}/status`, 'latin1'))?.[0]}`,
      )
      .join('\n');
  }

  private hasStarted(): boolean {
    try {
      return this.record().starts > 0;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    // unshare --kill-child is not enough: a restart has reset the parent-death signal that it works by.
    if (this.pid !== this.child.pid && this.whyNotFree() !== 'it is dead') process.kill(this.pid, 'SIGKILL');
    this.child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export function childrenOf(pid: number | undefined): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number),
  );
}

function damageOfOld(now: Looks, before: Looks): string[] {
  return [
    ...(now.record.starts === before.record.starts ? [] : ['the old program was started anew']),
    ...(['maps', 'descriptors', 'masks'] as const)
      .filter((name) => now[name] !== before[name])
      .map((name) => difference(name, before[name], now[name])),
  ];
}

function difference(name: string, before: string, now: string): string {
  const [had, has] = [before.split('\n'), now.split('\n')];
  return `${name}: - ${had.filter((line) => !has.includes(line)).join(' | ')} + ${has.filter((line) => !had.includes(line)).join(' | ')}`;
}

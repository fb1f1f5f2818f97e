// The processes of a measurement: the program that is restarted, and those that restart it one after the other. Each is ended with its scope.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const patienceMs = 30_000;

/** Compiled C programs of this directory. */
export class Programs implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'hotexec-bench-'));
  readonly target: string = this.compile('target');
  readonly reference: string = this.compile('reference');

  /** Of bench/NAME.c; `flags` such as -static. */
  compile(name: string, ...flags: readonly string[]): string {
    const path = join(this.directory, name);
    run('gcc', '-O2', '-pthread', ...flags, '-o', path, join(import.meta.dirname, `${name}.c`));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A process that writes lines, each of which somebody waits for. */
export class Talking implements Disposable {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, ...args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    if (this.#process.stdout === null) throw new Error(`${command} has no output`);
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async ask(line: string): Promise<string> {
    this.#process.stdin?.write(`${line}\n`);
    return await this.next();
  }

  async next(): Promise<string> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`process ${this.pid} wrote no line in time`)), patienceMs);
    try {
      const line = await Promise.race([this.#lines.next(), tooLate]);
      if (line.done === true) throw new Error(`process ${this.pid} has ended`);
      return line.value;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    // The whole group: a program behind a strace would live on without it.
    if (this.#process.exitCode === null && this.#process.signalCode === null) process.kill(-this.pid, 'SIGKILL');
  }
}

/** bench/target.c, standing. Whoever restarts it waits for `next()` again. */
export async function startTarget(programs: Programs, threads = 1, residentMib = 0): Promise<Talking> {
  const target = new Talking(programs.target, String(threads), String(residentMib));
  await target.next();
  return target;
}

/** Its output. Throws when it fails. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ended with ${status ?? signal ?? error?.message ?? ''}: ${stderr}`);
}

/** How long it takes from start to end. Throws when it fails. */
export function timed(command: string, ...args: readonly string[]): number {
  const startedMs = performance.now();
  run(command, ...args);
  return performance.now() - startedMs;
}

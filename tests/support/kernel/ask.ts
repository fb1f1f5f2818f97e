// One restart or plan, asked of hotexec from outside. Every kernel test goes through here, so that they all drive the same thing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes, type ErrorData } from '../../../src/errors.ts';
import type { EngineLine } from '../../../src/protocol/event.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type EngineRequest,
  type RestartOptions,
} from '../../../src/protocol/request.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';

/** Flags of the command. */
export interface Asked {
  readonly command?: readonly string[];
  readonly exe?: string;
  readonly cwd?: string;
  readonly keepFds?: readonly number[];
  readonly children?: 'kill' | 'keep';
  readonly force?: boolean;
  readonly driver?: 'ptrace' | 'gdb';
  readonly gdbCall?: 'syscall' | 'libc';
  readonly timeoutMs?: number;
  /** The whole environment, `NAME=value`. */
  readonly environment?: readonly string[];
  /** `NAME=value`, on top of the environment it has. */
  readonly env?: readonly string[];
  readonly unsetEnv?: readonly string[];
  readonly from?: 'process' | 'spec';
  /** A file that becomes the executable, in memory alone. */
  readonly inMemory?: string;
  /** Another start time than the process has: what a recycled pid looks like. */
  readonly startTicks?: number;
  /** What runs hotexec: `setpriv … --`. */
  readonly launcher?: readonly string[];
  /** In hotexec's own environment. */
  readonly variables?: NodeJS.ProcessEnv;
}

export interface Answer {
  readonly exitCode: number;
  /** Null: refused before a restart began. */
  readonly outcome: RestartResult['outcome'] | null;
  readonly error: ErrorData | null;
  readonly result: RestartResult | null;
  readonly plan: Plan | null;
  readonly stderr: string;
}

const root = join(import.meta.dirname, '../../..');
const hotexec = process.env['HOTEXEC_TEST_COMMAND'] ?? join(root, 'bin/hotexec');
const engine = [join(root, 'node_modules/.bin/node'), join(root, 'src/engine-main.ts')];

export async function restart(pid: number, asked: Asked = {}): Promise<Answer> {
  return await ask('restart', pid, asked);
}

export async function plan(pid: number, asked: Asked = {}): Promise<Answer> {
  return await ask('plan', pid, asked);
}

/** What only a front can say (a start time that is long over, a program in memory) goes to an engine; all else is said as a user says it. */
async function ask(kind: 'restart' | 'plan', pid: number, asked: Asked): Promise<Answer> {
  return await (asked.startTicks === undefined && asked.inMemory === undefined ? askCommand : askEngine)(
    kind,
    pid,
    asked,
  );
}

async function askCommand(kind: 'restart' | 'plan', pid: number, asked: Asked): Promise<Answer> {
  using files = new Files();
  // The core alone: what comes before and after a hold has tests of its own.
  const words = [
    ...(kind === 'plan' ? ['plan', 'restart'] : ['restart']),
    '--no-drain',
    '--no-handover',
    '--probation',
    '0',
  ];
  const { code, stdout, stderr } = await run(
    [hotexec, ...words, `pid/${pid}`, '-o', 'json', ...flags(asked, files)],
    asked,
  );
  if (stdout === '') throw new Error(`hotexec ended with ${code} and said nothing but: ${stderr}`);
  const document = JSON.parse(stdout) as Document;
  if (document.kind === 'Plan') {
    return { outcome: null, exitCode: code, error: document.refusals[0] ?? null, result: null, plan: document, stderr };
  }
  const result = document.kind === 'Restart' ? document : null;
  return { outcome: document.outcome, exitCode: code, error: document.error, result, plan: null, stderr };
}

type Document = RestartResult | Plan | { readonly kind: 'Error'; readonly outcome: null; readonly error: ErrorData };

function flags(asked: Asked, files: Files): readonly string[] {
  const {
    keepFds = [],
    children,
    force,
    driver,
    gdbCall,
    timeoutMs,
    command,
    exe,
    cwd,
    environment,
    env = [],
    unsetEnv = [],
    from,
  } = asked;
  return [
    ...keepFds.flatMap((fd) => ['--keep-fd', String(fd)]),
    ...(children === undefined ? [] : ['--children', children]),
    ...(force === true ? ['--force'] : []),
    ...(driver === undefined ? [] : ['--driver', driver]),
    ...(gdbCall === undefined ? [] : ['--gdb-call', gdbCall]),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
    ...(exe === undefined ? [] : ['--exe', exe]),
    ...(cwd === undefined ? [] : ['--cwd', cwd]),
    ...(from === undefined ? [] : ['--from', from]),
    ...env.flatMap((variable) => ['--env', variable]),
    ...unsetEnv.flatMap((name) => ['--unset-env', name]),
    ...(environment === undefined ? [] : ['--env-file', files.write(environment.join('\n'))]),
    ...(command === undefined ? [] : ['--', ...command]),
  ];
}

class Files implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'hotexec-kernel-'));

  write(content: string): string {
    chmodSync(this.#directory, 0o755); // hotexec may run as another user
    const path = join(this.#directory, 'file');
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(words: readonly string[], asked: Asked, input = ''): Promise<Run> {
  const [file = '', ...args] = [...(asked.launcher ?? []), ...words];
  const child = spawn(file, args, { env: { ...process.env, ...asked.variables } });
  child.stdin.on('error', () => {}); // EPIPE: its answer says more
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

async function askEngine(kind: 'restart' | 'plan', pid: number, asked: Asked): Promise<Answer> {
  const { stdout, stderr } = await run(engine, asked, `${JSON.stringify(request(kind, pid, asked))}\n`);
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EngineLine);
  const answer = lines.at(-1);
  switch (answer?.kind) {
    case 'failure':
      return refusal(answer.error, { plan: null, stderr });
    case 'plan-result':
      return refusal(answer.result.refusals[0] ?? null, { plan: answer.result, stderr });
    case 'restart-result': {
      const { result } = answer;
      const exitCode = result.error === null ? 0 : exitCodes[result.error.code];
      return { outcome: result.outcome, exitCode, error: result.error, result, plan: null, stderr };
    }
    default:
      throw new Error(`the engine did not answer: ${stdout}${stderr}`);
  }
}

function refusal(error: ErrorData | null, { plan: shown, stderr }: Pick<Answer, 'plan' | 'stderr'>): Answer {
  return {
    outcome: null,
    exitCode: error === null ? 0 : exitCodes[error.code],
    error,
    result: null,
    plan: shown,
    stderr,
  };
}

function request(kind: 'restart' | 'plan', pid: number, asked: Asked): EngineRequest {
  const startTicks = asked.startTicks ?? startTicksOf(pid);
  const { inMemory, environment = [] } = asked;
  const replacement = inMemory === undefined ? null : ({ source: inMemory, inMemory: 'always' } as const);
  const set = environment.map((entry) => [entry.replace(/=.*/s, ''), entry.replace(/^[^=]*=/, '')] as const);
  return {
    kind,
    operationId: 'test',
    target: { name: `pid/${pid}`, pid, startTicks, container: null, spec: null },
    program: { ...sameProgram, replacement, env: { ...sameProgram.env, set } },
    options: optionsOf(asked),
  };
}

function optionsOf({ keepFds = [], force = false, driver = 'ptrace', gdbCall = 'syscall' }: Asked): RestartOptions {
  return { ...defaultRestartOptions, drain: false, handover: false, probationMs: 0, keepFds, force, driver, gdbCall };
}

function startTicksOf(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).startTicks;
}

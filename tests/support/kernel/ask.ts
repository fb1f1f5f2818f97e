// One restart or plan, asked of hotexec from outside. Every kernel test goes through here, so that they all drive the same thing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, type ErrorData } from '../../../src/errors.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import type { EngineAnswer, HotexecEvent } from '../../../src/protocol/event.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type EngineRequest,
  type ProgramChange,
  type RestartOptions,
} from '../../../src/protocol/request.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';

export interface Asked extends Partial<Pick<ProgramChange, 'command' | 'exe' | 'cwd'>>, Partial<RestartOptions> {
  /** Another start time than the process has: what a recycled pid looks like. */
  readonly startTicks?: number;
  /** What runs the engine: `setpriv … --`. */
  readonly launcher?: readonly string[];
  readonly env?: Partial<ProgramChange['env']>;
  readonly onEvent?: (event: HotexecEvent) => void;
  /** The pid as hotexec sees it, when it runs in another pid namespace. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Answer {
  /** What the command would exit with. */
  readonly exitCode: number;
  /** Null: refused before a restart began. */
  readonly outcome: RestartResult['outcome'] | null;
  readonly error: ErrorData | null;
  readonly result: RestartResult | null;
  readonly plan: Plan | null;
}

const root = join(import.meta.dirname, '../../..');
const engine = [join(root, 'node_modules/.bin/node'), join(root, 'src/engine-main.ts')];

export async function restart(pid: number, asked: Asked = {}): Promise<Answer> {
  return await ask('restart', pid, asked);
}

export async function plan(pid: number, asked: Asked = {}): Promise<Answer> {
  return await ask('plan', pid, asked);
}

async function ask(kind: 'restart' | 'plan', pid: number, asked: Asked): Promise<Answer> {
  const [file = '', ...args] = [...(asked.launcher ?? []), ...(process.env['HOTEXEC_TEST_ENGINE']?.split(' ') ?? engine)];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: asked.environment ?? process.env });
  child.stdin.write(`${JSON.stringify(request(kind, pid, asked))}\n`);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let answer: EngineAnswer | undefined;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.map((each) => JSON.parse(each) as HotexecEvent | EngineAnswer)) {
      if (line.kind.endsWith('-result') || line.kind === 'failure') answer = line as EngineAnswer;
      else asked.onEvent?.(line as HotexecEvent);
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (answer === undefined) throw new Error(`the engine ended (${code ?? signal}) without an answer: ${stderr}`);
  return read(answer);
}

function request(kind: 'restart' | 'plan', pid: number, asked: Asked): EngineRequest {
  const { keepFds, children, force, timeoutMs, verbose, command, exe, cwd, env } = { ...defaultRestartOptions, ...asked };
  const startTicks = asked.startTicks ?? parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).startTicks;
  return {
    kind,
    operationId: 'test',
    target: { name: `pid/${pid}`, pid, startTicks, container: null, spec: null },
    program: { ...sameProgram, command: command ?? null, exe: exe ?? null, cwd: cwd ?? null, env: { ...sameProgram.env, ...env } },
    options: { keepFds, children, force, timeoutMs, verbose },
  };
}

function read(answer: EngineAnswer): Answer {
  const empty = { outcome: null, error: null, result: null, plan: null };
  switch (answer.kind) {
    case 'restart-result': {
      const { result } = answer;
      return { ...empty, outcome: result.outcome, error: result.error, result, exitCode: result.error === null ? 0 : exitCodes[result.error.code] };
    }
    case 'plan-result': {
      const [refusal] = answer.result.refusals;
      return { ...empty, plan: answer.result, error: refusal ?? null, exitCode: refusal === undefined ? 0 : exitCodes[refusal.code] };
    }
    case 'failure':
      return { ...empty, error: answer.error, exitCode: exitCodes[answer.error.code] };
    case 'inspect-result':
    case 'mend-result':
      throw new Error(`not asked for: ${answer.kind}`);
  }
}

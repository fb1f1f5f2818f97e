// What every restart must come to, and what every refused one must leave.
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import { readText } from '../../../src/procfs/read.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import { parseStatus } from '../../../src/procfs/status.ts';
import { restart, type Answer, type Asked } from './ask.ts';
import { expectAsBefore, settled } from './snapshot.ts';
import type { Target } from './target.ts';

/** The process is the same, the program has started anew, answers, and nobody holds it. */
export async function expectRestarted(target: Target, asked: Asked = {}): Promise<Answer> {
  const before = startTicks(target.pid);
  const answer = await restart(target.pid, asked);
  expect(answer).toMatchObject({ outcome: 'restarted', error: null, exitCode: 0 });
  await target.line(/^started/);
  await target.ask('are you there?');
  expect(startTicks(target.pid)).toBe(before);
  expectFree(target.pid);
  return answer;
}

/** Nothing has happened to the program: it looks the same and has seen nothing. */
export async function expectUnchanged(
  target: Target,
  expected: { readonly code: ErrorCode | RegExp; readonly exitCode: number },
  asked: Asked = {},
): Promise<Answer> {
  const runs = target.lines.filter(isStart).length;
  const beats = beatsIn(await target.ask('before'));
  const before = await settled(target.pid);
  const answer = await restart(target.pid, asked);
  expect(answer.error?.code).toMatch(expected.code);
  expect(answer.exitCode).toBe(expected.exitCode);
  expect(['unchanged', null]).toContain(answer.outcome);
  await expectAsBefore(target.pid, before);
  const after = await target.ask('after');
  expect(after.input).toContain('eintr 0');
  if (beats !== undefined) expect(beatsIn(after)).toBeGreaterThan(beats);
  expect(target.lines.filter(isStart)).toHaveLength(runs);
  return answer;
}

function isStart(line: string): boolean {
  return line.startsWith('started');
}

function beatsIn(line: RegExpExecArray): number | undefined {
  const beats = /beats (\d+)/.exec(line.input)?.[1];
  return beats === undefined ? undefined : Number(beats);
}

/** No thread is traced or stopped. */
export function expectFree(pid: number): void {
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const status = readText(`/proc/${pid}/task/${tid}/status`);
    if (status.kind !== 'read') continue; // a thread that has ended meanwhile
    expect(status.content).toMatch(/^TracerPid:\t0$/m);
    expect(status.content).not.toMatch(/^State:\t[Tt]/m);
  }
}

/** Undefined: nobody, or the process has ended. No 0, which is a whole process group to kill(2). */
export function tracerOf(pid: number): number | undefined {
  const status = readText(`/proc/${pid}/status`);
  const tracer = status.kind === 'read' ? parseStatus(status.content).tracerPid : undefined;
  return tracer === 0 ? undefined : tracer;
}

export function startTicks(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).startTicks;
}

export function stateOf(pid: number): string {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).state;
}

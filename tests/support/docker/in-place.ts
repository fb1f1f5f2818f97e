// One restart seen from outside: what must be the same container, process and log afterwards, and what must be new.
import { expect } from 'vitest';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { until } from '../until.ts';
import { followLogs, type Container, type ContainerRecord } from './container.ts';
import { attributesOf, differences, type Difference } from './freshness.ts';
import { restart } from './hotexec.ts';
import { childrenOf, executionOf, namespacesOf, nameOf, startTicks } from './proc.ts';
import { answers, start, type Program } from './program.ts';

/** Restarts the program once and checks everything that can be seen of it from outside, its log stream included. */
export async function expectRestartInPlace(program: Program, container: Container): Promise<RestartResult> {
  using stream = followLogs(container);
  const before = await seen(container);
  const firstRun = await answers(program, container);
  const firstLogs = await container.logs();
  expect(firstLogs).toMatch(program.logLine);
  await until('the stream has caught up', () => stream.text().length >= firstLogs.length);

  const result = await restart(container.target);

  expect(await answers(program, container)).not.toBe(firstRun);
  const after = await seen(container);
  expect(after.execution).not.toBe(before.execution);
  expect(after).toEqual({ ...before, execution: after.execution });
  expect(result).toMatchObject({
    outcome: 'restarted',
    pid: before.record.pid,
    startTicks: before.startTicks,
    container: { id: before.record.id },
    error: null,
  });
  await expectLogOfBothRuns(program, container, firstLogs);
  await until('the stream flows on', () => program.logLine.test(stream.text().slice(firstLogs.length)));
  expect(await childNames(container)).toEqual(program.children);
  return result;
}

/**
 * What differs from a container that has just been started with the same flags, and was not announced as `notFresh`.
 */
export async function differencesFromFresh(
  program: Program,
  container: Container,
  options: { readonly flags: readonly string[]; readonly notFresh: RestartResult['notFresh'] },
): Promise<Difference[]> {
  await using fresh = await start(program, options.flags);
  const announced = new Set(options.notFresh.map(({ attribute }) => attribute));
  const lasting = await lastingDifferences(program, fresh, container);
  return lasting.filter(({ attribute }) => !announced.has(attribute));
}

interface Seen {
  readonly record: ContainerRecord;
  readonly startTicks: number;
  readonly namespaces: readonly string[];
  readonly execution: string;
}

async function seen(container: Container): Promise<Seen> {
  return {
    record: await container.record(),
    startTicks: await startTicks(container.pid),
    namespaces: await namespacesOf(container.pid),
    execution: await executionOf(container.pid),
  };
}

async function expectLogOfBothRuns(program: Program, container: Container, firstLogs: string): Promise<void> {
  const logs = await until('the new run logs', async () => {
    const all = await container.logs();
    return program.logLine.test(all.slice(firstLogs.length)) && all;
  });
  expect(logs.slice(0, firstLogs.length)).toBe(firstLogs);
}

async function childNames(container: Container): Promise<string[]> {
  const names = (await childrenOf(container.pid)).map(nameOf);
  return (await Promise.all(names)).toSorted();
}

// A connection that was just closed may still be there, a thread not yet be born.
async function lastingDifferences(program: Program, fresh: Container, found: Container): Promise<Difference[]> {
  let last: Difference[] = [];
  const agree = async (): Promise<boolean> => {
    last = differences(await attributesOf(fresh, program), await attributesOf(found, program));
    return last.length === 0;
  };
  // That they do not agree in time is no error of the waiting: the differences say more.
  await until('the restarted program is like a fresh one', agree, 3_000).catch(() => undefined);
  return last;
}

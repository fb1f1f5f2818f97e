// A program with a lot of memory: a holder keeps the old memory while the program is held, and nothing of it is left to be noticed.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { plan } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { controlGroup, needsControlGroup, type ControlGroup } from '../support/kernel/control-group.ts';
import { expectRestarted, expectUnchanged } from '../support/kernel/in-place.ts';
import { launch, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const tooLong = [`TOO_LONG=${'x'.repeat(140_000)}`];

describe('a program of 600 MiB', () => {
  needs('root', { command: 'gcc' });

  test.for([1, 50])('is restarted, and its memory is back within seconds (%i threads)', async (threads, context) => {
    needsControlGroup(context, 'memory');
    const group = controlGroup('memory', {});
    const target = await startIn(group, ['600', String(threads)]);
    expect(usedMiB(group)).toBeGreaterThan(600);
    await expectHolder(target);
    await expectRestarted(target, { command: [compile('large'), '1'] });
    await until('the old memory is free', () => usedMiB(group) < 50, 5_000);
    await expectNothingLeft(target);
  });

  test('is restarted again and again', async (context) => {
    needsControlGroup(context, 'memory');
    const group = controlGroup('memory', {});
    const target = await startIn(group, ['600']);
    for (let time = 0; time < 4; time++) {
      await expectRestarted(target);
      await until('it is there once', () => usedMiB(group) < 700, 5_000);
      await expectNothingLeft(target);
    }
  });

  test('is left as it was when it cannot be restarted', async (context) => {
    needsControlGroup(context, 'memory');
    const group = controlGroup('memory', {});
    const target = await startIn(group, ['600']);
    await target.ask('ready?');
    const answering = { code: 'exec-refused', exitCode: 1 } as const;
    await expectUnchanged(target, answering, { environment: tooLong });
    expect(usedMiB(group)).toBeGreaterThan(600);
    await expectNothingLeft(target);
  });

  test('is restarted without a holder where the memory limit has no room for one', async (context) => {
    needsControlGroup(context, 'memory');
    const group = controlGroup('memory', {});
    const target = await startIn(group, ['600']);
    group.set('memory.limit_in_bytes', String(650 * 1024 * 1024));
    expect(JSON.stringify((await plan(target.pid)).plan?.steps)).not.toContain('holder');
    await expectRestarted(target);
    await expectNothingLeft(target);
  });
});

/** The memory that it takes is counted by the group. */
async function startIn(group: ControlGroup, args: readonly string[]): Promise<Target> {
  const target = launch('sh', ['-c', 'read go; exec "$0" "$@"', compile('large'), ...args]);
  group.add(target.pid);
  target.say('go');
  await target.line(/^started/);
  return target;
}

function usedMiB(group: ControlGroup): number {
  const rss = /^rss (\d+)$/m.exec(group.get('memory.stat'))?.[1];
  return Number(rss) / 1024 / 1024;
}

async function expectHolder(target: Target): Promise<void> {
  const { plan: planned } = await plan(target.pid);
  expect(JSON.stringify(planned?.steps)).toContain('holder');
}

/** No zombie, and no signal that would tell of one. */
async function expectNothingLeft(target: Target): Promise<void> {
  expect((await target.ask('what is left?')).input).toBe('alive eintr 0 signals 0 children 0');
  expect(readFileSync(`/proc/${target.pid}/task/${target.pid}/children`, 'latin1')).toBe('');
}

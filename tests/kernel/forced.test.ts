// A program that does not finish within its grace period: it is replaced by force, wherever it waits.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { RestartResult } from '../../src/index.ts';
import { compile } from '../support/kernel/compile.ts';
import { start } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';

const hotexec = process.env['HOTEXEC_TEST_COMMAND'] ?? join(import.meta.dirname, '../../bin/hotexec');

describe('after its grace period', () => {
  needs('root', { command: 'gcc' });

  test('a program that waits in a system call is replaced, and the result says that it was by force', async () => {
    const target = await start(compile('stubborn'));
    const flags = ['--grace-period', '200ms', '--probation', '0', '-o', 'json'];
    const { stdout } = await promisify(execFile)(hotexec, ['restart', String(target.pid), ...flags]);
    const result = JSON.parse(stdout) as RestartResult;
    expect(result).toMatchObject({
      outcome: 'restarted',
      drain: { signal: 'SIGTERM', end: 'forced', exitCode: null, endedBy: null },
      error: null,
    });
    expect(result.drain.ms).toBeGreaterThanOrEqual(200);
    await target.line(/^term/);
    await target.line(/^started/);
    expect((await target.ask('still there?', /^alive (\d+)/))[1]).toBe(String(target.pid));
  });
});

// A program's own seccomp filters bind what hotexec makes it do: it is restarted where that is possible, and never killed by a filter.
import { describe, expect, test } from 'vitest';
import { restart } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { expectRestarted, expectUnchanged } from '../support/kernel/in-place.ts';
import { start } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';

const tooLong = [`TOO_LONG=${'x'.repeat(140_000)}`];
const program = (): string => compile('seccomp', { flags: ['-static'] });

describe('a seccomp filter of the program', () => {
  needs('root', { command: 'gcc' });
  test.each([
    ['mmap', 9],
    ['munmap', 11],
    ['fcntl', 72],
    ['execve', 59],
  ])('that forbids %s is a reason to leave it alone', async (_, number) => {
    for (const action of ['errno', 'kill']) {
      const target = await start(program(), [action, String(number)]);
      await expectUnchanged(target, { code: 'seccomp-forbids', exitCode: 1 });
    }
  });

  const resets = [135, 95, 157, 13, 38, 36, 272, 238, 66, 80];
  test.each([
    ['clone', [56]],
    ['wait4', [61]],
    ['rt_sigtimedwait', [128]],
    ['close_range', [436]],
    ['personality, umask, prctl, rt_sigaction, setitimer, getitimer, unshare, set_mempolicy, semctl and chdir', resets],
  ])('that forbids %s is no hindrance', async (_, numbers) => {
    for (const action of ['errno', 'kill']) {
      const target = await start(program(), [action, numbers.join()]);
      await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { environment: tooLong });
      await expectRestarted(target, { force: true, command: [compile('threads', { flags: ['-static'] })] });
    }
  });

  test.each([
    ['fcntl F_SETFD', 72, 1, 2],
    ['mmap at a fixed address', 9, 3, 0x10_0022],
    ['clone of a child that shares memory', 56, 0, 0x100],
    ['close_range for close-on-exec', 436, 2, 4],
  ])('that looks at arguments (%s) never kills it', async (_, ...filter) => {
    for (const action of ['errno', 'kill']) {
      const target = await start(program(), [action, ...filter.map(String)]);
      await expectUnchanged(
        target,
        { code: /^(exec-refused|seccomp-forbids|remote-call-failed)$/, exitCode: 1 },
        { environment: tooLong },
      );
      const answer = await restart(target.pid, { command: [compile('threads', { flags: ['-static'] })] });
      expect(answer).toMatchObject({ outcome: expect.stringMatching(/^(restarted|unchanged)$/) as string });
      await target.ask('still there?');
    }
  });
});

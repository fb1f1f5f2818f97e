// A program that no file system holds: sealed in memory, handed to the target as a descriptor, started from there.
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { plan, restart, type Answer, type Asked } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import * as files from '../support/kernel/files.ts';
import { expectFree, expectRestarted, expectUnchanged, startTicks } from '../support/kernel/in-place.ts';
import { launch, start, type Target } from '../support/kernel/target.ts';
import { childrenOf } from '../support/kill/survivor.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const version = (number: number): string => compile('program', { flags: ['-static', `-DVERSION=${number}`] });
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const exeOf = (pid: number): string => readlinkSync(`/proc/${pid}/exe`);

interface Start {
  readonly version: number;
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  readonly cwd: string;
}

function lastStart(target: Target): Start {
  const line = target.lines.findLast((text) => text.startsWith('started')) ?? '';
  return JSON.parse(line.slice('started '.length)) as Start;
}

async function expectInMemory(target: Target, source: string, asked: Asked = {}): Promise<Answer> {
  const answer = await expectRestarted(target, { ...asked, inMemory: source });
  expect(exeOf(target.pid)).toMatch(/^\/memfd:hotexec:.* \(deleted\)$/);
  return answer;
}

describe('a program in memory', () => {
  needs('root', { command: 'gcc' });

  test('takes the place of the old one with its arguments, environment and directory', async () => {
    const target = await start(version(1), ['one', 'two words'], { cwd: '/usr', env: { A: 'b' } });
    const before = lastStart(target);
    const { result } = await expectInMemory(target, version(2));
    expect(lastStart(target)).toMatchObject({ ...before, version: 2, path: expect.anything() as unknown });
    expect(readdirSync(`/proc/${target.pid}/fd`)).toEqual(['0', '1', '2']);
    const name = `memfd:hotexec:${version(2).split('/').at(-1)}`;
    expect(result?.files).toEqual([
      {
        path: name,
        change: 'in-memory',
        digest: sha256(version(2)),
        sizeBytes: readFileSync(version(2)).length,
        keptAs: null,
      },
    ]);
    expect(result?.warnings.join()).toContain('in memory alone');
  });

  test('is needed by no file: the root file system is read-only', async () => {
    const root = mkdtempSync(join(tmpdir(), 'hotexec-root-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const script = `mount --bind "$1" "$1" && cp "$2" "$1/program" && mount -o remount,bind,ro "$1" && exec chroot "$1" /program`;
    const target = launch('unshare', ['--mount', 'sh', '-c', script, 'sh', root, version(1)]);
    await target.line(/^started/);
    await expectInMemory(target, version(2));
    expect(lastStart(target).version).toBe(2);
  });

  test('may be a dynamic one, whose loader is in the container, and have threads and children', async () => {
    const target = await start(compile('beat'));
    await expectInMemory(target, compile('beat', { flags: ['-DOTHER'] }));
    await target.ask('and again');
  });

  test('can be written to by nobody', async () => {
    const target = await start(version(1));
    await expectInMemory(target, version(2));
    const path = `/proc/${target.pid}/exe`;
    expect(() => openSync(path, 'r+')).toThrow(/ETXTBSY/);
    await expectInMemory(target, version(3));
    const kept = openSync(path, 'r');
    onTestFinished(() => closeSync(kept));
    await expectRestarted(target, { exe: version(1) });
    const again = openSync(`/proc/self/fd/${kept}`, 'r+');
    onTestFinished(() => closeSync(again));
    expect(() => writeSync(again, 'x')).toThrow(/EPERM/);
  });

  test('is started again from memory by a restart', async () => {
    const target = await start(version(1), ['one']);
    await expectInMemory(target, version(2));
    for (let time = 0; time < 2; time++) {
      const { result } = await expectRestarted(target);
      expect(result?.files).toEqual([]);
      expect(lastStart(target)).toMatchObject({ version: 2, argv: lastStart(target).argv });
    }
    expect(exeOf(target.pid)).toContain('/memfd:hotexec:');
  });

  test('closes its own descriptor in the new program, whatever number it got', async () => {
    for (const asked of [{ keepFds: [3, 4, 5, 6] }, {}]) {
      const target = await start('/bin/sh', ['-c', `exec 2>&-; exec ${version(1)}`]);
      await expectInMemory(target, version(2), asked);
      expect(readdirSync(`/proc/${target.pid}/fd`)).toEqual(['0', '1']);
    }
  });

  test('is planned call by call, and nothing is made for it', async () => {
    const target = await start(version(1));
    const { plan: shown } = await plan(target.pid, { inMemory: version(2) });
    expect(shown).toMatchObject({ possible: true, after: { exe: expect.stringMatching(/^memfd:hotexec:/) as string } });
    const calls = shown?.steps.flatMap((step) => step.calls.map((call) => call.call)).join('\n');
    for (const call of ['socketpair', 'pidfd_getfd', 'recvmsg', 'execveat']) expect(calls).toContain(call);
    expect(exeOf(target.pid)).toBe(version(1));
  });
});

describe('what cannot be started from memory is refused before anything is touched', () => {
  needs('root', { command: 'gcc' });
  const usage = { code: 'usage', exitCode: 2 } as const;
  const refused = { code: 'file-refused', exitCode: 5 } as const;
  const unstartable = { code: 'program-not-startable', exitCode: 1 } as const;

  test.each<[what: string, source: () => string, answer: Parameters<typeof expectUnchanged>[1], says: RegExp]>([
    ['a script', () => files.file('#!/bin/sh\necho started\n'), unstartable, /is a script/],
    ['a file that is not there', () => '/nowhere/at/all', usage, /cannot be read/],
    ['a directory', () => files.directory(), usage, /directory/],
    ['an empty file', () => files.file(''), refused, /is empty/],
    ['no program', () => files.file('hello'), refused, /neither an ELF program/],
    [
      'half a program',
      () => files.patched(version(1), (bytes) => bytes.subarray(0, bytes.length / 2)),
      refused,
      /incomplete/,
    ],
    ['a loader that is not there', () => files.withLoader(compile('program'), '/lib/none.so'), refused, /loader/],
  ])('%s', async (...[, source, answer, says]) => {
    const target = await start(compile('beat'));
    const { error } = await expectUnchanged(target, answer, { inMemory: source() });
    expect(error?.message).toMatch(says);
  });

  test('libraries beside the program are warned of', async () => {
    const source = compile('program', { flags: ['-Wl,-rpath,$ORIGIN/../lib'] });
    const target = await start(version(1));
    const { result } = await expectInMemory(target, source);
    expect(result?.warnings.join()).toContain('$ORIGIN/../lib');
  });

  test('where vm.memfd_noexec is 2, and where it is 1 it is done', async () => {
    const target = launch('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', version(1)]);
    await target.line(/^started/);
    const [pid = 0] = childrenOf(target.pid);
    const inside = ['nsenter', '-t', String(pid), '-p', '-m', '--'];
    const ask = async (level: number): Promise<Answer> => {
      const script = `echo ${level} > /proc/sys/vm/memfd_noexec && exec "$@"`;
      return await restart(1, {
        inMemory: version(2),
        startTicks: startTicks(pid),
        launcher: [...inside, 'sh', '-c', script, 'sh'],
      });
    };
    expect(await ask(1)).toMatchObject({ outcome: 'restarted', error: null });
    await target.line(/^started.*"version":2/);
    const { error } = await ask(2);
    expect(error).toMatchObject({ code: 'not-permitted', message: expect.stringContaining('memfd_noexec') as string });
    await target.ask('still there?');
  });
});

describe('when it fails in the hold, everything is as before', () => {
  needs('root', { command: 'gcc' });

  test.each<[what: string, asked: () => Asked]>([
    ['the arguments are too long', () => ({ inMemory: version(2), environment: [`TOO_LONG=${'x'.repeat(140_000)}`] })],
    ['the kernel cannot map it', () => ({ inMemory: files.unmappable(version(2)) })],
  ])('and the dry run finds it: %s', async (_, asked) => {
    const target = await start(compile('beat'));
    for (let time = 0; time < 3; time++) {
      await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, asked());
    }
  });

  test.each([
    ['socketpair', 53],
    ['recvmsg', 47],
    ['close', 3],
    ['execveat', 322],
  ])('and a seccomp filter forbids %s', async (name, number) => {
    for (const action of ['errno', 'kill']) {
      const target = await start(compile('seccomp', { flags: ['-static'] }), [action, String(number)]);
      const asked = { inMemory: version(2), force: true };
      const { error } = await expectUnchanged(target, { code: 'seccomp-forbids', exitCode: 1 }, asked);
      expect(error?.message).toContain(name);
    }
  });

  test('and it has as many descriptors open as it may', async () => {
    for (const limit of [4, 5, 6]) {
      const target = await start('/bin/sh', [
        '-c',
        `ulimit -n ${limit}; exec ${compile('seccomp', { flags: ['-static'] })} errno 999`,
      ]);
      await expectUnchanged(target, { code: 'remote-call-failed', exitCode: 1 }, { inMemory: version(2), force: true });
    }
  });
});

test('its main thread may have left', async () => {
  const target = await start(compile('zombie-leader'));
  await expectInMemory(target, version(2));
  await until('it is free', () => (expectFree(target.pid), true));
});

// What cannot be started is not: the old program runs on as if nothing had happened.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plan, restart } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { controlGroup, needsControlGroup } from '../support/kernel/control-group.ts';
import * as files from '../support/kernel/files.ts';
import { expectRestarted, expectUnchanged, startTicks, stateOf, tracerOf } from '../support/kernel/in-place.ts';
import { expectAsBefore, settled } from '../support/kernel/snapshot.ts';
import { launch, start } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const tooLong = [`TOO_LONG=${'x'.repeat(140_000)}`];

const fixed = (): string => compile('threads', { flags: ['-static'] });
const dynamic = (): string => compile('threads');

describe('leaves the old program as it was when the new one', () => {
  needs('root', { command: 'gcc' });

  test.each<[string, () => string]>([
    ['is missing', () => '/nonexistent/program'],
    ['is not executable', () => files.file('#!/bin/sh\n', 0o644)],
    ['is a directory', files.directory],
    ['is a device', () => '/dev/null'],
    ['is neither a program nor a script', () => files.file('hello\n')],
    ['is empty', () => files.file('')],
    ['is a script whose interpreter is missing', () => files.file('#!/nonexistent/sh\n')],
    ['is a script whose interpreter is a directory', () => files.file('#!/tmp\n')],
    ['needs a loader that is missing', () => files.withLoader(dynamic(), '/nonexistent/ld.so')],
    ['is cut off in its first page', () => files.patched(fixed(), (elf) => elf.subarray(0, 100))],
    ['is cut off in the middle', () => files.patched(fixed(), (elf) => elf.subarray(0, elf.length / 2))],
    ['is for another machine', () => files.patched(fixed(), (elf) => void elf.writeUInt16LE(183, 18))],
    ['is a 32-bit program', () => files.patched(fixed(), (elf) => void elf.writeUInt8(1, 4))],
    ['is a core dump', () => files.patched(fixed(), (elf) => void elf.writeUInt16LE(4, 16))],
  ])('%s', async (_, program) => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'program-not-startable', exitCode: 1 }, { exe: program() });
  });

  test.each<[string, () => string]>([
    ['is being written', () => files.busy(fixed())],
    ['needs a loader that is no ELF file', () => files.withLoader(dynamic(), '/etc/passwd')],
    ['has a segment where only the kernel may be', () => files.unmappable(fixed())],
  ])('%s: only the kernel can tell', async (_, program) => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { exe: program() });
  });

  test('has an argument list that is too long', async () => {
    const target = await start(compile('beat'));
    const answer = await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { environment: tooLong });
    expect(answer.error?.message).toContain('E2BIG');
    expect(answer.error?.message).toMatch(/runs on unchanged/);
  });

  test('lies on a file system without execution', async () => {
    const directory = files.temporaryDirectory();
    const script = `mount -t tmpfs -o noexec none ${directory} && cp ${compile('beat')} ${directory}/program && exec ${compile('beat')}`;
    const target = await start('unshare', ['-m', 'sh', '-c', script]);
    await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { exe: `${directory}/program` });
  });

  test('is a command that is not in the PATH', async () => {
    const target = await start(compile('beat'));
    await expectUnchanged(
      target,
      { code: 'program-not-startable', exitCode: 1 },
      { command: ['no-such-command', 'argument'] },
    );
    await expectUnchanged(target, { code: 'program-not-startable', exitCode: 1 }, { command: ['./no-such-command'] });
  });

  test('cannot be tried beforehand, since the process may have no children', async (context) => {
    needsControlGroup(context, 'pids');
    const group = controlGroup('pids', { 'pids.max': '3' });
    const target = await start(compile('beat'));
    group.add(target.pid);
    const answer = await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { environment: tooLong });
    expect(answer.result?.warnings.join()).toMatch(/no dry run/);
    await expectRestarted(target);
  });

  test('is not started in time', async () => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'timeout', exitCode: 1 }, { timeoutMs: 1 });
  });
});

describe('refuses', () => {
  needs('root', { command: 'gcc' });

  test('a process without room under its memory limit', async (context) => {
    needsControlGroup(context, 'memory');
    const target = await start(compile('beat'));
    const group = controlGroup('memory', {});
    group.add(target.pid);
    group.set('memory.limit_in_bytes', String(512 * 1024));
    await expectUnchanged(target, { code: 'memory-too-small', exitCode: 5 });
    group.set('memory.limit_in_bytes', String(64 * 1024 * 1024));
    await expectRestarted(target);
  });

  test('a frozen process, at once', async (context) => {
    needsControlGroup(context, 'freezer');
    const target = await start(compile('threads'), ['3']);
    const group = controlGroup('freezer', {});
    group.add(target.pid);
    const before = await settled(target.pid);
    group.set('freezer.state', 'FROZEN');
    await until('it is frozen', () => group.get('freezer.state') === 'FROZEN');
    const began = performance.now();
    expect(await restart(target.pid)).toMatchObject({ exitCode: 5, outcome: null, error: { code: 'target-frozen' } });
    expect(performance.now() - began).toBeLessThan(1_000);
    group.set('freezer.state', 'THAWED');
    await expectAsBefore(target.pid, before);
    expect((await target.ask('thawed?')).input).toContain('eintr 0');
  });

  test('a process that a debugger holds', async () => {
    const target = await start(compile('beat'));
    const strace = launch('strace', ['-f', '-o', '/dev/null', '-p', String(target.pid)], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await until('it is traced', () => tracerOf(target.pid));
    const answer = await restart(target.pid);
    expect(answer).toMatchObject({ exitCode: 5, outcome: null, error: { code: 'target-traced' } });
    expect(answer.error?.message).toContain(String(strace.pid));
    await target.ask('still there?');
  });

  test('a zombie', async () => {
    const parent = await start('sh', ['-c', 'sleep 0 & echo started $!; exec sleep 60']);
    const zombie = Number(/\d+/.exec(parent.lines[0] ?? '')?.[0]);
    await until('it has ended', () => stateOf(zombie) === 'Z');
    expect(await restart(zombie)).toMatchObject({ exitCode: 5, outcome: null, error: { code: 'target-zombie' } });
  });

  test('a process that has ended', async () => {
    const target = await start(compile('beat'));
    await target.end();
    expect(await restart(target.pid)).toMatchObject({
      exitCode: 5,
      outcome: null,
      error: { code: 'target-not-found' },
    });
  });

  test('a kernel thread', async () => {
    expect(readFileSync('/proc/2/comm', 'latin1')).toBe('kthreadd\n');
    expect(await plan(2)).toMatchObject({ exitCode: 5, error: { code: 'target-excluded' } });
  });

  test("the machine's init", async (context) => {
    if (spawnSync('readlink', ['/proc/self/ns/pid']).stdout.toString().trim() !== 'pid:[4026531836]')
      context.skip('not in the first pid namespace');
    expect(await plan(1)).toMatchObject({ exitCode: 5, error: { code: 'target-excluded' } });
  });

  test('hotexec itself', async () => {
    const root = join(import.meta.dirname, '../..');
    const engine = launch(join(root, 'node_modules/.bin/node'), [join(root, 'src/engine-main.ts')]);
    await until('it waits for its request', () => stateOf(engine.pid) === 'S');
    expect(await restart(engine.pid)).toMatchObject({ exitCode: 5, outcome: null, error: { code: 'target-excluded' } });
  });

  test.each(['containerd-shim-runc-v2', 'runc', 'kubelet'])('a part of the container runtime (%s)', async (name) => {
    const program = join(files.temporaryDirectory(), name);
    copyFileSync(compile('beat'), program);
    const target = await start(program);
    await expectUnchanged(target, { code: 'target-excluded', exitCode: 5 });
    await expectUnchanged(target, { code: 'target-excluded', exitCode: 5 }, { force: true });
  });

  test('/pause of a pod', async () => {
    const root = files.temporaryDirectory();
    copyFileSync(compile('threads', { flags: ['-static'] }), join(root, 'pause'));
    const target = await start(compile('pivot'), [root, '/pause']);
    await expectUnchanged(target, { code: 'target-excluded', exitCode: 5 }, { force: true });
  });

  test("another user's process", async () => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'not-permitted', exitCode: 5 }, asNobody());
  });

  test('a pid that has a new owner', async () => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'target-changed', exitCode: 5 }, { startTicks: startTicks(target.pid) - 1 });
  });

  test('a second hotexec on the same process', async () => {
    const target = await start(compile('vfork'), ['1']);
    target.say('go');
    await target.line(/^vfork$/); // the first one has to wait for a second
    const answers = await Promise.all([restart(target.pid), restart(target.pid)]);
    expect(answers.map((answer) => answer.exitCode).toSorted((a, b) => a - b)).toEqual([0, 5]);
    expect(answers.find((answer) => answer.exitCode === 5)).toMatchObject({
      outcome: null,
      error: { code: 'target-busy' },
    });
    await target.line(/^started/);
    await expectRestarted(target);
  });

  test('a 32-bit program', async (context) => {
    const target = launch(files.file(elf32()));
    await target.line(/^started/).catch(() => context.skip('this kernel runs no 32-bit programs'));
    const before = await settled(target.pid);
    expect(await restart(target.pid)).toMatchObject({
      exitCode: 5,
      outcome: null,
      error: { code: 'architecture-unsupported' },
    });
    await expectAsBefore(target.pid, before);
  });
});

test('a user restarts a process of his own', async () => {
  const program = files.patched(compile('beat'), () => {}); // where he may read it
  const target = await start('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', program]);
  await expectRestarted(target, asNobody());
  await expectUnchanged(target, { code: 'exec-refused', exitCode: 1 }, { environment: tooLong, ...asNobody() });
});

describe('says that the process was lost when it is killed', () => {
  test('while its threads are waited for', async () => {
    const target = await start(compile('vfork'), ['2']);
    target.say('go');
    await target.line(/^vfork$/); // the hold has to wait for the child
    const runtime = files.temporaryDirectory();
    const answering = restart(target.pid, { variables: { HOTEXEC_RUNTIME_DIR: runtime } });
    await until('the journal is begun', () => hasJournal(runtime, target.pid));
    target.child.kill('SIGKILL');
    expect(await answering).toMatchObject({ exitCode: 4, outcome: 'lost', error: { code: 'target-lost' } });
  });

  // How far the restart has come then is chance: any of these ends is true.
  test('in the middle of the restart', async () => {
    const inTheMiddle = /^(0 restarted undefined|4 lost target-lost|5 null target-(not-found|zombie))$/;
    for (let time = 0; time < 10; time++) {
      const target = await start(compile('threads'), ['20']);
      let isOver = false;
      const answering = restart(target.pid).finally(() => (isOver = true));
      // A hold is over in 5 ms: one of them may go unseen.
      await until('it is held', () => isOver || tracerOf(target.pid), { pauseMs: 1 });
      target.child.kill('SIGKILL');
      const { exitCode, outcome, error } = await answering;
      expect(`${exitCode} ${outcome} ${error?.code}`).toMatch(inTheMiddle);
    }
  });
});

function hasJournal(runtime: string, pid: number): boolean {
  const name = readdirSync(runtime).find((entry) => entry.startsWith(`${pid}-`));
  return name !== undefined && readFileSync(join(runtime, name)).some((byte) => byte !== 0);
}

function asNobody(): { readonly launcher: readonly string[]; readonly variables: NodeJS.ProcessEnv } {
  const runtime = files.temporaryDirectory();
  spawnSync('chown', ['65534:65534', runtime]);
  return {
    launcher: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--'],
    variables: { HOTEXEC_RUNTIME_DIR: runtime },
  };
}

/** write(1, "started\n", 8); then pause() for ever, by int 0x80. */
function elf32(): Buffer {
  const base = 0x0804_8000;
  const text = Buffer.from('started\n');
  const code = Buffer.concat([
    Buffer.from([0xb8, 4, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xba, 8, 0, 0, 0, 0xcd, 0x80]),
    Buffer.from([0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7]),
    text,
  ]);
  code.writeUInt32LE(base + 84 + code.length - text.length, 11);
  const header = Buffer.alloc(84);
  header.write('\x7fELF\x01\x01\x01', 'latin1');
  for (const [at, value] of [
    [16, 2],
    [18, 3],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    header.writeUInt16LE(value, at);
  const words = [
    [20, 1],
    [24, base + 84],
    [28, 52],
    [52, 1],
    [60, base],
    [64, base],
    [68, 84 + code.length],
    [72, 84 + code.length],
    [76, 5],
    [80, 4096],
  ] as const;
  for (const [at, value] of words) header.writeUInt32LE(value, at);
  return Buffer.concat([header, code]);
}

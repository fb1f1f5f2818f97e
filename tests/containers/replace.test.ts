// Another executable in a real container: what changes, what stays, and what is left when it does not come through.
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/protocol/plan.ts';
import {
  executableOf,
  expectUntouched,
  identityOf,
  layerOf,
  ownFilesOf,
  replace,
  versionsOf,
} from '../support/docker/change.ts';
import { followLogs, type Container } from '../support/docker/container.ts';
import { docker } from '../support/docker/docker.ts';
import { findCommand } from '../support/docker/find-command.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { answers, start } from '../support/docker/program.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { httpGet } from '../support/docker/talk.ts';
import { UnderWay } from '../support/docker/under-way.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

const twoFortios = [...fortio.needs, { command: 'fortio-1.66.5' }];

describe('fortio, a static Go program', () => {
  needs('root', 'docker', ...twoFortios);

  test('is replaced by another version and back: same container, process, log stream', async () => {
    const [next, former] = await Promise.all([findCommand('fortio-1.66.5'), findCommand('fortio')]);
    await using container = await start(fortio);
    using stream = followLogs(container);
    const before = await identityOf(container);
    const run = await answers(fortio, container);
    for (const [file, version] of [
      [next, '1.66.5'],
      [former, '1.68.0'],
    ] as const) {
      const { exitCode, result, message } = await replace(container, file);
      expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
      expect(result).toMatchObject({
        outcome: 'restarted',
        probation: { end: 'listening' },
        warnings: [],
        notFresh: [],
      });
      expect(result?.files).toMatchObject([{ path: '/fortio', change: 'replaced' }]);
      expect(result?.listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
      expect(await answers(fortio, container)).not.toBe(run);
      expect(await versionOf(container)).toBe(version);
      expect(readFileSync(`/proc/${container.pid}/root/fortio`).equals(readFileSync(file))).toBe(true);
      expect(executableOf(container)).toBe('/fortio');
      expect(await identityOf(container)).toEqual(before);
    }
    const starts = /Fortio 1\.68\.0[^]*servers started![^]*Fortio 1\.66\.5[^]*servers started![^]*Fortio 1\.68\.0/;
    await until('the stream has all runs', () => starts.test(stream.text()));
    expect(await ownFilesOf(container)).toHaveLength(2);
  });

  test('on a read-only root is replaced in memory, again and again, and a bad one is taken back', async () => {
    const [next, former] = await Promise.all([findCommand('fortio-1.66.5'), findCommand('fortio')]);
    await using container = await start(fortio, ['--read-only']);
    const before = await identityOf(container);
    await expectUntouched(container, async () => await replace(container, next, '--on-disk'), {
      exitCode: 5,
      code: 'file-refused',
      says: /read-only/,
    });
    for (const [file, version] of [
      [next, '1.66.5'],
      [former, '1.68.0'],
      [next, '1.66.5'],
    ] as const) {
      const { exitCode, result, message } = await replace(container, file);
      expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
      expect(result?.warnings.join('\n')).toMatch(/kept in memory alone: (?:.*read-only|what runs now is in memory)/);
      expect(result?.files).toMatchObject([{ change: 'in-memory' }]);
      await answers(fortio, container);
      expect(await versionOf(container)).toBe(version);
      expect(executableOf(container)).toMatch(/^\/memfd:.*\(deleted\)$/);
    }
    await expectUntouched(container, async () => await replace(container, former, '--on-disk'), {
      exitCode: 5,
      code: 'file-refused',
      says: /in memory alone/,
    });
    const bad = await replace(container, former, '--', 'no-such-command');
    expect(bad).toMatchObject({ exitCode: 3, result: { outcome: 'rolled-back', failed: { reason: 'exit' } } });
    await answers(fortio, container);
    expect(await versionOf(container)).toBe('1.66.5');
    expect(await identityOf(container)).toEqual(before);
    expect(await layerOf(container)).toEqual([]);
  });
});

describe('a program', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('is kept in memory where the user wants it, and no file changes', async () => {
    await using container = await start(newcomer);
    const { exitCode, result } = await replace(container, buildOf(2), '--in-memory');
    expect({ exitCode, files: result?.files }).toMatchObject({ exitCode: 0, files: [{ change: 'in-memory' }] });
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(await layerOf(container)).toEqual([]);
    // And on disk again, where its path is named.
    const onDisk = await replace(container, buildOf(3), '--on-disk', '--exe', '/app/server');
    expect(onDisk).toMatchObject({ exitCode: 0 });
    expect(await answers(newcomer, container)).toContain('version 3 ');
    expect(executableOf(container)).toBe('/app/server');
  });

  test('on a volume is replaced in memory, and the volume stays as it is', async () => {
    const volume = tempDirectory();
    copyFileSync(buildOf(1), join(volume, 'server'));
    await using container = await start(newcomer, ['--volume', `${volume}:/app`]);
    const { exitCode, result } = await replace(container, buildOf(2));
    expect({ exitCode, files: result?.files }).toMatchObject({ exitCode: 0, files: [{ change: 'in-memory' }] });
    expect(result?.warnings.join()).toMatch(/kept in memory alone/);
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(readFileSync(join(volume, 'server')).equals(readFileSync(buildOf(1)))).toBe(true);
  });

  test('of a user who is not root keeps owner and mode of its file', async () => {
    await using container = await start(newcomer, ['--user', '1000:1000', '--cap-drop', 'ALL']);
    chownSync(`/proc/${container.pid}/root/app/server`, 1000, 1000);
    const owner = (): string =>
      execFileSync('stat', ['-c', '%u:%g %a', `/proc/${container.pid}/root/app/server`], { encoding: 'utf8' });
    const before = owner();
    const { exitCode, message } = await replace(container, buildOf(2));
    expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(owner()).toBe(before);
  });

  test('gets other arguments, another environment and another directory with the new file', async () => {
    await using container = await start(newcomer, ['--env', 'OLD=1', '--env', 'GONE=1']);
    const flags = ['--env', 'NEW=a b', '--unset-env', 'GONE', '--cwd', '/tmp', '--', 'late', '0'];
    expect((await replace(container, buildOf(2), ...flags)).exitCode).toBe(0);
    const words = (name: string): string[] => readFileSync(`/proc/${container.pid}/${name}`, 'utf8').split('\0');
    expect(words('cmdline')).toEqual(['/app/server', 'late', '0', '']);
    expect(words('environ')).toEqual(expect.arrayContaining(['OLD=1', 'NEW=a b']));
    expect(words('environ').join()).not.toContain('GONE');
    expect(execFileSync('readlink', [`/proc/${container.pid}/cwd`], { encoding: 'utf8' })).toBe('/tmp\n');
  });
});

describe('what makes no sense', () => {
  needs('root', 'docker', ...newcomer.needs);
  let container: Container;
  beforeAll(async () => void (container = await start(newcomer)));
  afterAll(async () => await container[Symbol.asyncDispose]());

  test.each<[what: string, exitCode: number, code: string, make: (path: string) => unknown]>([
    ['a directory', 2, 'usage', (path) => mkdirSync(path)],
    ['missing', 2, 'usage', () => undefined],
    ['empty', 2, 'usage', (path) => writeFileSync(path, '')],
    ['a pipe', 2, 'usage', (path) => execFileSync('mkfifo', [path])],
    ['not a program', 5, 'file-refused', (path) => writeFileSync(path, 'just words\n')],
    ['truncated', 5, 'file-refused', (path) => (copyFileSync(buildOf(2), path), truncateSync(path, 300_000))],
    ['for another machine', 5, 'file-refused', (path) => writeFileSync(path, forMachine(buildOf(2), 183))],
    ['a script without its interpreter', 5, 'file-refused', (path) => writeFileSync(path, '#!/bin/nothing\n')],
    ['without its loader', 5, 'file-refused', (path) => copyFileSync('/bin/ls', path)],
  ])('as the new program, here %s, is refused with nothing touched', async (_, ...[exitCode, code, make]) => {
    const path = join(tempDirectory(), 'file');
    make(path);
    await expectUntouched(container, async () => await replace(container, path), { exitCode, code });
  });

  test.each<[flags: readonly string[]]>([
    [['--env', '=x']],
    [['--cwd', 'relative']],
    [['--probe', 'https://localhost/']],
    [['--probation', 'long']],
    [['--in-memory', '--on-disk']],
    [['--copy', 'file']],
  ])('as %j is refused with nothing touched', async (flags) => {
    await expectUntouched(container, async () => await replace(container, buildOf(2), ...flags), {
      exitCode: 2,
      code: 'usage',
    });
  });

  test('is told by the plan as well, and a plan of what is possible changes nothing', async () => {
    const [identity, before] = [
      await identityOf(container),
      [await layerOf(container), (await versionsOf(container)).length],
    ];
    const plan = await planOf(container, '--with', buildOf(2));
    expect(plan).toMatchObject({
      possible: true,
      files: [{ path: '/app/server', change: 'replaced', from: buildOf(2) }],
      drain: { signal: 'SIGTERM' },
      listeners: [{ protocol: 'tcp', address: '0.0.0.0:8080', handOver: true }],
    });
    const impossible = await planOf(container, '--with', '/bin/ls');
    expect(impossible).toMatchObject({ possible: false, refusals: [{ code: 'file-refused' }] });
    expect(await identityOf(container)).toEqual(identity);
    expect([await layerOf(container), (await versionsOf(container)).length]).toEqual(before);
  });
});

describe('an upload that does not come through', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('because of Ctrl-C leaves nothing, and the old program was not even stopped', async () => {
    await using container = await start(newcomer);
    await expectUntouched(container, async () => await interrupted(container, ({ child }) => child.kill('SIGINT')), {
      exitCode: 130,
      code: 'cancelled',
    });
  });

  test('because its engine was killed leaves nothing', async () => {
    await using container = await start(newcomer);
    await expectUntouched(container, async () => await interrupted(container, killEngine), {
      exitCode: 1,
      code: 'engine-killed',
    });
  });

  test('because the container was killed leaves nothing', async () => {
    await using container = await start(newcomer);
    const { exitCode } = await interrupted(container, async () => await docker('kill', container.id));
    expect(exitCode).toBe(4);
    expect(await ownFilesOf(container)).toEqual([]);
  });

  test('because the container was removed ends at once', async () => {
    await using container = await start(newcomer);
    const { exitCode } = await interrupted(container, async () => await docker('rm', '--force', container.id));
    expect(exitCode).toBe(4);
  });

  test('goes on when only the front was killed, and a second hotexec is told to wait meanwhile', async () => {
    await using container = await start(newcomer);
    const command = new UnderWay(['replace', container.target, '--with', largeBuild(2)]);
    await command.hasUploaded(1);
    expect(await replace(container, buildOf(3))).toMatchObject({ exitCode: 5, code: 'target-busy' });
    command.child.kill('SIGKILL');
    await until('the new version serves', async () => (await httpGet(container.address, 8080)).includes('version 2 '));
    await until('it is over', async () => ((await identityOf(container)) as { tracer: string }).tracer === '0');
    expect(await ownFilesOf(container)).toHaveLength(1);
  });
});

/** A hotexec to which something happens in the middle of its upload. */
async function interrupted(container: Container, strike: (command: UnderWay) => unknown): ReturnType<typeof replace> {
  const command = new UnderWay(['replace', container.target, '--with', largeBuild(2)]);
  await command.hasUploaded(1);
  await strike(command);
  return await command.end;
}

async function killEngine(command: UnderWay): Promise<void> {
  process.kill(await command.enginePid(), 'SIGKILL');
}

/** With so much behind the program that it takes a while to bring. */
function largeBuild(version: number): string {
  const path = join(tempDirectory(), 'large');
  copyFileSync(buildOf(version), path);
  truncateSync(path, 300 * 1024 ** 2);
  return path;
}

function forMachine(file: string, machine: number): Buffer {
  const bytes = readFileSync(file);
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

async function versionOf({ address }: Container): Promise<string | undefined> {
  return /version (\S+)/.exec(await httpGet(address, 8080, '/debug'))?.[1];
}

async function planOf({ target }: Container, ...flags: readonly string[]): Promise<Plan> {
  const { stdout } = await hotexec('plan', 'replace', target, ...flags, '-o', 'json');
  return JSON.parse(stdout) as Plan;
}

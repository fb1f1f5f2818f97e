// Files brought into real containers: how interpreted programs and configurations are renewed, and where nothing may be brought.
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serversDirectory } from '../support/docker/cache.ts';
import {
  change,
  contentIn,
  expectUntouched,
  identityOf,
  layerOf,
  namesIn,
  type Change,
} from '../support/docker/change.ts';
import type { Container } from '../support/docker/container.ts';
import { findCommand } from '../support/docker/find-command.ts';
import { answers, start } from '../support/docker/program.ts';
import { jvm } from '../support/docker/programs/jvm.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { nginx } from '../support/docker/programs/nginx.ts';
import { node } from '../support/docker/programs/node.ts';
import { python } from '../support/docker/programs/python.ts';
import { httpGet } from '../support/docker/talk.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';

describe('nginx', () => {
  needs('root', 'docker', ...nginx.needs);

  test('serves with a new configuration, and with the old one after a broken one', async () => {
    await using container = await start(nginx);
    const before = await identityOf(container);
    const good = edited('nginx.conf', 'worker $pid', 'renewed $pid');
    const { exitCode, result, message } = await copied(container, `${good}:/etc/nginx.conf`);
    expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    expect(result?.files).toMatchObject([{ path: '/etc/nginx.conf', change: 'replaced' }]);
    await answers(nginx, container);
    expect(await httpGet(container.address, 8081)).toMatch(/^renewed/);

    const [names, broken] = [namesIn(container, '/etc'), edited('nginx.conf', 'listen 8080;', 'listen nowhere/;')];
    const bad = await copied(container, `${broken}:/etc/nginx.conf`);
    expect(bad).toMatchObject({
      exitCode: 3,
      code: 'new-program-failed',
      result: { outcome: 'rolled-back', failed: { exitCode: 1 } },
    });
    await answers(nginx, container);
    expect(await httpGet(container.address, 8080)).toMatch(/^renewed/);
    expect(contentIn(container, '/etc/nginx.conf')).toBe(readFileSync(good, 'utf8'));
    expect(namesIn(container, '/etc')).toEqual(names);
    expect(await container.logs()).toMatch(/\[emerg\].*nowhere/);
    expect(await identityOf(container)).toEqual(before);
  });
});

// A Node that is the first process of its container does not end by SIGTERM: it would take its grace period.
describe.each([
  { program: node, name: 'server.mjs', says: 'instance $', broken: 'throw new Error("broken");\n' },
  { program: python, name: 'server.py', says: 'instance {', broken: 'raise SystemExit(3)\n' },
])('a program of $program.name', ({ program, name, says, broken }) => {
  needs('root', 'docker', ...program.needs);

  test('is renewed by a file, and a broken file is taken back', async () => {
    await using container = await start(program);
    const before = await identityOf(container);
    const renewed = await copied(
      container,
      `${edited(name, says, says.replace(' ', ' renewed-'))}:/${name}`,
      '--no-drain',
    );
    expect(renewed).toMatchObject({ exitCode: 0 });
    await answers(program, container);
    expect(await httpGet(container.address, 8080)).toContain('renewed-');
    expect((await copied(container, `${file(broken)}:/${name}`, '--no-drain')).exitCode).toBe(3);
    await answers(program, container);
    expect(await httpGet(container.address, 8080)).toContain('renewed-');
    expect(await identityOf(container)).toEqual(before);
  });

  test('is renewed by a directory, with a command that starts what is in it', async () => {
    await using container = await start(program);
    const directory = tempDirectory();
    mkdirSync(join(directory, 'deep/er'), { recursive: true });
    copyFileSync(edited(name, says, says.replace(' ', ' of-directory-')), join(directory, 'deep/er', name));
    writeFileSync(join(directory, 'run'), 'a tool\n', { mode: 0o750 });
    const [interpreter = ''] = readFileSync(`/proc/${container.pid}/cmdline`, 'utf8').split('\0');
    const command = ['--no-drain', '--', interpreter, `/opt/app/deep/er/${name}`];
    const { exitCode, message } = await copied(container, `${directory}:/opt/app`, ...command);
    expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    await answers(program, container);
    expect(await httpGet(container.address, 8080)).toContain('of-directory-');
    expect(statSync(`/proc/${container.pid}/root/opt/app/run`).mode & 0o7777).toBe(0o750);
  });
});

describe('a JVM', () => {
  needs('root', 'docker', ...jvm.needs);

  test('is renewed by a jar, and by the next one in its place', async () => {
    await using container = await start(jvm);
    const before = await identityOf(container);
    const [java = ''] = readFileSync(`/proc/${container.pid}/cmdline`, 'utf8').split('\0');
    const first = await copied(
      container,
      `${await jar('first-')}:/app/server.jar`,
      '--',
      java,
      '-cp',
      '/app/server.jar',
      'Server',
    );
    expect(first).toMatchObject({ exitCode: 0 });
    await answers(jvm, container);
    expect(await httpGet(container.address, 8080)).toContain('first-');
    const second = await copied(container, `${await jar('second-')}:/app/server.jar`);
    expect(second).toMatchObject({ exitCode: 0 });
    await answers(jvm, container);
    expect(await httpGet(container.address, 8080)).toContain('second-');
    expect(await identityOf(container)).toEqual(before);
  });
});

describe('files in a container', () => {
  needs('root', 'docker', ...newcomer.needs);
  let container: Container;
  let volume: string;
  beforeAll(async () => {
    volume = mkdtempSync(join(tmpdir(), 'hotexec-volume-'));
    writeFileSync(join(volume, 'there'), 'old');
    const mounts = ['--volume', `${volume}:/volume`, '--volume', `${volume}:/fixed:ro`];
    container = await start(newcomer, ['--user', '1000:1001', ...mounts, '--tmpfs', '/small:size=1m,mode=1777']);
  });
  afterAll(async () => {
    await container[Symbol.asyncDispose]();
    rmSync(volume, { recursive: true });
  });

  test('belong to the program, to the owner of the file that they replace, or to whom --chown names', async () => {
    const source = file('new');
    chownSync(`/proc/${container.pid}/root/app/server`, 5, 6);
    const replaced = await copied(container, `${source}:/tmp/created`, '--copy', `/bin/true:/tmp/tool`);
    expect(replaced).toMatchObject({ exitCode: 0 });
    const chowned = await copied(container, `${source}:/tmp/chowned`, '--chown', '7:8');
    expect(chowned).toMatchObject({ exitCode: 0 });
    expect((await copied(container, `${file('newer')}:/tmp/chowned`)).exitCode).toBe(0);
    const owner = (path: string): string => {
      const { uid, gid, mode } = statSync(`/proc/${container.pid}/root${path}`);
      return `${uid}:${gid} ${(mode & 0o777).toString(8)}`;
    };
    expect(['/tmp/created', '/tmp/tool', '/tmp/chowned'].map(owner)).toEqual([
      '1000:1001 644',
      '1000:1001 755',
      '7:8 644',
    ]);
    expect(contentIn(container, '/tmp/chowned')).toBe('newer');
  });

  test.each<[destination: string, says: RegExp]>([
    ['/volume/there', /--allow-volume|volume/],
    ['/fixed/there', /volume|read-only/],
    ['/etc/hosts', /mount/],
    ['/proc/sys/kernel/hostname', /special/],
    ['/sys/new', /special|read-only/],
    ['/dev/null', /special/],
  ])('are not brought to %s, and nothing is touched', async (destination, says) => {
    const attempt = async (): Promise<Change> =>
      await copied(container, `${file('new')}:${destination}`, '--copy', `${file('x')}:/tmp/second`);
    await expectUntouched(container, attempt, { exitCode: 5, code: 'file-refused', says });
    expect(readFileSync(join(volume, 'there'), 'utf8')).toBe('old');
  });

  test('go into a directory that is there', async () => {
    expect((await copied(container, `${file('new')}:/tmp`)).exitCode).toBe(0);
    expect(contentIn(container, '/tmp/file')).toBe('new');
  });

  test('are brought to a volume where the user says so, but not to a read-only one', async () => {
    const { exitCode, result, message } = await copied(container, `${file('new')}:/volume/there`, '--allow-volume');
    expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    expect(result?.warnings.join()).toContain('/volume');
    expect(readFileSync(join(volume, 'there'), 'utf8')).toBe('new');
    const fixed = async (): Promise<Change> => await copied(container, `${file('no')}:/fixed/there`, '--allow-volume');
    await expectUntouched(container, fixed, { exitCode: 5, code: 'file-refused', says: /read-only/ });
    writeFileSync(join(volume, 'there'), 'old');
  });

  test('that do not fit leave nothing, of the others neither', async () => {
    const large = file('x'.repeat(4 * 1024 ** 2));
    const before = [await identityOf(container), await layerOf(container), namesIn(container, '/tmp')];
    const { exitCode, message } = await copied(
      container,
      `${file('a')}:/tmp/first`,
      '--copy',
      `${large}:/small/large`,
      '--allow-volume',
    );
    expect(exitCode).not.toBe(0);
    expect(message).toMatch(/room|space/);
    expect([await identityOf(container), await layerOf(container), namesIn(container, '/tmp')]).toEqual(before);
    expect(namesIn(container, '/small')).toEqual([]);
  });

  test.each<[flags: readonly string[]]>([
    [['--copy', '/nothing/here:/tmp/x']],
    [['--copy', '/bin/true:relative']],
    [['--copy', '/bin/true:/tmp/../../x']],
    [['--copy', ':/tmp/x']],
    [['--copy', '/bin/true:/tmp/x', '--copy', '/bin/false:/tmp/x']],
    [['--copy', '/bin/true:/tmp/x', '--chown', 'www-data']],
    [['--copy', '/dev/null:/tmp/x']],
    [['--allow-volume']],
  ])('%j makes no sense and is refused with nothing touched', async (flags) => {
    const attempt = async (): Promise<Change> => await change('restart', container.target, ...flags);
    await expectUntouched(container, attempt, { exitCode: 2, code: 'usage' });
  });
});

async function copied({ target }: Container, copy: string, ...flags: readonly string[]): Promise<Change> {
  return await change('restart', target, '--copy', copy, ...flags);
}

function file(content: string): string {
  const path = join(tempDirectory(), 'file');
  writeFileSync(path, content, { mode: 0o644 });
  return path;
}

/** A file of tests/fixtures/servers in which something is otherwise. */
function edited(name: string, from: string, to: string): string {
  return file(readFileSync(join(serversDirectory, name), 'utf8').replaceAll(from, to));
}

async function jar(prefix: string): Promise<string> {
  const directory = tempDirectory();
  const bin = dirname(realpathSync(await findCommand('javac')));
  writeFileSync(join(directory, 'Server.java'), readFileSync(edited('Server.java', 'instance ', `instance ${prefix}`)));
  execFileSync(join(bin, 'javac'), ['--release', '17', '-d', directory, join(directory, 'Server.java')]);
  execFileSync(join(bin, 'jar'), ['cf', join(directory, 'server.jar'), '-C', directory, 'Server.class']);
  return join(directory, 'server.jar');
}

// Going back later, in real containers: what the record knows after replacements, after the runtime's own restarts, and for how long.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { change, contentIn, identityOf, namesIn, ownFilesOf, replace, versionsOf } from '../support/docker/change.ts';
import type { Container } from '../support/docker/container.ts';
import { docker } from '../support/docker/docker.ts';
import { answers, start } from '../support/docker/program.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

describe('hotexec rollback', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('goes back to the program before, forth again, and to any that is chosen', async () => {
    await using container = await start(newcomer);
    const before = await identityOf(container);
    expect(await back(container)).toMatchObject({ exitCode: 5, code: 'no-such-version' });
    await replaced(container, 2);
    await replaced(container, 3);
    for (const [flags, version] of [
      [[], 2],
      [[], 3],
      [['--to', '1'], 1],
      [['--to', '3'], 3],
    ] as const) {
      const { exitCode, message } = await back(container, ...flags);
      expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
      expect(await answers(newcomer, container)).toContain(`version ${version} `);
    }
    expect(await identityOf(container)).toEqual(before);
    const versions = await versionsOf(container);
    expect(versions.map(({ number, state, backTo }) => [number, state, backTo])).toEqual([
      [7, 'running', 3],
      [6, 'replaced', 1],
      [5, 'replaced', 3],
      [4, 'replaced', 2],
      [3, 'replaced', null],
      [2, 'replaced', null],
      [1, 'replaced', null],
    ]);
    expect(versions[0]).toMatchObject({ by: 'root', program: { exe: '/app/server' }, available: true });
    expect(await back(container, '--to', '17')).toMatchObject({ exitCode: 5, code: 'no-such-version' });
  });

  test('brings copied files and arguments back as they were', async () => {
    await using container = await start(newcomer);
    const source = join(tempDirectory(), 'conf');
    for (const content of ['one', 'two']) {
      writeFileSync(source, content);
      const { exitCode, message } = await change(
        'restart',
        container.target,
        '--copy',
        `${source}:/data/conf`,
        '--env',
        `CONF=${content}`,
      );
      expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    }
    expect((await back(container)).exitCode).toBe(0);
    expect(contentIn(container, '/data/conf')).toBe('one');
    expect(readFileSync(`/proc/${container.pid}/environ`, 'utf8')).toContain('CONF=one');
    expect((await back(container, '--to', '1')).exitCode).toBe(0);
    expect(namesIn(container, '/data').filter((name) => !name.startsWith('.hotexec'))).toEqual([]);
  });

  test('passes over versions that failed, and refuses one that was in memory alone', async () => {
    await using container = await start(newcomer);
    await replaced(container, 2);
    expect((await replace(container, buildOf(3), '--', 'exit', '1')).exitCode).toBe(3);
    expect((await replace(container, buildOf(4), '--in-memory')).exitCode).toBe(0);
    await replaced(container, 5, '--exe', '/app/server');
    expect((await versionsOf(container)).map(({ state }) => state)).toEqual([
      'running',
      'replaced',
      'failed',
      'replaced',
      'replaced',
    ]);
    expect(await back(container)).toMatchObject({ exitCode: 5, code: 'version-unavailable' });
    expect(await answers(newcomer, container)).toContain('version 5 ');
    expect((await back(container, '--to', '2')).exitCode).toBe(0);
    expect(await answers(newcomer, container)).toContain('version 2 ');
  });

  test('goes back after the runtime has restarted the container, whose files stay', async () => {
    await using container = await start(newcomer);
    await replaced(container, 2);
    await replaced(container, 3, '--', 'late', '0');
    await docker('restart', '--time', '2', container.id);
    expect(await answers(newcomer, container)).toContain('version 3 ');
    expect((await versionsOf(container)).map(({ number, state, by }) => [number, state, by])).toEqual([
      [4, 'running', null],
      [3, 'ended', 'root'],
      [2, 'replaced', 'root'],
      [1, 'replaced', null],
    ]);
    for (const version of [2, 1]) {
      const { exitCode, message } = await back(container, '--to', String(version));
      expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
      expect(await answers(newcomer, container)).toContain(`version ${version} `);
    }
  });

  test('knows that a version which took the container with it has left the files of the one before', async () => {
    await using container = await start(newcomer);
    await replaced(container, 2);
    expect((await replace(container, buildOf(3), '--no-rollback', '--', 'exit', '6')).exitCode).toBe(4);
    await docker('start', container.id);
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect((await versionsOf(container)).map(({ number, state }) => [number, state])).toEqual([
      [3, 'failed'],
      [2, 'running'],
      [1, 'replaced'],
    ]);
    expect((await back(container)).exitCode).toBe(0);
    expect(await answers(newcomer, container)).toContain('version 1 ');
  });

  test('takes back a rollback that fails, as any new program', async () => {
    await using container = await start(newcomer);
    expect(
      (await replace(container, buildOf(2), '--probation', '300ms', '--', 'after', '2000', 'exit', '1')).exitCode,
    ).toBe(0);
    await replaced(container, 3, '--', 'late', '0');
    const { exitCode, result } = await back(container, '--probation', '4s');
    expect({ exitCode, outcome: result?.outcome }).toEqual({ exitCode: 3, outcome: 'rolled-back' });
    expect(await answers(newcomer, container)).toContain('version 3 ');
  });
});

describe('the record', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('holds ten versions, and no more old files are kept in the container than they need', async () => {
    await using container = await start(newcomer);
    for (let version = 2; version <= 13; version++)
      await replaced(container, 2 + (version % 2), '--no-drain', '--', 'late', '0', String(version));
    expect(await versionsOf(container)).toHaveLength(10);
    expect(await ownFilesOf(container)).toHaveLength(9);
    const { exitCode, message } = await back(container, '--to', '4');
    expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(await back(container, '--to', '2')).toMatchObject({ exitCode: 5, code: 'no-such-version' });
  });

  test('goes with its container', async () => {
    await using other = await start(newcomer);
    const container = await start(newcomer);
    await replaced(container, 2);
    expect(recordsOf(container)).toHaveLength(1);
    await container[Symbol.asyncDispose]();
    await until('it is forgotten', async () => {
      await versionsOf(other);
      return recordsOf(container).length === 0;
    });
  });
});

async function back({ target }: Container, ...flags: readonly string[]): ReturnType<typeof change> {
  return await change('rollback', target, ...flags);
}

async function replaced(container: Container, version: number, ...flags: readonly string[]): Promise<void> {
  const { exitCode, message } = await replace(container, buildOf(version), ...flags);
  expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
  expect(await answers(newcomer, container)).toContain(`version ${version} `);
}

function recordsOf({ id }: Container): string[] {
  return readdirSync(process.env['HOTEXEC_STATE_DIR'] ?? '').filter((name) => name.includes(id));
}

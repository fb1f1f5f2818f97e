// A bad version in a real container: how it ends, what runs afterwards, and what the user is told.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { change, identityOf, namesIn, ownFilesOf, replace } from '../support/docker/change.ts';
import type { Container } from '../support/docker/container.ts';
import { docker } from '../support/docker/docker.ts';
import { executionOf } from '../support/docker/proc.ts';
import { answers, start } from '../support/docker/program.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { httpGet } from '../support/docker/talk.ts';
import { UnderWay } from '../support/docker/under-way.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

describe('a bad version', () => {
  needs('root', 'docker', ...newcomer.needs);
  let container: Container;
  beforeAll(async () => void (container = await start(newcomer)));
  afterAll(async () => await container[Symbol.asyncDispose]());

  test.each<[how: string, args: readonly string[], flags: readonly string[], end: object]>([
    ['exits with 1 at once', ['exit', '1'], [], { exitCode: 1, reason: 'exit' }],
    ['exits with 0 at once, although the old one listened', ['exit', '0'], [], { exitCode: 0 }],
    ['exits after 2 s', ['after', '2000', 'exit', '7'], ['--probation', '3s'], { exitCode: 7 }],
    ['crashes', ['segfault'], [], { signal: 'SIGSEGV', reason: 'signal' }],
    ['crashes while it serves', ['after', '300', 'segfault'], ['--probation', '1s'], { signal: 'SIGSEGV' }],
    ['aborts', ['abort'], [], { signal: 'SIGABRT' }],
    ['goes into the background', ['daemonise'], [], { exitCode: 0 }],
    ['goes into the background when it is done with something', ['daemonise', '200'], [], { exitCode: 0 }],
    ['executes something that fails', ['exec', '/app/server', 'exit', '9'], [], { exitCode: 9 }],
    ['executes what is not there', ['exec', '/nothing'], [], { exitCode: 1 }],
    ['hangs', ['hang'], ['--probe', 'tcp:localhost:8080', '--probation', '1s'], { reason: 'probe-timeout' }],
    ['is deaf', ['deaf'], ['--probe', 'http://localhost:8080/', '--probation', '1s'], { reason: 'probe-timeout' }],
  ])('that %s is taken back: the previous program runs again in the same process', async (_, ...[args, flags, end]) => {
    const before = await identityOf(container);
    const [names, own] = [namesIn(container, '/app'), await ownFilesOf(container)];
    const { exitCode, code, result, message } = await replace(container, buildOf(2), ...flags, '--', ...args);
    expect({ exitCode, code, message }).toMatchObject({ exitCode: 3, code: 'new-program-failed' });
    expect(result).toMatchObject({ outcome: 'rolled-back', failed: end, probation: { end: 'failed' } });
    expect(await answers(newcomer, container)).toContain('version 1 ');
    expect(await identityOf(container)).toEqual(before);
    expect(namesIn(container, '/app')).toEqual(names);
    expect(await ownFilesOf(container)).toEqual(own);
    expect(await container.logs()).toMatch(new RegExp(`version 2 begins: ${args[0]}\n(?:.*\n)*.*version 1 serves`));
  });
});

describe('a version that is not bad', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('listens late: who connects meanwhile waits, and is answered by it', async () => {
    await using container = await start(newcomer);
    const command = new UnderWay([...replacing(container, 2), '--', 'late', '1500']);
    await command.reaches('probation');
    expect(await httpGet(container.address, 8080)).toContain('version 2 ');
    const { exitCode, result } = await command.end;
    expect(exitCode).toBe(0);
    expect(result?.probation.end).toBe('listening');
    expect(result?.probation.ms).toBeGreaterThan(1_400);
  });

  test('executes something else itself, and that one stays', async () => {
    await using container = await start(newcomer);
    const { exitCode } = await replace(container, buildOf(2), '--', 'exec', '/app/server', 'late', '0');
    expect(exitCode).toBe(0);
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(await container.logs()).toContain('version 2 begins: late');
  });

  test('hangs and was not asked anything: it counts as running when its time is over', async () => {
    await using container = await start(newcomer);
    const before = await identityOf(container);
    const { exitCode, result } = await replace(container, buildOf(2), '--probation', '700ms', '--', 'hang');
    expect(exitCode).toBe(0);
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    expect(await identityOf(container)).toEqual(before);
    expect((await change('rollback', container.target)).exitCode).toBe(0);
    expect(await answers(newcomer, container)).toContain('version 1 ');
  });

  test('answers its probe itself', async () => {
    await using container = await start(newcomer);
    const probe = ['--probe', 'http://localhost:8080/', '--', 'late', '500'];
    const { exitCode, result } = await replace(container, buildOf(2), ...probe);
    expect(exitCode).toBe(0);
    expect(result?.probation.end).toBe('answered');
  });
});

describe('an end that cannot be caught', () => {
  needs('root', 'docker', ...newcomer.needs);

  test.each<[what: string, strike: (container: Container) => Promise<unknown>]>([
    ['SIGKILL from outside', async ({ pid }) => process.kill(pid, 'SIGKILL')],
    ['docker kill', async ({ id }) => await docker('kill', id)],
  ])('by %s: exit code 4, and the next start has the old file', async (_, strike) => {
    await using container = await start(newcomer);
    const command = new UnderWay([...replacing(container, 2), '--probation', '20s', '--', 'late', '20000']);
    await command.reaches('probation');
    await strike(container);
    expect(await command.end).toMatchObject({ exitCode: 4, code: 'target-lost', result: { outcome: 'lost' } });
    expect(await stateOf(container)).toBe('exited 137');
    expect(await ownFilesOf(container)).toEqual([]);
    await docker('start', container.id);
    await until('the old version starts', async () =>
      /version 1 serves[^]*version 1 serves/.test(await container.logs()),
    );
  });

  test('by the memory limit: exit code 4', async () => {
    await using container = await start(newcomer, ['--memory', '32m', '--memory-swap', '32m']);
    const { exitCode, result } = await replace(container, buildOf(2), '--probation', '20s', '--', 'eat');
    expect(exitCode).toBe(4);
    expect(result?.outcome).toBe('lost');
    expect(await stateOf(container)).toBe('exited 137');
  });

  test('because a user wants none caught (--no-rollback): the container ends with the code of the new program', async () => {
    await using container = await start(newcomer);
    const { exitCode } = await replace(container, buildOf(2), '--no-rollback', '--', 'exit', '6');
    expect(exitCode).toBe(4);
    expect(await stateOf(container)).toBe('exited 6');
  });

  test('after a probation of 0: the container ends with the code of the new program', async () => {
    await using container = await start(newcomer);
    const flags = ['--probation', '0', '--no-handover', '--', 'after', '1000', 'exit', '6'];
    const { exitCode, result } = await replace(container, buildOf(2), ...flags);
    expect(exitCode).toBe(0);
    expect(result?.probation.end).toBe('none');
    await until('it has ended', async () => (await stateOf(container)) === 'exited 6');
  });
});

describe('a stop from outside in a probation', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('by docker stop is let through: the container stops as always, and hotexec says so (exit code 8)', async () => {
    await using container = await start(newcomer);
    const command = new UnderWay([
      ...replacing(container, 2),
      '--probation',
      '20s',
      '--',
      'after',
      '20000',
      'exit',
      '1',
    ]);
    await command.reaches('probation');
    await answers(newcomer, container);
    const began = performance.now();
    await docker('stop', container.id);
    expect(await command.end).toMatchObject({ exitCode: 8, code: 'stopped-by-other', result: { outcome: 'stopped' } });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await stateOf(container)).toBe('exited 0');
  });

  test('by docker rm --force leaves nobody waiting', async () => {
    await using container = await start(newcomer);
    const command = new UnderWay([...replacing(container, 2), '--probation', '20s', '--', 'hang']);
    await command.reaches('probation');
    await docker('rm', '--force', container.id);
    expect(await command.end).toMatchObject({ exitCode: 4, code: 'target-lost' });
  });

  test('by Ctrl-C ends the watching: the new program stays', async () => {
    await using container = await start(newcomer);
    const command = new UnderWay([...replacing(container, 2), '--probation', '20s', '--', 'late', '0']);
    await command.reaches('probation');
    await answers(newcomer, container);
    const execution = await executionOf(container.pid);
    command.child.kill('SIGINT');
    const { exitCode, result } = await command.end;
    expect({ exitCode, end: result?.probation.end }).toEqual({ exitCode: 0, end: 'cut-short' });
    expect(await answers(newcomer, container)).toContain('version 2 ');
    expect(await executionOf(container.pid)).toBe(execution);
    expect(await identityOf(container)).toMatchObject({ tracer: '0', isStopped: false });
  });
});

function replacing({ target }: Container, version: number): readonly string[] {
  return ['replace', target, '--with', buildOf(version)];
}

async function stateOf({ id }: Container): Promise<string> {
  return await docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', id);
}

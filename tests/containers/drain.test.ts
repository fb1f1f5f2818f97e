// What becomes of the old program of a container: by its own shutdown, by force, or stopped by somebody else.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { needs } from '../support/needs.ts';
import { serversDirectory } from '../support/docker/cache.ts';
import { startContainer, type Container } from '../support/docker/container.ts';
import { docker, dockerWithInput } from '../support/docker/docker.ts';
import { beginRestart } from '../support/docker/draining.ts';
import { gracefulNginx, gracefulNode, gracefulRedis } from '../support/docker/graceful.ts';
import { imageOf } from '../support/docker/image.ts';
import { imageOfProgram, start, type Program } from '../support/docker/program.ts';
import { busybox, entrypoint } from '../support/docker/programs/busybox.ts';
import { executable, textFile } from '../support/docker/rootfs.ts';
import { httpGet, tcpExchange } from '../support/docker/talk.ts';
import { drainedRestart } from '../support/docker/under-load.ts';

describe('the shutdown of a program', () => {
  needs('root', 'docker', { command: 'dumb-init' }, ...gracefulNginx.needs, ...gracefulRedis.needs, ...busybox.needs);

  test('of nginx is asked for by the STOPSIGNAL of its image', async () => {
    const image = await imageOfProgram(gracefulNginx);
    const dockerfile = Buffer.from(`FROM ${image}\nSTOPSIGNAL SIGQUIT\n`);
    const built = await dockerWithInput(
      ['build', '--quiet', '-'],
      (async function* () {
        yield await Promise.resolve(dockerfile);
      })(),
    );
    await using container = await startContainer({ image: built });
    await until('nginx answers', async () => await gracefulNginx.ask(container));
    const { drain, listeners } = await drainedRestart(container);
    expect(drain).toMatchObject({ signal: 'SIGQUIT', end: 'exited', exitCode: 0 });
    expect(listeners.map(({ handedOver }) => handedOver)).toEqual([true, true]);
    const again = await drainedRestart(container, '--signal', 'TERM');
    expect(again.drain).toMatchObject({ signal: 'SIGTERM', end: 'exited', exitCode: 0 });
    await gracefulNginx.ask(container);
  });

  test('of redis saves first: the next run has what the last one was told', async () => {
    await using container = await start(gracefulRedis);
    await tcpExchange(container.address, 6379, 'SET kept by-the-shutdown\r\n');
    const { drain } = await drainedRestart(container);
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    const dump = await readFile(`/proc/${container.pid}/root/data/dump.rdb`, 'latin1');
    expect(dump).toContain('by-the-shutdown');
    expect((await tcpExchange(container.address, 6379, 'GET kept\r\n')).toString()).toContain('by-the-shutdown');
    await tcpExchange(container.address, 6379, 'SET kept never-saved\r\n');
    await drainedRestart(container, '--no-drain');
    expect((await tcpExchange(container.address, 6379, 'GET kept\r\n')).toString()).toContain('by-the-shutdown');
  });

  test('of a shell that waits for its child goes to its end, and its exit code is told', async () => {
    const recipe = await entrypoint.recipe();
    const script = await readFile(join(serversDirectory, 'finishing.sh'), 'utf8');
    const files = [...recipe.files, textFile('/finishing.sh', script, 0o755)];
    const image = await imageOf({ name: 'finishing', files, entrypoint: ['/finishing.sh'] });
    await using container = await startContainer({ image });
    await until('it serves', async () => await httpGet(container.address, 8080, '/index.html'));
    const { drain, listeners } = await drainedRestart(container);
    expect(drain).toMatchObject({ signal: 'SIGTERM', end: 'exited', exitCode: 3 });
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(await httpGet(container.address, 8080, '/index.html')).toBe('served\n');
    expect(await container.logs()).toMatch(/begins[^]*has finished[^]*begins/);
  });

  test.each(['--init', 'dumb-init'])('below %s is passed on, and the init ends with its code', async (init) => {
    await using container = await startBelow(init);
    const { drain, listeners } = await drainedRestart(container);
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(listeners).toMatchObject([{ handedOver: true }]);
    await gracefulNode.ask(container);
  });

  test('is not asked for where there is none', async () => {
    await using container = await start(busybox);
    const { drain } = await drainedRestart(container);
    expect(drain).toMatchObject({ signal: null, end: 'skipped' });
    expect(drain.why).toContain('no handler');
  });
});

describe('a shutdown that takes long', () => {
  needs('root', 'docker');

  test('is ended by force when its grace period is over, and that is said', async () => {
    await using container = await start(gracefulNode);
    using _request = longRequest(container, 60_000);
    const { drain, warnings } = await drainedRestart(container, '--grace-period', '300ms');
    expect(drain).toMatchObject({ end: 'forced', exitCode: null });
    expect(warnings.join()).toMatch(/did not end within \d+ ms of SIGTERM/);
    await gracefulNode.ask(container);
  });

  test('has the stop timeout of its container', async () => {
    await using container = await start(gracefulNode, ['--stop-timeout', '1']);
    using _request = longRequest(container, 60_000);
    const { drain } = await drainedRestart(container);
    expect(drain.end).toBe('forced');
    expect(drain.ms).toBeGreaterThanOrEqual(1_000);
    expect(drain.ms).toBeLessThan(5_000);
  });

  test('and a docker stop meanwhile: the container stops', async () => {
    await using container = await start(gracefulNode);
    using _request = longRequest(container, 3_000);
    const draining = beginRestart(container, '--grace-period', '1m');
    await draining.phase('drain');
    await docker('stop', '--time', '20', container.id);
    const { exitCode, result } = await draining.end;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 8, outcome: 'stopped' });
    expect((await container.record()).status).toBe('exited');
  });

  test('and the signal of somebody else meanwhile: it ends as it would', async () => {
    await using container = await start(gracefulNode);
    using _request = longRequest(container, 3_000);
    const draining = beginRestart(container, '--grace-period', '1m');
    await draining.phase('drain');
    process.kill(container.pid, 'SIGTERM');
    const { exitCode, result } = await draining.end;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 8, outcome: 'stopped' });
    await until('the container stops', async () => (await container.record()).status === 'exited');
  });

  test('goes on after Ctrl-C, to the new program', async () => {
    await using container = await start(gracefulNode);
    using _request = longRequest(container, 2_500);
    const draining = beginRestart(container);
    await draining.phase('drain');
    process.kill(draining.pid, 'SIGINT');
    const { exitCode, result, warnings } = await draining.end;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'restarted' });
    expect(result.drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(warnings.join()).toContain('too late to cancel');
    await gracefulNode.ask(container);
  });
});

/** The server has it in hand until it is answered. */
function longRequest({ address }: Container, ms: number): Disposable {
  const stop = new AbortController();
  fetch(`http://${address}:8080/slow/${ms}`, { signal: stop.signal }).catch(() => undefined);
  return { [Symbol.dispose]: () => stop.abort() };
}

async function startBelow(init: string): Promise<Container> {
  if (init === '--init') return await start(gracefulNode, ['--init']);
  const recipe = await gracefulNode.recipe();
  const program: Program = {
    ...gracefulNode,
    recipe: async () => ({
      name: 'dumb-init',
      files: [...recipe.files, ...(await executable('/usr/bin/dumb-init'))],
      entrypoint: ['/usr/bin/dumb-init', '--', ...recipe.entrypoint],
    }),
  };
  return await start(program);
}

import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { docker } from '../support/docker/docker.ts';
import type { Container } from '../support/docker/container.ts';
import { expectRestartInPlace } from '../support/docker/in-place.ts';
import { restart } from '../support/docker/hotexec.ts';
import { startTicks } from '../support/docker/proc.ts';
import { answers, start } from '../support/docker/program.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { compileThreads, glibcThreads } from '../support/docker/programs/hundred-threads.ts';
import { until } from '../support/until.ts';

describe('what is beside the main process', () => {
  needs('root', 'docker', ...busybox.needs);

  test('an exec session and its children live on', async () => {
    await using container = await start(busybox);
    await docker('exec', '--detach', container.id, '/busybox', 'sh', '-c', '/busybox sleep 4711; true');
    const session = await until('the session runs', async () => await processes(container, /sleep 4711/, 2));
    const before = await Promise.all(session.map(startTicks));
    const { children } = await expectRestartInPlace(busybox, container);
    expect(children.killed).toBe(0);
    expect(await processes(container, /sleep 4711/, 2)).toEqual(session);
    expect(await Promise.all(session.map(startTicks))).toEqual(before);
  });

  test('an interactive session still gets its answers', async () => {
    await using container = await start(busybox);
    const session = container.exec(
      '/busybox',
      'sh',
      '-c',
      'until [ -e /tmp/go ]; do /busybox usleep 1000; done; echo gone on',
    );
    await until('the session runs', async () => await processes(container, /until/, 1));
    await restart(container.target);
    await container.exec('/busybox', 'touch', '/tmp/go');
    expect(await session).toBe('gone on');
  });
});

describe('an executable that was replaced on disk', () => {
  needs('root', 'docker', ...glibcThreads.needs);

  test('starts as the new file, and a warning says so', async () => {
    await using container = await start(glibcThreads);
    expect(await answers(glibcThreads, container)).toContain('version 1');
    await docker('cp', await compileThreads('gcc', 2), `${container.id}:/hundred-threads`);
    const { warnings } = await restart(container.target);
    expect(await answers(glibcThreads, container)).toContain('version 2');
    expect(warnings.join('\n')).toMatch(/hundred-threads.*(?:replaced|deleted)|(?:replaced|deleted).*hundred-threads/);
  });
});

// Host pids of those of the container's processes whose command line matches, once there are that many.
async function processes(container: Container, pattern: RegExp, count: number): Promise<number[] | undefined> {
  const [, ...lines] = (await docker('top', container.id, '-eo', 'pid,args')).split('\n');
  const pids = lines.filter((line) => pattern.test(line)).map((line) => Number.parseInt(line, 10));
  return pids.length === count ? pids : undefined;
}

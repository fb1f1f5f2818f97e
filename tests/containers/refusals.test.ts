import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { docker } from '../support/docker/docker.ts';
import { hotexec, restart } from '../support/docker/hotexec.ts';
import { executionOf, statusOf } from '../support/docker/proc.ts';
import { answers, imageOfProgram, start } from '../support/docker/program.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { startContainer } from '../support/docker/container.ts';

describe('hotexec restart', () => {
  needs('root', 'docker', ...busybox.needs);

  test('refuses a paused container at once, and the program runs on after unpause', async () => {
    await using container = await start(busybox);
    const run = await answers(busybox, container);
    const execution = await executionOf(container.pid);
    await docker('pause', container.id);
    const began = performance.now();
    const { exitCode, stdout } = await restartOf(container.target);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(exitCode).toBe(5);
    expect(stdout).toContain('"target-frozen"');
    await docker('unpause', container.id);
    expect(await answers(busybox, container)).toBe(run);
    expect(await executionOf(container.pid)).toBe(execution);
    expect((await statusOf(container.pid)).get('TracerPid')).toBe('0');
  });

  test('says that there is no such container', async () => {
    const { exitCode, stdout } = await restartOf('docker/hotexec-test-no-such-container');
    expect(exitCode).toBe(5);
    expect(stdout).toContain('"target-not-found"');
    expect(stdout).toContain('hotexec-test-no-such-container');
  });

  test('refuses a container that has stopped, and does not start it', async () => {
    await using container = await startContainer({
      image: await imageOfProgram(busybox),
      flags: ['--entrypoint', '/busybox'],
      args: ['true'],
    });
    await docker('wait', container.id);
    const { exitCode, stdout } = await restartOf(container.target);
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/not running|stopped|exited/);
    expect((await container.record()).status).toBe('exited');
  });

  test('finds a container by its id and by the beginning of its id', async () => {
    await using container = await start(busybox);
    for (const name of [container.id, container.id.slice(0, 12)]) {
      expect((await restart(`docker/${name}`)).container?.id).toBe(container.id);
      await answers(busybox, container);
    }
  });
});

async function restartOf(target: string): ReturnType<typeof hotexec> {
  return await hotexec('restart', target, '--no-drain', '-o', 'json');
}

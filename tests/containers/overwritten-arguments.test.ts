import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { inspect, restart } from '../support/docker/hotexec.ts';
import { answers, start } from '../support/docker/program.ts';
import { nginx } from '../support/docker/programs/nginx.ts';
import { redis } from '../support/docker/programs/redis.ts';

describe.each([nginx, redis])('$name, which overwrites its arguments with a title', (program) => {
  needs('root', 'docker', ...program.needs);

  test('comes back with the arguments that its container was started with', async () => {
    await using container = await start(program);
    const { entrypoint } = await program.recipe();
    const title = await readFile(`/proc/${container.pid}/cmdline`, 'utf8');
    expect(title).not.toContain(entrypoint.join('\0'));

    const { program: found } = await inspect(container.target);
    expect(found.argvIntact).toBe(false);
    expect(found.spec?.argv).toEqual(entrypoint);

    const { after } = await restart(container.target);
    await answers(program, container);
    expect(after?.argv).toEqual(entrypoint);
    expect(await readFile(`/proc/${container.pid}/cmdline`, 'utf8')).toBe(title);
  });
});

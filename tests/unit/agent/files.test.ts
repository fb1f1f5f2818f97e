import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { sameProgram } from '../../../src/protocol/request.ts';
import { damaging, frontOf, startLocalAgent } from '../../support/local-agent.ts';
import { restartResult } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { asking, errorOf, fileOf, hello, listening, talk, uploadsIn } from './asking.ts';

describe('files on their way to an agent', () => {
  it('are sent again when they come damaged', async () => {
    const record = join(tempDirectory(), 'requests');
    const agent = await startLocalAgent({ engines: ['works', 'works'], record });
    const path = fileOf(1_000_000);
    const { front, ways } = frontOf(agent, { through: (way) => (way === 1 ? damaging(400_000) : null) });
    const heard = listening();
    expect(await front.restart(asking(path), heard)).toEqual(restartResult);
    expect(ways()).toBe(1);
    expect(heard.events).toContainEqual({ kind: 'upload', path, doneBytes: 1_000_000, totalBytes: 1_000_000 });
    const [request = ''] = readFileSync(record, 'utf8').split('\n');
    expect(request).toContain(`${agent.directory}/uploads/`);
    await until('they are removed', () => uploadsIn(agent).length === 0);
  });

  it('come whole when they are large, and do not fill the memory of the agent', async () => {
    const agent = await startLocalAgent({ engines: ['works', 'waits for a cancel'] });
    const path = join(tempDirectory(), 'large');
    writeFileSync(path, randomBytes(150_000_000));
    // What this one and other tests have left is none of the agent's.
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let largestBytes = 0;
    let come = Buffer.alloc(0);
    const abort = new AbortController();
    const heard = listening((event) => {
      if (event.kind === 'upload') largestBytes = Math.max(largestBytes, process.memoryUsage().arrayBuffers);
      // The file is there, and its engine waits.
      if (event.kind === 'phase') {
        const [operation = ''] = uploadsIn(agent);
        come = readFileSync(join(agent.directory, 'uploads', operation, '0/large'));
        abort.abort();
      }
    }, abort.signal);
    expect(await frontOf(agent).front.restart(asking(path), heard)).toMatchObject({ error: { code: 'cancelled' } });
    expect(come.equals(readFileSync(path))).toBe(true);
    // Of both ends.
    expect(largestBytes - before).toBeLessThan(60_000_000);
  });

  it('may be thousands', async () => {
    const agent = await startLocalAgent({ engines: ['works', 'works'] });
    const directory = join(tempDirectory(), 'tree');
    mkdirSync(directory);
    const names = Array.from(
      { length: 4000 },
      (_, index) => `a-name-that-makes-the-request-longer-than-one-frame-${'x'.repeat(150)}-${index}`,
    );
    for (const name of names) writeFileSync(join(directory, name), name);
    const files = [{ source: directory, destination: '/x', owner: null, allowVolume: false }];
    const asked = { ...asking(), program: { ...sameProgram, files } };
    const { front, ways } = frontOf(agent);
    expect(await front.restart(asked, listening())).toEqual(restartResult);
    expect(ways()).toBe(1);
  }, 120_000);

  it('are not asked of anybody when they cannot be read', async () => {
    const agent = await startLocalAgent({ engines: [] });
    const error = await errorOf(frontOf(agent).front.restart(asking('/nowhere/app'), listening()));
    expect(error).toMatchObject({ code: 'usage' });
    expect(error.message).toMatch(/^\/nowhere\/app cannot be read/);
  });

  it('are not begun when they have no room', async () => {
    const agent = await startLocalAgent({ engines: ['works'] });
    const operationId = randomUUID();
    const files = [{ digest: 'a'.repeat(64), sizeBytes: 2 ** 52 }];
    const answers = await talk(agent, hello, { kind: 'offer', operationId, files });
    expect(answers.at(-1)).toMatchObject({
      kind: 'answer',
      operationId,
      answer: { kind: 'failure', error: { code: 'file-refused' } },
    });
  });

  it('stop at a cancel, and nothing was touched', async () => {
    const agent = await startLocalAgent({ engines: ['works'] });
    const abort = new AbortController();
    const heard = listening((event) => event.kind === 'upload' && abort.abort(), abort.signal);
    const error = await errorOf(frontOf(agent).front.restart(asking(fileOf(50_000_000)), heard));
    expect(error).toMatchObject({ code: 'cancelled', exitCode: 130 });
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

// A Node server: it ignores signals, raises RLIMIT_NOFILE and marks its own stdio close-on-exec and non-blocking.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { serversDirectory } from '../cache.ts';
import type { Program } from '../program.ts';
import { executable, hostFile } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const node: Program = {
  name: 'node',
  needs: [],
  recipe: async () => ({
    name: 'node',
    files: [
      ...(await executable(process.execPath, '/usr/bin/node')),
      await hostFile(join(serversDirectory, 'server.mjs'), '/server.mjs'),
    ],
    entrypoint: ['/usr/bin/node', '/server.mjs'],
  }),
  async ask({ address }) {
    const answers = await Promise.all([httpGet(address, 8080), httpGet(address, 8081)]);
    const [first, second] = answers.map((answer) => /instance (\S+)/.exec(answer)?.[1]);
    assert.ok(first !== undefined && first === second, `both ports tell the run: ${answers.join()}`);
    return first;
  },
  logLine: /node serves/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: false,
};

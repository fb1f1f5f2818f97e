// Debian's nginx: a master, which overwrites its arguments with a title, and two workers, which hold the listeners too.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serversDirectory } from '../cache.ts';
import { childrenOf, innerPid } from '../proc.ts';
import type { Program } from '../program.ts';
import { directory, executable, textFile } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const nginx: Program = {
  name: 'nginx',
  needs: [{ command: 'nginx' }],
  recipe: async () => ({
    name: 'nginx',
    files: [
      ...(await executable('/usr/sbin/nginx')),
      textFile('/etc/nginx.conf', await readFile(join(serversDirectory, 'nginx.conf'), 'utf8')),
      textFile('/etc/passwd', 'root:x:0:0:root:/root:\nnobody:x:65534:65534::/:\n'),
      textFile('/etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
      directory('/var/log/nginx'),
      directory('/tmp', 0o1777),
    ],
    entrypoint: ['/usr/sbin/nginx', '-c', '/etc/nginx.conf'],
  }),
  async ask({ address, pid }) {
    const answers = await Promise.all([httpGet(address, 8080), httpGet(address, 8081)]);
    const workers = await Promise.all((await childrenOf(pid)).map(innerPid));
    for (const answer of answers)
      assert.ok(workers.includes(Number(answer.split(' ')[1])), `${answer} of ${workers.join()}`);
    return `workers ${workers.join(' ')}`;
  },
  logLine: /start worker process \d+/,
  children: ['nginx', 'nginx'],
  readOnlyFlags: ['--tmpfs', '/tmp'],
  isDeterministic: true,
};

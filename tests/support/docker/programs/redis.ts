// Debian's redis-server: several threads, jemalloc, arguments overwritten by a title.
import assert from 'node:assert/strict';
import type { Program } from '../program.ts';
import { directory, executable } from '../rootfs.ts';
import { tcpExchange } from '../talk.ts';

export const redis: Program = {
  name: 'redis-server',
  needs: [{ command: 'redis-server' }],
  recipe: async () => ({
    name: 'redis',
    files: [...(await executable('/usr/bin/redis-server')), directory('/tmp', 0o1777)],
    entrypoint: ['/usr/bin/redis-server', '--save', '', '--protected-mode', 'no', '--port', '6379'],
  }),
  async ask({ address }) {
    const info = (await tcpExchange(address, 6379, 'INFO server\r\n')).toString();
    const [, run] = /run_id:(\w+)/.exec(info) ?? [];
    const [, uptime] = /uptime_in_seconds:(\d+)/.exec(info) ?? [];
    assert.ok(run !== undefined && uptime !== undefined, `redis tells its run: ${info}`);
    return run;
  },
  logLine: /Ready to accept connections/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: false,
};

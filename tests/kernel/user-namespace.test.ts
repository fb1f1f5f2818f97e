// A pod with `hostUsers: false`, simulated: the runtimes of the tests' cluster have no user namespaces, so the kernel is asked for one. The program is
// pid 1 of its own user and pid namespace, and hotexec comes in as the agent does: root there, with CAP_SYS_PTRACE and no other capability.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { RestartResult } from '../../src/protocol/result.ts';
import { freePort } from '../support/containerd/port.ts';
import { hotexecCommand, run } from '../support/docker/hotexec.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { childrenOf } from '../support/docker/proc.ts';
import { httpGet } from '../support/docker/talk.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

needs('root', { command: 'unshare' }, { command: 'nsenter' }, { command: 'setpriv' }, ...newcomer.needs);

test('a program in a user namespace of its own is restarted by its neighbour there', async () => {
  const port = await freePort();
  const args = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', buildOf(1)];
  const parent = spawn('unshare', args, { env: { PORT: String(port), PATH: process.env['PATH'] }, stdio: 'ignore' });
  try {
    const before = await until('it serves', async () => await httpGet('127.0.0.1', port));
    const [pid = 0] = await childrenOf(parent.pid ?? 0);
    const enter = ['--target', String(pid), '--user', '--pid', '--mount', '--preserve-credentials'];
    const rights = ['setpriv', '--bounding-set=-all,+sys_ptrace', '--inh-caps=-all'];
    const directory = tempDirectory();
    const places = [`HOTEXEC_RUNTIME_DIR=${directory}/run`, `HOTEXEC_STATE_DIR=${directory}/state`];
    const words = ['env', ...places, hotexecCommand, 'restart', '1', '-o', 'json'];
    const { exitCode, stdout, stderr } = await run('nsenter', [...enter, ...rights, ...words]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout) as RestartResult).toMatchObject({ outcome: 'restarted', pid: 1 });
    expect(await httpGet('127.0.0.1', port)).not.toBe(before);
    expect(await childrenOf(parent.pid ?? 0)).toEqual([pid]);
  } finally {
    for (const pid of await childrenOf(parent.pid ?? 0)) process.kill(pid, 'SIGKILL');
    await once(parent, 'exit');
  }
});

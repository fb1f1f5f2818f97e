import { join } from 'node:path';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { hotexec, hotexecCommand, inspect, planRestart, restart, run } from '../support/docker/hotexec.ts';
import { attributesOf, differences } from '../support/docker/freshness.ts';
import { childrenOf, executionOf, startTicks } from '../support/docker/proc.ts';
import { answers, start } from '../support/docker/program.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { glibcThreads } from '../support/docker/programs/hundred-threads.ts';
import { nginx } from '../support/docker/programs/nginx.ts';

describe('hotexec inspect', () => {
  needs('root', 'docker', ...fortio.needs, ...nginx.needs);

  test('shows the program, its listeners and its container', async () => {
    await using container = await start(fortio, ['--env', 'SECRET=42']);
    const inspection = await inspect(container.target);
    expect(inspection).toMatchObject({
      kind: 'Inspection',
      pid: container.pid,
      startTicks: await startTicks(container.pid),
      container: { id: container.id, name: container.name, runtime: 'docker' },
      program: { exe: '/fortio', exeReplaced: false, argv: ['/fortio', 'server'], argvIntact: true, cwd: '/' },
      verdict: { possible: true, refusals: [] },
    });
    expect(inspection.program.environmentNames).toContain('SECRET');
    expect(JSON.stringify(inspection)).not.toContain('SECRET=42');
    const sockets = inspection.descriptors.flatMap(({ socket }) => socket ?? []);
    const listeners = sockets.filter(({ state }) => /listen/i.test(state)).map(({ local }) => local.split(':').at(-1));
    expect(new Set(listeners)).toEqual(new Set(['8078', '8079', '8080', '8081']));
  });

  test('shows the values of the environment when asked', async () => {
    await using container = await start(fortio, ['--env', 'SECRET=42']);
    const { program } = await inspect(container.target, '--show-env');
    expect(program.environment).toContain('SECRET=42');
  });

  test('shows no drift in a fresh container, and then what was changed', async () => {
    await using container = await start(fortio, ['--env', 'MODE=1', '--env', 'SECRET=42']);
    expect((await inspect(container.target)).drift).toEqual([]);
    await restart(container.target, '--env', 'MODE=2', '--env', 'DEBUG=1', '--unset-env', 'SECRET');
    expect((await inspect(container.target)).drift).toEqual([
      { kind: 'environment', added: ['DEBUG'], removed: ['SECRET'], changed: ['MODE'] },
    ]);
    const command = ['/fortio', 'server', '-http-port', '8090'];
    const { exitCode } = await hotexec('restart', container.target, '--no-drain', '--from', 'spec', '--', ...command);
    expect(exitCode).toBe(0);
    expect((await inspect(container.target)).drift).toEqual([
      { kind: 'arguments', running: command, spec: ['/fortio', 'server'] },
    ]);
  });

  test('shows the children that a restart would clear', async () => {
    await using container = await start(nginx);
    const { children } = await inspect(container.target);
    expect(new Set(children.map(({ pid }) => pid))).toEqual(new Set(await childrenOf(container.pid)));
    expect(children).toMatchObject([
      { comm: 'nginx', spared: false },
      { comm: 'nginx', spared: false },
    ]);
  });
});

describe('hotexec plan restart', () => {
  needs('root', 'docker', { command: 'strace' }, ...glibcThreads.needs);

  test('shows the steps and touches nothing', async () => {
    await using container = await start(glibcThreads);
    const before = await Promise.all([answers(glibcThreads, container), executionOf(container.pid)]);
    const attributes = await attributesOf(container, glibcThreads);
    const plan = await planRestart(container.target);
    expect(plan).toMatchObject({ kind: 'Plan', possible: true, refusals: [], pid: container.pid });
    expect(plan.steps.flatMap(({ calls }) => calls.map(({ call }) => call)).join('\n')).toMatch(/execve/);
    expect(await Promise.all([answers(glibcThreads, container), executionOf(container.pid)])).toEqual(before);
    expect(differences(attributes, await attributesOf(container, glibcThreads))).toEqual([]);
  });

  test('would be seen if it did: the trace of a restart shows it', async () => {
    await using container = await start(glibcThreads);
    const calls = await strace(['restart', container.target, '--no-drain']);
    expect(calls.some((call) => touches(call, container.pid))).toBe(true);
  });

  test.each(['plan restart', 'inspect', 'restart --dry-run'])(
    '%s makes no call that could reach into the target',
    async (command) => {
      await using container = await start(glibcThreads);
      const calls = await strace([...command.split(' '), container.target]);
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.filter((call) => touches(call, container.pid))).toEqual([]);
    },
  );
});

const traced = `ptrace,process_vm_writev,process_madvise,kcmp,setns,kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,\
pidfd_send_signal,pidfd_getfd,prlimit64,sched_setaffinity,setpriority,ioprio_set,open,openat,openat2,execve`;

async function strace(args: readonly string[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'hotexec-strace-'));
  try {
    const log = join(directory, 'log');
    const flags = ['-f', '-qq', '-o', log, '-e', `trace=${traced}`];
    const { exitCode, stderr } = await run('strace', [...flags, hotexecCommand, ...args, '-o', 'json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return (await readFile(log, 'utf8')).split('\n');
  } finally {
    await rm(directory, { recursive: true });
  }
}

const reachingIn = new Set(['ptrace', 'process_vm_writev', 'pidfd_send_signal', 'pidfd_getfd']);

// Also one that names the target first, or opens one of its files for writing. Signal 0 only asks whether it is there.
function touches(call: string, pid: number): boolean {
  const [, name = '', args = ''] = /^\d+ +(\w+)\((.*)/.exec(call) ?? [];
  if (name.startsWith('open')) return args.includes(`/proc/${pid}/`) && /O_WRONLY|O_RDWR/.test(args);
  if (name === 'prlimit64') return args.startsWith(`${pid},`) && !/^\d+, \w+, NULL/.test(args);
  // A thread of hotexec goes to the network namespace to ask for its sockets there (sock_diag), and nothing of the target learns of it.
  if (name === 'setns') return !args.includes('CLONE_NEWNET');
  return reachingIn.has(name) || (args.startsWith(`${pid},`) && !/^\d+, 0\)/.test(args));
}

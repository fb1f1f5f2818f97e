import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { machineAt, type Answer, type Machine } from '../../../src/doctor/machine.ts';
import { captured, machineOf, rootFiles, userFiles, type Files } from './tree.ts';

async function findingsOf(machine: Machine): Promise<ReadonlyMap<string, Finding>> {
  const { sections } = await diagnose(machine, null);
  return new Map(sections.flatMap(({ findings }) => findings).map((each) => [each.subject, each]));
}

async function finding(subject: string, machine: Machine): Promise<Finding | undefined> {
  return (await findingsOf(machine)).get(subject);
}

function withRelease(release: string): Machine {
  return machineOf({ ...rootFiles, '/proc/sys/kernel/osrelease': `${release}\n` });
}

function withScope(files: Files, scope: string): Files {
  return { ...files, '/proc/sys/kernel/yama/ptrace_scope': `${scope}\n` };
}

async function isPossible(files: Files): Promise<boolean> {
  return (await diagnose(machineOf(files), null)).possible;
}

describe('the kernel', () => {
  test.each(['5.16.0', '6.0.0-rc1', '10.2-custom'])('%s has all that a restart needs', async (release) => {
    expect(await finding('kernel', withRelease(release))).toMatchObject({ verdict: 'yes' });
  });

  test('before 5.16 does some things worse, and says which', async () => {
    expect(await finding('kernel', withRelease('5.4.0-216-generic'))).toEqual({
      subject: 'kernel',
      verdict: 'no',
      meaning:
        'Linux 5.4.0 is old: descriptors are closed one by one without CLOSE_RANGE_CLOEXEC (5.11); a failing exec is found only by the exec itself without safe CLONE_VM children (5.16)',
      remedy: 'boot Linux 5.16 or newer',
      blocking: false,
    });
  });

  test('before 5.3 cannot do it', async () => {
    expect(await finding('kernel', withRelease('4.18.0-553.el8'))).toMatchObject({ verdict: 'no', blocking: true });
  });

  test('has seccomp filters to read only with CONFIG_CHECKPOINT_RESTORE', async () => {
    const { '/proc/sys/kernel/ns_last_pid': _, ...without } = rootFiles;
    expect(await finding('filters readable', machineOf(rootFiles))).toMatchObject({ verdict: 'yes' });
    expect(await finding('filters readable', machineOf(without))).toMatchObject({ verdict: 'no', blocking: false });
  });

  test('must run on an x86-64 machine', async () => {
    const machine = machineOf(rootFiles, { architecture: 'aarch64' });
    expect(await finding('CPU', machine)).toMatchObject({ verdict: 'no', blocking: true });
  });
});

describe('Yama', () => {
  test.each([
    { who: 'root', scope: '0', verdict: 'yes', possible: true },
    { who: 'root', scope: '1', verdict: 'yes', possible: true },
    { who: 'root', scope: '2', verdict: 'yes', possible: true },
    { who: 'root', scope: '3', verdict: 'no', possible: false },
    { who: 'a user', scope: '0', verdict: 'yes', possible: true },
    { who: 'a user', scope: '1', verdict: 'no', possible: true },
    { who: 'a user', scope: '2', verdict: 'no', possible: true },
    { who: 'a user', scope: '3', verdict: 'no', possible: false },
  ])('for $who, ptrace_scope $scope: $verdict', async ({ who, scope, verdict, possible }) => {
    const files = withScope(who === 'root' ? rootFiles : userFiles, scope);
    expect(await finding('Yama', machineOf(files))).toMatchObject({ verdict });
    expect(await isPossible(files)).toBe(possible);
  });

  test('leaves a user nothing where user namespaces are forbidden too', async () => {
    const files = { ...withScope(userFiles, '1'), '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' };
    expect(await isPossible(files)).toBe(false);
    expect(await finding('Yama', machineOf(files))).toMatchObject({
      remedy: 'sudo hotexec …, or: sudo sysctl kernel.yama.ptrace_scope=0',
    });
  });

  test('that is not in the kernel forbids nothing', async () => {
    expect(await finding('Yama', machineOf(userFiles))).toMatchObject({ verdict: 'yes' });
  });
});

describe('capabilities', () => {
  test('are read one by one: this root lacks CAP_SYS_RESOURCE', async () => {
    const found = await findingsOf(machineOf(rootFiles));
    expect(found.get('CAP_SYS_PTRACE')).toMatchObject({ verdict: 'yes' });
    expect(found.get('CAP_SYS_RESOURCE')).toMatchObject({
      verdict: 'no',
      remedy: 'in a container: docker run --cap-add=SYS_RESOURCE …',
      blocking: false,
    });
  });

  test('of a user are given by sudo', async () => {
    expect(await finding('CAP_SYS_PTRACE', machineOf(userFiles))).toMatchObject({
      verdict: 'no',
      remedy: 'sudo hotexec …',
    });
  });

  test('of root in a user namespace reach no further than that', async () => {
    const machine = machineOf({
      ...rootFiles,
      '/proc/self/status': captured('userns-root.status'),
      '/proc/self/uid_map': captured('userns-root.uid_map'),
    });
    expect((await finding('CAP_SYS_PTRACE', machine))?.meaning).toBe(
      "restarts of every user's processes, within this user namespace only",
    );
  });
});

describe('what is put upon hotexec itself', () => {
  const filtered = captured('root.status')
    .replace(/^Seccomp:\t0$/m, 'Seccomp:\t2')
    .replace('Seccomp_filters:\t0', 'Seccomp_filters:\t1');
  const files = { ...rootFiles, '/proc/self/status': filtered };

  test('a seccomp filter is unknown until it is tried', async () => {
    expect(await finding('our seccomp', machineOf(files))).toMatchObject({ verdict: 'unknown', blocking: false });
  });

  test('a filter that lets both calls through is none', async () => {
    const machine = machineOf(files, { selfTest: async () => ({ ptrace: null, processVmWritev: null }) });
    expect(await finding('our seccomp', machine)).toMatchObject({ verdict: 'yes' });
  });

  test('a filter that forbids ptrace ends it', async () => {
    const machine = machineOf(files, { selfTest: async () => ({ ptrace: 'EPERM', processVmWritev: null }) });
    expect(await finding('our seccomp', machine)).toMatchObject({
      verdict: 'no',
      meaning: '1 filter(s) on hotexec itself, in the way of ptrace (EPERM)',
      blocking: true,
    });
  });

  test('no_new_privs takes sudo away from a user', async () => {
    const status = captured('user.status').replace('NoNewPrivs:\t0', 'NoNewPrivs:\t1');
    expect(await finding('no_new_privs', machineOf({ ...userFiles, '/proc/self/status': status }))).toMatchObject({
      verdict: 'no',
    });
  });
});

describe('security modules', () => {
  const appArmor: Files = { ...rootFiles, '/sys/module/apparmor/parameters/enabled': 'Y\n' };
  const seLinux: Files = { ...rootFiles, '/sys/fs/selinux/enforce': '1' };

  test.each([
    ['unconfined\n', 'yes'],
    ['docker-default (enforce)\n', 'no'],
    ['docker-default (complain)\n', 'yes'],
  ])('AppArmor, under %j: %s', async (label, verdict) => {
    const machine = machineOf({ ...appArmor, '/proc/self/attr/current': label });
    expect(await finding('AppArmor', machine)).toMatchObject({ verdict });
  });

  test.each([
    ['unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0', 'yes'],
    ['system_u:system_r:container_t:s0:c1,c2\0', 'unknown'],
  ])('SELinux, as %j: %s', async (label, verdict) => {
    const machine = machineOf({ ...seLinux, '/proc/self/attr/current': label });
    expect(await finding('SELinux', machine)).toMatchObject({ verdict });
  });

  test('SELinux with deny_ptrace forbids all', async () => {
    expect(await isPossible({ ...seLinux, '/sys/fs/selinux/booleans/deny_ptrace': '1 1' })).toBe(false);
  });
});

describe('user namespaces', () => {
  test.each([
    ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone'],
    ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'kernel.apparmor_restrict_unprivileged_userns'],
  ])('%s at %s forbids them', async (path, value, setting) => {
    const found = await finding('user namespaces', machineOf({ ...userFiles, [path]: `${value}\n` }));
    expect(found).toMatchObject({ verdict: 'no', blocking: false });
    expect(found?.remedy).toContain(`sudo sysctl ${setting}=`);
  });

  test('root may make them where users may not', async () => {
    const machine = machineOf({ ...rootFiles, '/proc/sys/kernel/unprivileged_userns_clone': '0\n' });
    expect(await finding('user namespaces', machine)).toMatchObject({ verdict: 'yes' });
  });
});

/** Nothing else is there. */
function onlyAt(socket: string, answer: Answer<null>): Machine['connect'] {
  return async (path) => (path === socket ? answer : { kind: 'failed', errno: 'ENOENT' });
}

describe('runtimes', () => {
  test('one that answers on its socket is found', async () => {
    const root = mkdtempSync(join(tmpdir(), 'hotexec-doctor-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, 'var/run'), { recursive: true });
    const server = createServer().listen(join(root, 'var/run/docker.sock'));
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const machine: Machine = {
      ...machineOf(rootFiles),
      connect: machineAt({ env: {}, architecture: '', root, selfTest: null }).connect,
    };
    expect(await finding('docker', machine)).toMatchObject({
      verdict: 'yes',
      meaning: 'answers on /var/run/docker.sock',
    });
  });

  test.each([
    ['EACCES', '/var/run/docker.sock is out of reach for this user', 'usermod -aG docker'],
    ['ECONNREFUSED', '/var/run/docker.sock is there, but nobody answers', 'sudo systemctl start docker'],
  ])('one that fails with %s comes with its way out', async (errno, meaning, remedy) => {
    const connect: Machine['connect'] = async (path) => ({
      kind: 'failed',
      errno: path === '/var/run/docker.sock' ? errno : 'ENOENT',
    });
    const found = await finding('docker', { ...machineOf(userFiles), connect });
    expect(found).toMatchObject({ verdict: 'no', meaning, blocking: false });
    expect(found?.remedy).toContain(remedy);
  });

  test.each([
    ['containerd 1.7.0', ', with CRI (containerd 1.7.0): hotexec ls lists its pods'],
    [null, ', without CRI: it knows no pods'],
  ])('a containerd tells whether it knows pods: %s', async (version, words) => {
    const connect = onlyAt('/run/k3s/containerd/containerd.sock', { kind: 'ok', value: null });
    const machine = { ...machineOf(rootFiles, { criVersion: async () => version }), connect };
    expect(await finding('containerd', machine)).toMatchObject({
      verdict: 'yes',
      meaning: `answers on /run/k3s/containerd/containerd.sock${words}`,
    });
  });

  test('a runtime that only crictl was told of is looked for too', async () => {
    const files = { ...rootFiles, '/etc/crictl.yaml': 'runtime-endpoint: unix:///opt/cri.sock\n' };
    const connect = onlyAt('/opt/cri.sock', { kind: 'failed', errno: 'ECONNREFUSED' });
    expect(await finding('CRI runtime', { ...machineOf(files), connect })).toMatchObject({
      verdict: 'no',
      remedy: 'start it, or correct /etc/crictl.yaml',
    });
  });

  test('a Docker on another machine is out of reach', async () => {
    const machine = machineOf(rootFiles, { env: { DOCKER_HOST: 'ssh://build-1' } });
    expect(await finding('docker', machine)).toMatchObject({
      verdict: 'no',
      remedy: 'run hotexec on that machine, or: unset DOCKER_HOST',
    });
  });

  test('none at all leaves pids to name processes by', async () => {
    expect(await finding('runtimes', machineOf(rootFiles))).toMatchObject({ verdict: 'no', blocking: false });
  });
});

describe('the directory of journals', () => {
  test('is made at the first restart where it can be', async () => {
    const ownRun = { ...rootFiles, '/run/user/65534/.keep': '' };
    expect((await finding('journal', machineOf(ownRun)))?.meaning).toBe(
      '/run/hotexec will be made at the first restart',
    );
  });

  test('must be a directory that nobody else may write to', async () => {
    const machine = machineOf({ ...rootFiles, '/run/hotexec': 'a file' });
    expect(await finding('journal', machine)).toMatchObject({ verdict: 'no', blocking: true });
  });

  test('of a user without XDG_RUNTIME_DIR is in /tmp', async () => {
    expect((await finding('journal', machineOf(userFiles)))?.meaning).toContain('/tmp/hotexec-65534');
  });
});

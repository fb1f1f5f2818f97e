import { readFileSync } from 'node:fs';
import { machine as hostArchitecture } from 'node:os';
import { expect, test } from 'vitest';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { machineAt, type Machine } from '../../../src/doctor/machine.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import type { TargetProcess } from '../../../src/protocol/request.ts';
import {
  captured,
  containerId,
  machineOf,
  rootFiles,
  sleepFiles,
  sleepPid,
  sleepStartTicks,
  userFiles,
  type Files,
} from './tree.ts';

const web: TargetProcess = {
  name: 'docker/web',
  pid: sleepPid,
  startTicks: sleepStartTicks,
  container: { id: containerId, name: 'web', runtime: 'docker' },
  spec: null,
};

interface Verdict {
  readonly possible: boolean;
  readonly findings: ReadonlyMap<string, Finding>;
}

async function judge(machine: Machine, target = web): Promise<Verdict> {
  const { possible, sections } = await diagnose(machine, target);
  return { possible, findings: new Map(sections.at(-1)?.findings.map((finding) => [finding.subject, finding])) };
}

const denied: Machine['mayOpen'] = () => ({ kind: 'failed', errno: 'EACCES' });
const files: Files = { ...rootFiles, ...sleepFiles };

test('an ordinary process of root can be restarted by root', async () => {
  const { possible, findings } = await judge(machineOf(files));
  expect([...findings.values()].map(({ subject, verdict }) => `${verdict} ${subject}`)).toEqual([
    'yes process',
    'yes tracer',
    'yes its program',
    'yes not frozen',
    'yes its seccomp',
    'yes same user',
    'yes user namespace',
    'yes access',
  ]);
  expect(possible).toBe(true);
});

test("another user's process cannot, and the reasons are given", async () => {
  const { possible, findings } = await judge({ ...machineOf({ ...userFiles, ...sleepFiles }), mayOpen: denied });
  expect(possible).toBe(false);
  expect(findings.get('same user')).toMatchObject({
    verdict: 'no',
    meaning: 'it runs as uid 0, gid 0, you as uid 65534, gid 65534',
    remedy: 'sudo hotexec …',
  });
  expect(findings.get('access')).toMatchObject({ verdict: 'no', blocking: true });
});

test('a paused container is thawed by its runtime', async () => {
  const path = `/sys/fs/cgroup/freezer/docker/${containerId}/freezer.state`;
  const { possible, findings } = await judge(machineOf({ ...files, [path]: 'FROZEN\n' }));
  expect(possible).toBe(false);
  expect(findings.get('not frozen')).toMatchObject({ verdict: 'no', remedy: 'docker unpause web' });
});

test('a frozen cgroup v2 is found as well', async () => {
  const { possible } = await judge(
    machineOf({
      ...files,
      [`/proc/${sleepPid}/cgroup`]: '0::/system.slice/docker.scope\n',
      '/sys/fs/cgroup/system.slice/docker.scope/cgroup.events': 'populated 1\nfrozen 1\n',
    }),
  );
  expect(possible).toBe(false);
});

test('a pid that has a new owner is not the target any more', async () => {
  const { possible, findings } = await judge(machineOf(files), { ...web, startTicks: sleepStartTicks - 1 });
  expect(possible).toBe(false);
  expect([...findings.values()].map(({ meaning }) => meaning)).toEqual([`docker/web (pid ${sleepPid}) has ended`]);
});

test('the one who traces it is named, in plain characters', async () => {
  const status = captured('sleep.status').replace('TracerPid:\t0', 'TracerPid:\t3738');
  const stat = captured('sleep.stat').replace('3729 (sleep)', '3738 (st\x1b[31m)');
  const { findings } = await judge(
    machineOf({ ...files, [`/proc/${sleepPid}/status`]: status, '/proc/3738/stat': stat }),
  );
  expect(findings.get('tracer')).toMatchObject({
    verdict: 'no',
    meaning: 'st?[31m (pid 3738) traces it, and the kernel allows one tracer only',
    blocking: true,
  });
});

test.each([
  ['a 32-bit program', '7f454c4601010100000000000000000003000300'],
  ['an x32 program', '7f454c4601010100000000000000000003003e00'],
  ['a program of another CPU', '7f454c460201010000000000000000000300b700'],
])('%s is not supported', async (_, hex) => {
  const { possible } = await judge(machineOf({ ...files, [`/proc/${sleepPid}/exe`]: Buffer.from(hex, 'hex') }));
  expect(possible).toBe(false);
});

test('strict seccomp leaves nothing to restart with', async () => {
  const status = captured('sleep.status').replace(/^Seccomp:\t0$/m, 'Seccomp:\t1');
  expect((await judge(machineOf({ ...files, [`/proc/${sleepPid}/status`]: status }))).possible).toBe(false);
});

test.each([
  ['a kernel thread', 'kthread.stat', 'is a kernel thread: it has no program'],
  ['a zombie', 'zombie.stat', 'has ended and waits for its parent'],
])('%s cannot be restarted', async (_, file, meaning) => {
  const stat = captured(file);
  const pid = Number.parseInt(stat, 10);
  const startTicks = Number(stat.slice(stat.lastIndexOf(')')).split(' ')[20]);
  const machine = machineOf({ ...rootFiles, [`/proc/${pid}/stat`]: stat });
  const { possible, findings } = await judge(machine, { ...web, pid, startTicks });
  expect(possible).toBe(false);
  expect(findings.get('process')?.meaning).toContain(meaning);
});

test('pid 1 of the machine is never touched', async () => {
  const stat = captured('sleep.stat').replace('3729 (sleep)', '1 (systemd)');
  const machine = machineOf({ ...files, '/proc/1/stat': stat });
  expect((await judge(machine, { ...web, pid: 1 })).possible).toBe(false);
});

test('a process in a user namespace below ours is within reach of root', async () => {
  const machine = machineOf({ ...files, [`/proc/${sleepPid}/ns/user`]: '-> user:[4026532177]' });
  expect((await judge(machine)).findings.get('user namespace')).toMatchObject({ verdict: 'yes' });
});

test('the doctor looks at the machine it runs on, and may trace itself', async () => {
  const machine = machineAt({ env: process.env, architecture: hostArchitecture(), root: '', selfTest: null });
  const startTicks = parseStat(readFileSync('/proc/self/stat', 'utf8')).startTicks;
  const { findings } = await judge(machine, { ...web, name: 'itself', pid: process.pid, startTicks });
  expect(findings.get('same user')).toMatchObject({ verdict: 'yes' });
  expect(findings.get('access')).toMatchObject({ verdict: 'yes' });
});

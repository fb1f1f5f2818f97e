// One of each document, with every field set to something that can be told apart.
import type { History } from '../../src/protocol/history.ts';
import type { Inspection } from '../../src/protocol/inspection.ts';
import type { Plan } from '../../src/protocol/plan.ts';
import type { ProgramSpec, TargetProcess } from '../../src/protocol/request.ts';
import type { RestartResult } from '../../src/protocol/result.ts';

export const containerId = '3f9a0c1d2e4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeef';

const subject = {
  target: 'docker/web',
  pid: 4711,
  startTicks: 429_055,
  container: { id: containerId, name: 'web', runtime: 'docker' },
} as const;

export const restartResult: RestartResult = {
  apiVersion: 'hotexec/v1',
  kind: 'Restart',
  operationId: '0b9d7a52-5c39-4c2f-8a52-5a3a5f6f7a11',
  outcome: 'restarted',
  ...subject,
  before: { exe: '/usr/sbin/nginx', argv: ['nginx', '-g', 'daemon off;'], cwd: '/' },
  after: { exe: '/usr/sbin/nginx', argv: ['nginx', '-g', 'daemon off;'], cwd: '/' },
  listeners: [],
  drain: { signal: 'SIGQUIT', end: 'exited', why: null, exitCode: 0, endedBy: null, ms: 41.7 },
  hooks: [],
  children: { killed: 2 },
  files: [],
  probation: { end: 'listening', ms: 12.5 },
  failed: null,
  notFresh: [],
  warnings: [],
  timingsMs: { hold: 2.417, total: 118.201 },
  error: null,
};

export const plan: Plan = {
  apiVersion: 'hotexec/v1',
  kind: 'Plan',
  operationId: restartResult.operationId,
  ...subject,
  possible: true,
  refusals: [],
  warnings: ['/usr/sbin/nginx was replaced since the start: the new file will run'],
  before: restartResult.before,
  after: {
    exe: '/usr/sbin/nginx',
    argv: ['nginx', '-t'],
    cwd: '/srv',
    environmentNames: ['PATH', 'HOSTNAME', 'NGINX_VERSION'],
  },
  files: [],
  drain: { signal: 'SIGQUIT', gracePeriodMs: 10_000, why: null },
  hooks: [],
  listeners: [
    { protocol: 'tcp', address: '0.0.0.0:80', handOver: true, why: null },
    { protocol: 'unix-stream', address: '/run/\u001b.sock', handOver: false, why: 'asked for' },
  ],
  steps: [
    {
      title: 'Hold: stop the one thread',
      calls: [{ by: 'hotexec', call: 'ptrace(PTRACE_SEIZE, 4711, 0, PTRACE_O_TRACEEXEC)', when: null }],
    },
    {
      title: 'Swap: start the program',
      calls: [
        { by: 'target', call: 'close_range(3, ~0, CLOSE_RANGE_CLOEXEC)', when: 'descriptors above 2 are open' },
        { by: 'target', call: 'execve("/usr/sbin/nginx", ["nginx", "-t"], 3 variables)', when: null },
      ],
    },
  ],
  notFresh: [{ attribute: 'rlimit-nofile', message: 'stays at 1024, a fresh start would have 1048576' }],
  gdbScript: null,
};

export const inspection: Inspection = {
  apiVersion: 'hotexec/v1',
  kind: 'Inspection',
  operationId: restartResult.operationId,
  ...subject,
  program: {
    exe: '/usr/sbin/nginx',
    exeReplaced: false,
    execPath: '/docker-entrypoint.sh',
    argv: ['nginx: master process nginx -g daemon off;'],
    argvIntact: false,
    environmentNames: ['PATH', 'HOSTNAME', 'NGINX_VERSION'],
    environment: null,
    environmentIntact: true,
    cwd: '/',
    root: '/',
    spec: { argv: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'], cwd: '/' },
  },
  drift: [],
  memory: {
    argStart: '0x7ffde1c74aa0',
    argEnd: '0x7ffde1c74aab',
    envStart: '0x7ffde1c74aab',
    envEnd: '0x7ffde1c74fe9',
    stackStart: '0x7ffde1c73310',
    residentBytes: 7_340_032,
    headroomBytes: 60_817_408,
  },
  descriptors: [
    {
      fd: 10,
      target: 'socket:[81]',
      closeOnExec: false,
      nonBlocking: true,
      socket: { protocol: 'tcp', local: '0.0.0.0:80', remote: null, state: 'LISTEN' },
    },
    { fd: 0, target: '/dev/null', closeOnExec: false, nonBlocking: false, socket: null },
    { fd: 3, target: '/var/log/nginx/access.log', closeOnExec: true, nonBlocking: false, socket: null },
  ],
  threads: [{ tid: 4711, name: 'nginx', state: 'S', syscall: 'rt_sigsuspend' }],
  children: [
    { pid: 4750, comm: 'nginx', state: 'S', spared: false },
    { pid: 4790, comm: 'sh', state: 'S', spared: true },
  ],
  credentials: {
    uid: [0, 0, 0, 0],
    gid: [0, 101, 0, 0],
    groups: [0, 101],
    capabilities: {
      inheritable: '0000000000000000',
      permitted: '00000000a80425fb',
      effective: '00000000a80425fb',
      bounding: '00000000a80425fb',
      ambient: '0000000000000000',
    },
    noNewPrivileges: false,
  },
  seccomp: { mode: 'filter', filters: 1 },
  signals: { ignored: ['SIGPIPE'], caught: ['SIGHUP', 'SIGTERM'], blocked: [], pending: [] },
  limits: { RLIMIT_NOFILE: { soft: '1024', hard: '1048576' }, RLIMIT_CORE: { soft: 'unlimited', hard: 'unlimited' } },
  namespaces: { pid: 'pid:[4026532290]' },
  verdict: {
    possible: true,
    refusals: [],
    notFresh: plan.notFresh,
    warnings: ['its arguments were overwritten: the spec is the source'],
    drain: { signal: null, gracePeriodMs: null, why: 'it has no handler for SIGTERM' },
    listeners: [{ protocol: 'tcp', address: '0.0.0.0:80', handOver: true, why: null }],
  },
};

export const history: History = {
  apiVersion: 'hotexec/v1',
  kind: 'History',
  operationId: restartResult.operationId,
  ...subject,
  versions: [
    {
      number: 4,
      startedAt: '2026-11-26T12:00:30.000Z',
      recordedAt: '2026-11-26T12:00:30.000Z',
      by: 'ada',
      operationId: restartResult.operationId,
      backTo: null,
      program: { exe: '/usr/sbin/nginx', argv: ['nginx', '-c', '/tmp/bad conf'], cwd: '/' },
      files: [
        { path: '/tmp/bad conf', digest: 'ab'.repeat(32) },
        { path: '/etc/nginx/conf.d/default.conf', digest: null },
      ],
      state: 'failed',
      end: { exitCode: 1, signal: null, reason: 'exit', afterMs: 12.5 },
      available: 'it failed, and its files were put back',
    },
    {
      number: 3,
      startedAt: '2026-11-26T11:00:00.000Z',
      recordedAt: '2026-11-26T11:00:00.000Z',
      by: 'grace',
      operationId: restartResult.operationId,
      backTo: 1,
      program: restartResult.before,
      files: [],
      state: 'running',
      end: null,
      available: true,
    },
    {
      number: 2,
      startedAt: '2026-11-25T11:00:00.000Z',
      recordedAt: '2026-11-25T11:00:00.000Z',
      by: 'grace',
      operationId: restartResult.operationId,
      backTo: null,
      program: { exe: '/opt/app', argv: ['\u001b[2Jweb'], cwd: '/' },
      files: [{ path: '/opt/app', digest: 'cd'.repeat(32) }],
      state: 'ended',
      end: null,
      available: '/opt/app as it was then is not kept any more',
    },
    {
      number: 1,
      startedAt: null,
      recordedAt: '2026-11-25T11:00:00.000Z',
      by: null,
      operationId: null,
      backTo: null,
      program: restartResult.before,
      files: [],
      state: 'replaced',
      end: null,
      available: true,
    },
  ],
};

const spec: ProgramSpec = {
  source: 'bundle',
  args: ['nginx', '-g', 'daemon off;'],
  env: ['PATH=/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b'],
  cwd: '/',
  user: { uid: 0, gid: 0, additionalGids: [0, 10], umask: null },
  terminal: false,
  noNewPrivileges: false,
  oomScoreAdj: 0,
  capabilities: {
    bounding: ['CAP_KILL'],
    effective: ['CAP_KILL'],
    permitted: ['CAP_KILL'],
    inheritable: [],
    ambient: [],
  },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1_048_576 }],
  seccomp: true,
  personality: null,
  stopSignal: null,
  stopTimeoutSeconds: null,
};

export const targetProcess: TargetProcess = {
  name: subject.target,
  pid: subject.pid,
  startTicks: subject.startTicks,
  container: subject.container,
  spec,
};

// A process as the engine has observed it: nginx as pid 1 of a Docker container, freshly started. Tests name what differs.
import { noFiles } from '../../../src/engine/files/planned.ts';
import type { RestartPlan } from '../../../src/engine/plan.ts';
import type { Observed, ObservedProgram, Surroundings } from '../../../src/engine/observe.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import { parseStatus, type ProcessStatus } from '../../../src/procfs/status.ts';
import type { Words } from '../../../src/procfs/words.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type ProgramChange,
  type ProgramSpec,
  type RestartRequest,
  type TargetProcess,
} from '../../../src/protocol/request.ts';
import { targetProcess } from '../../support/samples.ts';

export interface Differences extends Partial<
  Omit<Observed, 'target' | 'status' | 'program' | 'environment' | 'cgroup'>
> {
  readonly target?: Partial<Omit<TargetProcess, 'spec'>>;
  readonly spec?: Partial<ProgramSpec> | null;
  readonly status?: Partial<ProcessStatus>;
  readonly program?: Partial<ObservedProgram>;
  readonly environment?: Partial<Surroundings>;
  readonly cgroup?: Partial<Observed['cgroup']>;
}

export function words(...texts: readonly (string | Buffer)[]): Words {
  return { kind: 'intact', words: texts.map((text) => Buffer.from(text)) };
}

export const overwritten: Words = { kind: 'overwritten', why: 'it does not end with a NUL' };

const stat = parseStat(
  `4711 (nginx) S 4690 4711 4711 0 -1 4194560 ${'0 '.repeat(8)}20 0 1 0 429055 9695232 1792 18446744073709551615 ${'0 '.repeat(27)}`,
);

const status = parseStatus(
  [
    'Name:\tnginx',
    'State:\tS (sleeping)',
    'Pid:\t4711',
    'TracerPid:\t0',
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    'Groups:\t0 10 ',
    'NSpid:\t4711\t1',
    'Umask:\t0022',
    'VmRSS:\t    7168 kB',
    'SigPnd:\t0000000000000000',
    'ShdPnd:\t0000000000000000',
    'SigIgn:\t0000000000000000',
    'CapBnd:\t0000000000000020',
    'NoNewPrivs:\t0',
    'Seccomp:\t2',
    'Seccomp_filters:\t1',
    'THP_enabled:\t1',
  ].join('\n'),
);

const program: ObservedProgram = {
  exe: '/usr/sbin/nginx',
  exeReplaced: false,
  execPath: '/usr/sbin/nginx',
  argv: words('nginx', '-g', 'daemon off;'),
  environ: words('PATH=/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b'),
  cwd: '/',
  root: '/',
};

const environment: Surroundings = {
  personality: 0,
  coredumpFilter: '00000033',
  oomScoreAdj: 0,
  timerSlackNs: 50_000,
  ksmMergeAny: false,
  memoryPolicy: 'default',
  uidMap: [],
  gidMap: [],
  parent: { pid: 4690, comm: 'containerd-shim', hasTerminal: false, limits: {}, coredumpFilter: '00000033' },
};

export function observedProcess(differences: Differences = {}): Observed {
  const { target, spec = {}, ...rest } = differences;
  return {
    stat,
    threads: [{ tid: 4711, state: 'S' }],
    tid: 4711,
    descriptors: [],
    standardStreams: ['/dev/null', 'pipe:[1]', 'pipe:[2]'],
    descendants: [],
    limits: {},
    isHotexec: false,
    waitedSignals: 0n,
    hasAttachments: false,
    ...rest,
    target: {
      ...targetProcess,
      ...target,
      spec: spec === null || targetProcess.spec === null ? null : { ...targetProcess.spec, ...spec },
    },
    status: { ...status, ...rest.status },
    program: { ...program, ...rest.program },
    environment: { ...environment, ...rest.environment },
    cgroup: { paths: ['/docker/3f9a'], frozen: false, headroomBytes: null, ...rest.cgroup },
  };
}

export function change(
  wanted: Partial<Omit<ProgramChange, 'env'>> & { readonly env?: Partial<ProgramChange['env']> } = {},
): ProgramChange {
  return { ...sameProgram, ...wanted, env: { ...sameProgram.env, ...wanted.env } };
}

export function restartRequest(target: TargetProcess): RestartRequest {
  return {
    kind: 'restart',
    operationId: '0b9d7a52-5c39-4c2f-8a52-5a3a5f6f7a11',
    target,
    program: sameProgram,
    options: defaultRestartOptions,
  };
}

/** A plan in which nothing is done but the exec. */
export const unplanned: RestartPlan = {
  program: null,
  files: noFiles,
  previous: null,
  refusals: [],
  warnings: [],
  notFresh: [],
  keepFds: [],
  drain: { kind: 'skip', why: 'asked for' },
  handOver: { served: [], refused: [] },
  probation: null,
  dryRun: false,
  holder: false,
};

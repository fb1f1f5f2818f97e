import { describe, expect, it } from 'vitest';
import { isHotexec, refusals, refuseByPid, type Ourselves } from '../../../src/engine/exclusions.ts';
import { HotexecError } from '../../../src/errors.ts';
import { INITIAL_PID_NAMESPACE_INODE } from '../../../src/procfs/ns.ts';
import { targetProcess } from '../../support/samples.ts';
import { observedProcess, words, type Differences } from './observed.ts';

const ourselves: Ourselves = {
  pids: new Set([900, 901]),
  pidNamespace: 4_026_532_290,
  directory: '/usr/lib/hotexec/dist',
};
const onTheHost: Ourselves = { ...ourselves, pidNamespace: INITIAL_PID_NAMESPACE_INODE };

type Reason = readonly [code: string, message: string];

function refused(differences: Differences): readonly Reason[] {
  return refusals(observedProcess(differences)).map(({ code, message }) => [code, message]);
}

/** By its pid alone, before anything of it is read. */
function refusedAtOnce(pid: number, who: Ourselves): Reason | undefined {
  try {
    refuseByPid({ ...targetProcess, name: `pid/${pid}`, pid }, who);
    return undefined;
  } catch (error) {
    if (error instanceof HotexecError) return [error.code, error.message];
    throw error;
  }
}

describe('an ordinary program', () => {
  it.each<readonly [string, Differences]>([
    ['of a container', {}],
    ['of no container', { target: { container: null }, spec: null }],
    ['named a little like a runtime', { program: { exe: '/usr/bin/containerd-stress' } }],
    ['in a directory named like a runtime', { program: { exe: '/opt/kubelet/server' } }],
    ['that is a pause of its own', { program: { exe: '/usr/bin/pause' } }],
    ['of Node', { program: { exe: '/usr/bin/node', argv: words('node', '--inspect', '/srv/server.js') } }],
    [
      'of Node, whose name merely ends alike',
      { program: { exe: '/usr/bin/node', argv: words('node', '/srv/my-cli.js') } },
    ],
    ['that was told of hotexec', { program: { argv: words('less', '/usr/lib/hotexec/dist/cli.cjs') } }],
  ])('%s is not refused', (_, differences) => {
    expect(refused(differences)).toStrictEqual([]);
  });
});

describe('hotexec never touches', () => {
  it('itself or its front', () => {
    for (const pid of ourselves.pids)
      expect(refusedAtOnce(pid, ourselves)).toStrictEqual([
        'target-excluded',
        `pid/${pid}: process ${pid} is hotexec itself. Nothing was touched.`,
      ]);
  });

  it('another hotexec of this installation', () => {
    expect(refused({ isHotexec: true })).toStrictEqual([
      ['target-excluded', 'docker/web: process 4711 is hotexec itself. Nothing was touched.'],
    ]);
  });

  it("this machine's init", () => {
    expect(refusedAtOnce(1, onTheHost)).toStrictEqual([
      'target-excluded',
      "pid/1: process 1 is this machine's init; hotexec never touches it. Nothing was touched.",
    ]);
  });

  it('but does pid 1 of a container whose namespace it runs in', () => {
    expect(refusedAtOnce(1, ourselves)).toBeUndefined();
    expect(refusedAtOnce(4711, onTheHost)).toBeUndefined();
  });

  it.each([
    'dockerd',
    'containerd',
    'containerd-shim',
    'containerd-shim-runc-v2',
    'runc',
    'crun',
    'youki',
    'crio',
    'kubelet',
    'conmon',
    'podman',
    'systemd',
    'runsc',
  ])('%s', (name) => {
    expect(refused({ program: { exe: `/usr/bin/${name}` } })).toStrictEqual([
      [
        'target-excluded',
        `docker/web: process 4711 is ${name}, a part of the container runtime; hotexec never touches it. Nothing was touched.`,
      ],
    ]);
  });

  it("a pod's /pause", () => {
    expect(refused({ program: { exe: '/pause' } })).toStrictEqual([
      ['target-excluded', "docker/web: process 4711 is /pause, which holds a pod's namespaces. Nothing was touched."],
    ]);
  });
});

function isOurs(cwd: string, argv: readonly string[]): boolean {
  const program = { ...observedProcess().program, exe: '/usr/bin/node', argv: words('node', ...argv), cwd };
  return isHotexec(program, ourselves);
}

describe('hotexec is told from other programs of Node', () => {
  it.each([
    ['/', '/usr/lib/hotexec/dist/cli.cjs'],
    ['/', '--conditions=x', '/usr/lib/hotexec/dist/engine.cjs'],
    ['/usr/lib/hotexec', 'dist/cli.cjs', 'restart', '1'],
    ['/', '/usr/lib/hotexec/bin/../dist/cli.cjs'],
  ])('started in %s as node %s, it is one', (cwd, ...argv) => {
    expect(isOurs(cwd, argv)).toBe(true);
  });

  it.each([
    ['/', '/app/dist/cli.cjs'],
    ['/app', 'dist/cli.cjs'],
    ['/', '-e', '0'],
  ])('started in %s as node %s, it is another program', (cwd, ...argv) => {
    expect(isOurs(cwd, argv)).toBe(false);
  });
});

describe('what cannot be restarted here', () => {
  it('a process that is traced', () => {
    expect(refused({ status: { tracerPid: 77 } })).toStrictEqual([
      [
        'target-traced',
        'docker/web: process 4711 is traced by process 77; a process has one tracer at most. Nothing was touched.',
      ],
    ]);
  });

  it('a process that is frozen', () => {
    expect(refused({ cgroup: { frozen: true } })).toStrictEqual([
      [
        'target-frozen',
        'docker/web: its cgroup is frozen (docker pause): its threads cannot be stopped or changed. Nothing was touched.',
      ],
    ]);
  });

  it('tells all reasons at once', () => {
    const all: Differences = { program: { exe: '/pause' }, status: { tracerPid: 77 }, cgroup: { frozen: true } };
    expect(refused(all).map(([code]) => code)).toStrictEqual(['target-excluded', 'target-traced', 'target-frozen']);
  });
});

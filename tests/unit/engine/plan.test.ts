import { describe, expect, it } from 'vitest';
import { kernelVersion } from '../../../src/engine/kernel-version.ts';
import { planRestart, possible, summarize, summarizeObserved, type RestartPlan } from '../../../src/engine/plan.ts';
import { planDescriptors } from '../../../src/engine/swap.ts';
import type { Descriptor } from '../../../src/engine/descriptors.ts';
import { HotexecError } from '../../../src/errors.ts';
import { defaultRestartOptions, type ProgramChange, type RestartOptions } from '../../../src/protocol/request.ts';
import { change, observedProcess, overwritten, words, type Differences } from './observed.ts';

const MiB = 1024 * 1024;

interface World {
  readonly program?: ProgramChange;
  readonly options?: Partial<RestartOptions>;
  readonly kernel?: string;
  readonly freeMemoryBytes?: number;
}

/** Its files are those of this process. */
function plan(differences: Differences, world: World = {}): RestartPlan {
  const { program: wanted = change(), options, kernel = '6.1.0', freeMemoryBytes = 1024 * MiB } = world;
  const node = { exe: process.execPath, execPath: process.execPath, ...differences.program };
  return planRestart(
    observedProcess({ tid: process.pid, ...differences, program: node }),
    { program: wanted, options: { ...defaultRestartOptions, ...options } },
    { kernel: kernelVersion(kernel), freeMemoryBytes },
  );
}

function reasons(planned: RestartPlan): readonly (readonly [string, string])[] {
  return planned.refusals.map(({ code, message }) => [code, message]);
}

describe('a restart that is possible', () => {
  it('has a program and no reason against it', () => {
    const planned = plan({});
    expect(planned).toMatchObject({
      refusals: [],
      warnings: [],
      notFresh: [],
      keepFds: [],
      dryRun: true,
      holder: false,
    });
    expect(possible(planned).path.toString()).toBe(process.execPath);
  });
});

describe('every reason why not is told at once', () => {
  it('for a program that is not there', () => {
    expect(reasons(plan({}, { program: change({ exe: '/nowhere' }) }))).toStrictEqual([
      [
        'program-not-startable',
        'docker/web: /nowhere cannot be opened: ENOENT (no such file or directory). Nothing was touched; the old program runs on unchanged.',
      ],
    ]);
  });

  it('for a process that has lost what only a fresh start gives, unless the user insists', () => {
    const differences: Differences = { status: { noNewPrivs: true, gid: [5, 5, 5, 5] } };
    expect(reasons(plan(differences))).toStrictEqual([
      [
        'not-fresh',
        'docker/web: the new program would not get what a fresh start has: the process has gid 5/5/5/5, a fresh start has 0; the process has set no_new_privs, which is never cleared. Nothing was touched.',
      ],
    ]);
    const forced = plan(differences, { options: { force: true } });
    expect(forced.refusals).toStrictEqual([]);
    expect(forced.notFresh.map((entry) => entry.attribute)).toStrictEqual(['gid', 'no-new-privileges']);
  });

  it('in one list', () => {
    const all: Differences = { status: { tracerPid: 7, noNewPrivs: true }, cgroup: { headroomBytes: 0 } };
    expect(plan(all, { program: change({ exe: '/nowhere' }) }).refusals.map(({ code }) => code)).toStrictEqual([
      'target-traced',
      'not-fresh',
      'program-not-startable',
      'memory-too-small',
    ]);
  });

  it('for a process that does not tell what it is', () => {
    const planned = plan({ program: { argv: overwritten }, spec: null });
    expect(planned.refusals.map(({ code }) => code)).toStrictEqual(['program-unknown']);
    expect(planned.program).toBeNull();
    expect(() => possible(planned)).toThrow(HotexecError);
  });

  it('without a look at the files of what is never touched', () => {
    const planned = plan({ program: { exe: '/pause', execPath: '/pause' } });
    expect(planned.refusals.map(({ code }) => code)).toStrictEqual(['target-excluded']);
    expect(planned.program).toBeNull();
  });
});

describe('memory', () => {
  it('too small for an exec beside the old program is a reason', () => {
    expect(reasons(plan({ cgroup: { headroomBytes: 900 * 1024 } }))).toStrictEqual([
      [
        'memory-too-small',
        'docker/web: only 900 KiB are free under its memory limit and an exec needs about 1040 KiB beside the old program: the kernel might kill it. Nothing was touched.',
      ],
    ]);
  });

  it('counts large arguments twice', () => {
    const argv = words('x', Buffer.alloc(MiB, 'a'));
    expect(plan({ cgroup: { headroomBytes: 2 * MiB }, program: { argv } }).refusals).toHaveLength(1);
    expect(plan({ cgroup: { headroomBytes: 4 * MiB }, program: { argv } }).refusals).toHaveLength(0);
  });

  it('without a limit is enough', () => {
    expect(plan({ cgroup: { headroomBytes: null } }).refusals).toStrictEqual([]);
  });
});

describe('a holder of the old memory', () => {
  const large = { vmRssBytes: 100 * MiB };

  it.each<readonly [string, Differences, World, boolean]>([
    ['is worth it for a large program', { status: large }, {}, true],
    ['from 64 MiB on', { status: { vmRssBytes: 64 * MiB } }, {}, true],
    ['not below', { status: { vmRssBytes: 64 * MiB - 1 } }, {}, false],
    ['not before Linux 5.16', { status: large }, { kernel: '5.15.99' }, false],
    ['not where the machine has no room for both', { status: large }, { freeMemoryBytes: 99 * MiB }, false],
    ['not where the limit leaves no room', { status: large, cgroup: { headroomBytes: 99 * MiB } }, {}, false],
    ['not with memory that must end with the program', { status: large, hasAttachments: true }, {}, false],
    ['not where its size is not known', { status: { vmRssBytes: undefined } }, {}, false],
  ])('%s', (...[, differences, world, wanted]) => {
    expect(plan(differences, world).holder).toBe(wanted);
  });
});

describe('the dry run', () => {
  it('is made from Linux 5.16 on: before, a dumping child would take the target down', () => {
    expect([plan({}, { kernel: '5.16.0' }).dryRun, plan({}, { kernel: '5.15.0' }).dryRun]).toStrictEqual([true, false]);
  });
});

const kept = (...environ: readonly string[]): readonly number[] =>
  plan({ program: { environ: words(...environ) } }).keepFds;

describe('sockets that the launcher passed (LISTEN_FDS)', () => {
  it('stay open with LISTEN_PID of the process, as it sees itself', () => {
    expect(kept('LISTEN_PID=1', 'LISTEN_FDS=2')).toStrictEqual([3, 4]);
  });

  it.each([
    ['of another process', 'LISTEN_PID=4711', 'LISTEN_FDS=2'],
    ['without LISTEN_PID', 'LISTEN_FDS=2'],
    ['without LISTEN_FDS', 'LISTEN_PID=1'],
    ['with none of them', 'LISTEN_PID=1', 'LISTEN_FDS=0'],
    ['with an empty number', 'LISTEN_PID=1', 'LISTEN_FDS='],
    ['with fewer than none', 'LISTEN_PID=1', 'LISTEN_FDS=-3'],
    ['with a part of one', 'LISTEN_PID=1', 'LISTEN_FDS=1.5'],
    ['with no number', 'LISTEN_PID=1', 'LISTEN_FDS=many'],
    ['with more than can be', 'LISTEN_PID=1', 'LISTEN_FDS=1000000000'],
    ['with names that only begin alike', 'LISTEN_PIDX=1', 'LISTEN_FDSX=2'],
  ])('do not %s', (_, ...environ) => {
    expect(kept(...environ)).toStrictEqual([]);
  });

  it('do not when the environment was overwritten', () => {
    expect(plan({ program: { environ: overwritten } }).keepFds).toStrictEqual([]);
  });

  it('come after those the user names', () => {
    const environ = words('LISTEN_PID=1', 'LISTEN_FDS=1');
    expect(plan({ program: { environ } }, { options: { keepFds: [9] } }).keepFds).toStrictEqual([9, 3]);
  });
});

describe('warnings', () => {
  const parent = { pid: 50, comm: 'bash', hasTerminal: true, limits: {}, coredumpFilter: null };

  it('name a shell that will see its job stop', () => {
    expect(plan({ target: { container: null }, spec: null, environment: { parent } }).warnings).toStrictEqual([
      'its parent bash (pid 50) has a terminal and sees the process stop and continue: a shell may report that',
    ]);
  });

  it('do not in a container, nor without a parent or its terminal', () => {
    expect(plan({ environment: { parent } }).warnings).toStrictEqual([]);
    for (const other of [null, { ...parent, hasTerminal: false }])
      expect(plan({ target: { container: null }, environment: { parent: other } }).warnings).toStrictEqual([]);
  });
});

const open = (fd: number, closeOnExec: boolean): Descriptor => ({
  fd,
  closeOnExec,
  nonBlocking: false,
  statusFlags: 0,
});

describe('planDescriptors', () => {
  const descriptors = [
    open(0, false),
    open(1, true),
    open(2, true),
    open(3, false),
    open(4, true),
    open(5, false),
    open(6, true),
  ];

  it('closes all but the standard streams, which a program may have marked itself', () => {
    expect(planDescriptors(descriptors, [])).toStrictEqual({ set: [3, 5], cleared: [1, 2] });
  });

  it('keeps what is named, marked or not', () => {
    expect(planDescriptors(descriptors, [5, 6, 99])).toStrictEqual({ set: [3], cleared: [1, 2, 6] });
  });

  it('changes nothing where nothing is open', () => {
    expect(planDescriptors([], [3])).toStrictEqual({ set: [], cleared: [] });
  });
});

describe('for people', () => {
  it('bytes that are not text show as U+FFFD', () => {
    const program = {
      path: Buffer.from('/bin/x'),
      argv: [Buffer.from('x'), Buffer.of(0x61, 0xff)],
      environment: [],
      cwd: null,
      memory: null,
    };
    expect(summarize(program, '/srv')).toStrictEqual({ exe: '/bin/x', argv: ['x', 'a\uFFFD'], cwd: '/srv' });
    expect(summarize({ ...program, cwd: '/' }, '/srv').cwd).toBe('/');
  });

  it('overwritten arguments are none', () => {
    expect(summarizeObserved(observedProcess({ program: { argv: overwritten } })).argv).toStrictEqual([]);
    expect(summarizeObserved(observedProcess())).toStrictEqual({
      exe: '/usr/sbin/nginx',
      argv: ['nginx', '-g', 'daemon off;'],
      cwd: '/',
    });
  });
});

describe('kernelVersion', () => {
  it.each([
    ['6.18.44-fc-v595', 6, 18, true],
    ['6.18.44-fc-v595', 6, 19, false],
    ['6.18.44-fc-v595', 5, 99, true],
    ['6.2.0', 6, 10, false],
    ['6.10', 6, 2, true],
    ['10.0.0', 6, 2, true],
    ['5.15.0-91-generic', 5, 16, false],
    ['Linux', 0, 0, true],
    ['Linux', 2, 6, false],
    ['', 0, 1, false],
  ])('%j is at least %d.%d: %s', (release, ...[major, minor, expected]) => {
    expect(kernelVersion(release).atLeast(major, minor)).toBe(expected);
  });

  it('is that of this machine when none is given', () => {
    expect(kernelVersion().atLeast(3, 10)).toBe(true);
  });
});

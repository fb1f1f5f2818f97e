// hotexec beside the target, as in an ephemeral container of a pod: its pid and network namespaces, few rights. What it does is seen from
// this machine.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Inspection } from '../../src/protocol/inspection.ts';
import type { Plan } from '../../src/protocol/plan.ts';
import type { RestartResult } from '../../src/protocol/result.ts';
import { contentIn, identityOf } from '../support/docker/change.ts';
import type { Container } from '../support/docker/container.ts';
import { startCountedLoad } from '../support/docker/counted-load.ts';
import { begin } from '../support/docker/draining.ts';
import { findCommand } from '../support/docker/find-command.ts';
import { gracefulFortio, gracefulNginx, gracefulNode, type GracefulProgram } from '../support/docker/graceful.ts';
import { Neighbour, type Rights } from '../support/docker/neighbour.ts';
import { answers, start, type Program } from '../support/docker/program.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { nginx } from '../support/docker/programs/nginx.ts';
import { node } from '../support/docker/programs/node.ts';
import { python } from '../support/docker/programs/python.ts';
import { descendantsOf, statusOf } from '../support/docker/proc.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

interface Case {
  readonly name: string;
  /** Of `docker run`, for the target. */
  readonly flags: readonly string[];
  readonly rights: Rights;
}

const user = '1000:1000';
/** A directory of that user's own, too. */
const asUser = ['--user', user, '--tmpfs', '/home:uid=1000,gid=1000,mode=755'];

const allCases: readonly Case[] = [
  { name: 'CAP_SYS_PTRACE, target root', flags: [], rights: { kind: 'ptrace' } },
  { name: 'CAP_SYS_PTRACE, another user', flags: asUser, rights: { kind: 'ptrace' } },
  { name: 'the same user', flags: asUser, rights: { kind: 'same-user', user } },
];
/** The last one is what an agent has that was not given any rights. */
const cases = often(allCases, allCases.slice(2));

describe.each(cases)('with $name', ({ flags, rights }) => {
  needs('root', 'docker', { command: 'fortio' }, { command: 'fortio-1.66.5' }, { command: 'nginx' });

  const beside = (container: Container): Neighbour => new Neighbour(container, rights);

  const restarted = async (container: Container, ...words: readonly string[]): Promise<RestartResult> => {
    const { exitCode, result, stderr } = await beside(container).answer<RestartResult>(['restart', '1', ...words]);
    expect({ exitCode, outcome: result.outcome, error: result.error, stderr }).toEqual({
      exitCode: 0,
      outcome: 'restarted',
      error: null,
      stderr: '',
    });
    return result;
  };

  test.each<Program>([fortio, python, node])(
    '$name restarts in place without a drain, again and again',
    async (program) => {
      await using container = await start(program, flags);
      const before = await looksOf(container);
      for (let times = 0; times < 2; times++) {
        const run = await answers(program, container);
        const { listeners, notFresh, warnings } = await restarted(container, '--no-drain');
        expect(await answers(program, container)).not.toBe(run);
        expect({ notFresh, warnings }).toEqual({ notFresh: [], warnings: [] });
        expect(listeners.length).toBeGreaterThan(0);
        expect(listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
        expect(await looksOf(container)).toEqual(before);
      }
      // An engine that nobody waits for would be a zombie of the target.
      expect(await descendantsOf(container.pid)).toEqual([]);
    },
  );

  test.each<GracefulProgram>([gracefulFortio, gracefulNode])(
    '$name finishes, hands over, and no client is refused',
    async (program) => {
      await using container = await start(program, [...program.flags, ...flags]);
      const before = await looksOf(container);
      const load = startCountedLoad(
        program.exchange(() => container.address),
        { requests: 100_000, connections: 4, keepAlive: false },
      );
      await using loading = load;
      await until('the load runs', () => load.tally.answered > 20);
      for (let times = 0; times < 3; times++) {
        const { drain, listeners, warnings } = await restarted(container);
        expect(drain).toMatchObject({ signal: 'SIGTERM', end: 'exited' });
        expect(listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
        expect(warnings).toEqual([]);
      }
      await loading[Symbol.asyncDispose]();
      const { answered, refused, silent, wrong } = load.tally;
      expect({ refused, silent, wrong }).toEqual({ refused: 0, silent: 0, wrong: 0 });
      expect(answered).toBeGreaterThan(100);
      expect(await looksOf(container)).toEqual(before);
    },
  );

  test('nginx, which forks and forgets its arguments, restarts with those that it is given', async () => {
    await using container = await start(nginx, [...gracefulNginx.flags, ...flags]);
    const before = await looksAtRest(container);
    const refusal = await beside(container).answer<RestartResult>(['restart', '1']);
    expect({ exitCode: refusal.exitCode, code: refusal.result.error?.code }).toEqual({
      exitCode: 5,
      code: 'program-unknown',
    });
    const command = [
      '--unset-env',
      'NONE',
      '--env-file',
      '/dev/null',
      '--',
      '/usr/sbin/nginx',
      '-c',
      '/etc/nginx.conf',
    ];
    for (const drain of [['--no-drain'], ['--signal', 'SIGQUIT']]) {
      const run = await answers(nginx, container);
      const { listeners } = await restarted(container, ...drain, ...command);
      expect(await answers(nginx, container)).not.toBe(run);
      expect(listeners.map(({ handedOver }) => handedOver)).toEqual([true, true]);
      expect(await looksAtRest(container)).toEqual(before);
    }
    expect(await descendantsOf(container.pid)).toHaveLength(2);
  });

  test('another version takes its place, a bad one is rolled back, and back again', async () => {
    const [next, former] = await Promise.all([findCommand('fortio-1.66.5'), findCommand('fortio')]);
    await using container = await start(fortio, flags);
    const before = await looksOf(container, { exe: false });
    const mounts = ['--volume', `${next}:/new/fortio:ro`];
    const replaced = await beside(container).answer<RestartResult>(['replace', '1', '--with', '/new/fortio'], mounts);
    expect(replaced).toMatchObject({ exitCode: 0, result: { outcome: 'restarted', error: null } });
    expect(replaced.result.listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
    await answers(fortio, container);
    expect(digestOf(container)).toBe(sha256(next));
    expect(await looksOf(container, { exe: false })).toEqual(before);

    const bad = await beside(container).answer<RestartResult>(
      ['replace', '1', '--with', '/new/fortio', '--', 'no-such-command'],
      ['--volume', `${former}:/new/fortio:ro`],
    );
    expect(bad).toMatchObject({ exitCode: 3, result: { outcome: 'rolled-back', failed: { reason: 'exit' } } });
    await answers(fortio, container);
    expect(digestOf(container)).toBe(sha256(next));
    expect(await looksOf(container, { exe: false })).toEqual(before);
  });

  test('a program that listens, and exits while it is watched, is rolled back', async () => {
    await using container = await start(python, flags);
    const before = await looksOf(container);
    const listensAndExits = `
import socket, time, os
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 8080)); s.listen()
time.sleep(1); os._exit(3)`;
    const bad = await beside(container).answer<RestartResult>([
      'restart',
      '1',
      '--probation',
      '5s',
      '--',
      '/usr/bin/python3',
      '-I',
      '-c',
      listensAndExits,
    ]);
    expect(bad).toMatchObject({ exitCode: 3, result: { outcome: 'rolled-back', failed: { exitCode: 3 } } });
    await answers(python, container);
    expect(await looksOf(container)).toEqual(before);
  });

  test('files are brought along where this user may write, and refused elsewhere', async () => {
    await using container = await start(python, [...flags, '--tmpfs', '/theirs:uid=1001,gid=1001,mode=755']);
    const mounts = ['--volume', `${import.meta.filename}:/new/settings:ro`];
    const [directory, owner] = rights.kind === 'ptrace' ? ['/etc', '0:0'] : ['/home', user];
    const copy = (to: string): readonly string[] => {
      return ['restart', '1', '--allow-volume', '--chown', owner, '--copy', `/new/settings:${to}/settings`];
    };
    const refused = await beside(container).answer<RestartResult>(copy('/theirs'), mounts);
    expect(refused).toMatchObject({ exitCode: 5, result: { error: { code: 'file-refused' } } });
    const done = await beside(container).answer<RestartResult>(copy(directory), mounts);
    expect(done).toMatchObject({ exitCode: 0, result: { outcome: 'restarted' } });
    expect(contentIn(container, `${directory}/settings`)).toBe(readFileSync(import.meta.filename, 'utf8'));
    await answers(python, container);
  });

  test('it is inspected and planned for, and nothing is touched', async () => {
    await using container = await start(fortio, flags);
    const run = await answers(fortio, container);
    const before = await looksOf(container);
    const { exitCode, result } = await beside(container).answer<Inspection>(['inspect', '1']);
    expect({ exitCode, verdict: result.verdict }).toMatchObject({
      exitCode: 0,
      verdict: { possible: true, refusals: [] },
    });
    expect(result.program).toMatchObject({ exe: '/fortio', argv: ['/fortio', 'server'], argvIntact: true });
    expect(result.program.environmentNames).toContain('PATH');
    expect(result.memory.headroomBytes).toBeNull();
    const addresses = result.descriptors.flatMap(({ socket }) => (socket?.state === 'LISTEN' ? socket.local : []));
    expect(addresses.toSorted()).toEqual(['[::]:8078', '[::]:8079', '[::]:8080', '[::]:8081']);
    const plan = await beside(container).answer<Plan>(['plan', 'restart', '1']);
    expect(plan).toMatchObject({ exitCode: 0, result: { possible: true, refusals: [] } });
    expect(await looksOf(container)).toEqual(before);
    expect(await answers(fortio, container)).toBe(run);
  });

  test.each(['drain', 'probation'])('and its engine is killed in the %s, another one finishes', async (phase) => {
    await using container = await start(slowToFinish, flags);
    const run = await answers(slowToFinish, container);
    const before = await looksOf(container);
    const words = ['restart', '1', '--probation', '2s', '-o', 'jsonl'];
    const restart = begin('docker', await beside(container).command(words));
    await restart.phase(phase);
    process.kill(await engineBeside(container), 'SIGKILL');
    const { exitCode, result } = await restart.end;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'restarted' });
    expect(await answers(slowToFinish, container)).not.toBe(run);
    expect(await looksOf(container)).toEqual(before);
  });
});

describe('in a restricted pod, whose own containers have no_new_privs too', () => {
  needs('root', 'docker', { command: 'fortio' });

  test.each<[string, Rights]>([
    ['the same user', { kind: 'same-user', user }],
    ['CAP_SYS_PTRACE', { kind: 'ptrace' }],
  ])('by %s a program finishes and hands over', async (_, rights) => {
    await using container = await start(fortio, [...asUser, '--cap-drop=ALL', '--security-opt=no-new-privileges']);
    const before = await looksOf(container);
    const run = await answers(fortio, container);
    const { exitCode, result } = await new Neighbour(container, rights).answer<RestartResult>(['restart', '1']);
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'restarted' });
    expect(result.listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
    expect(await answers(fortio, container)).not.toBe(run);
    expect(await looksOf(container)).toEqual(before);
  });
});

describe('with no right to trace it', () => {
  needs('root', 'docker', { command: 'fortio' });

  test.each<[string, readonly string[], Rights]>([
    ['another user', asUser, { kind: 'same-user', user: '1001:1001' }],
    ['a target with capabilities', [], { kind: 'same-user', user }],
  ])('%s is told so, and nothing is touched', async (_, flags, rights) => {
    await using container = await start(fortio, flags);
    const run = await answers(fortio, container);
    const { exitCode, stderr } = await new Neighbour(container, rights).hotexec(['restart', '1']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/may not look into it/);
    expect(await answers(fortio, container)).toBe(run);
  });
});

const slowToFinish: Program = {
  ...python,
  name: 'slow-to-finish',
  recipe: async () => ({
    ...(await python.recipe()),
    name: 'slow-to-finish',
    entrypoint: ['/usr/bin/python3', '-I', '-c', serveSlowly],
  }),
};

// Half a second after SIGTERM it ends.
const serveSlowly = `
import os, signal, time
def finish(*_): time.sleep(0.5); os._exit(0)
signal.signal(signal.SIGTERM, finish)
exec(open("/server.py").read())`;

interface Compared {
  readonly exe?: boolean;
  /** Arguments and environment; a program may have overwritten them. */
  readonly words?: boolean;
}

/** What no restart may change. */
async function looksOf(container: Container, { exe = true, words = true }: Compared = {}): Promise<unknown> {
  const { pid } = container;
  const status = await statusOf(pid);
  return {
    identity: await identityOf(container),
    exe: exe ? digestOf(container) : null,
    words: words ? ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')) : null,
    rights: ['Uid', 'Gid', 'Groups', 'CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp', 'SigBlk', 'ShdPnd'].map(
      (name) => status.get(name),
    ),
    limits: readFileSync(`/proc/${pid}/limits`, 'latin1'),
  };
}

/** Of a master that waits for signals: while it starts its workers it blocks them. */
async function looksAtRest(container: Container): Promise<unknown> {
  await until('no signal is blocked', async () => /^0+$/.test((await statusOf(container.pid)).get('SigBlk') ?? ''));
  return await looksOf(container, { words: false });
}

function digestOf({ pid }: Container): string {
  return sha256(`/proc/${pid}/exe`);
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** The engine at work in the pid namespace of a container. */
async function engineBeside({ pid }: Container): Promise<number> {
  const namespace = readFileSync(`/proc/${pid}/status`, 'latin1');
  expect(namespace).toMatch(/NSpid/);
  const tracer = await until('it is traced', async () => Number((await statusOf(pid)).get('TracerPid')) || false);
  expect(readdirSync('/proc')).toContain(String(tracer));
  return tracer;
}

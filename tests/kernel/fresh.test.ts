// What execve lets through is as after a plain start, or is said. A bare process has no specification: how its starter set it up stays.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { signalsIn, parseStatus } from '../../src/procfs/status.ts';
import { restart, type Answer } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import * as files from '../support/kernel/files.ts';
import { expectRestarted, startTicks, stateOf } from '../support/kernel/in-place.ts';
import { launchInSandbox } from '../support/kernel/sandbox.ts';
import { launch, start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

type State = Readonly<Record<string, unknown>>;

// Set up by whoever starts a program, so that a bare one keeps them (docs/how-it-works.md).
const leftNames = `umask cwd nice policy cpus io-priority oom-score-adj coredump-filter timer-slack personality
  capabilities-inheritable capability-ambient-10 descriptor-0 descriptor-1 descriptor-2
  rlimit-0 rlimit-1 rlimit-2 rlimit-3 rlimit-6 rlimit-7`;
const left = new Set(leftNames.split(/\s+/));

// What whoever runs the tests has left open in this process reaches each target once; a restart closes it.
const inherited = readdirSync('/proc/self/fd')
  .map(Number)
  .filter((fd) => fd > 2 && isInherited(fd));

describe('a program that has changed all that execve lets through', () => {
  needs('root', { command: 'gcc' });

  test('starts as after a plain start, but for what its starter set up', async () => {
    const target = await launchInSandbox(compile('odd-state', { directory: 'servers' }));
    const fresh = await stateWhen(target, 'start');
    const odd = await stateWhen(target, 'changed');
    const { notFresh } = expectOutcome(await restart(target.pid), 'restarted');
    const found = await stateWhen(target, 'start');
    const different = differences(fresh, found).filter((name) => !inherited.some((fd) => name === `descriptor-${fd}`));
    expect(different.filter((name) => !left.has(name))).toEqual(['signals-ignored']);
    for (const name of different.filter((one) => left.has(one))) {
      expect(found).toHaveProperty([name], name.startsWith('descriptor-') ? withoutCloseOnExec(odd[name]) : odd[name]);
    }
    expect(notFresh.map((entry) => entry.attribute)).toEqual(['signal-SIGHUP']);
    expect(differences(fresh, odd)).toEqual(
      expect.arrayContaining([...left].filter((name) => !name.startsWith('descriptor-'))),
    );
  });

  test('gets no lock, lease, descriptor or unreadable TSC of the old one; what cannot be cleared is listed', async () => {
    const target = await start(compile('leftovers'), [files.file('')]);
    const fresh = firstStart(target);
    expect(fresh).toBe('started tsc 1 mdwe 0 descriptors 0 1 2 locked 0 leased 0');
    await target.ask('are they left?');
    const answer = await expectRestarted(target);
    expect(lastStart(target)).toBe(fresh.replace('mdwe 0', 'mdwe 1'));
    expect(answer.result?.notFresh.map((entry) => entry.attribute)).toEqual(['mdwe']);
  });

  test('is told when securebits are locked', async () => {
    const bits = '--securebits=+no_setuid_fixup,+no_setuid_fixup_locked';
    const target = await start('setpriv', [bits, '--', compile('threads')]);
    const { result } = await expectRestarted(target);
    expect(result?.notFresh.map((entry) => entry.attribute)).toEqual(['securebits']);
  });

  // nohup, and shells for a job in the background, start programs with these ignored.
  test('still ignores SIGHUP, SIGINT and SIGQUIT, and says so; other signals not', async () => {
    const target = await start('sh', ['-c', `trap '' HUP INT QUIT TERM CHLD PIPE; exec ${compile('threads')}`]);
    const { result } = await expectRestarted(target);
    expect(ignoredSignals(target.pid)).toEqual([1, 2, 3]);
    expect(result?.notFresh.map((entry) => entry.attribute)).toEqual([
      'signal-SIGHUP',
      'signal-SIGINT',
      'signal-SIGQUIT',
    ]);
  });
});

describe('descriptors above 2', () => {
  needs('root', { command: 'gcc' });

  test('are kept where --keep-fd names them, whatever their close-on-exec', async () => {
    const target = await start(compile('leftovers'), [files.file('')]);
    await target.ask('are they open?');
    await expectRestarted(target, { keepFds: [60, 61] });
    expect(lastStart(target)).toContain('descriptors 0 1 2 60 61 locked');
  });

  test('are kept where a launcher has passed them (LISTEN_FDS)', async () => {
    const passed = 'exec 3</dev/null 4</dev/zero 5</dev/null; LISTEN_FDS=2 LISTEN_PID=$$ exec "$0" "$1"';
    const target = await start('sh', ['-c', passed, compile('leftovers'), files.file('')]);
    expect(firstStart(target)).toContain('descriptors 0 1 2 3 4 5 locked');
    await target.ask('are they open?');
    await expectRestarted(target);
    expect(lastStart(target)).toContain('descriptors 0 1 2 3 4 locked');
  });

  test('are closed where LISTEN_FDS was meant for another process', async () => {
    const passed = 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=1 exec "$0" "$1"';
    const target = await start('sh', ['-c', passed, compile('leftovers'), files.file('')]);
    await expectRestarted(target);
    expect(lastStart(target)).toContain('descriptors 0 1 2 locked');
  });

  test('free their port before the new program starts', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await until('it listens', () => server.listening);
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    server.close();
    const program = `import socket; s = socket.socket(); s.bind(('127.0.0.1', ${port})); s.listen(); s.set_inheritable(True)
print('started', flush=True)
while True: print('alive', input(), flush=True)`;
    const target = await start('/usr/bin/python3', ['-c', program]);
    await expectRestarted(target);
    await expectRestarted(target);
  });
});

describe('children of the old program', () => {
  needs('root', { command: 'gcc' });

  test('are gone, zombies and sessions of their own included', async () => {
    const target = await launchInSandbox(compile('family'));
    const family = await beget(target);
    const answer = await expectRestarted(target);
    expect(lastStart(target)).toBe('started children ');
    expect(family.filter(lives)).toEqual([]);
    expect(answer.result?.children.killed).toBe(3);
  });

  test('stay with --children keep', async () => {
    const target = await launchInSandbox(compile('family'));
    const family = await beget(target);
    const answer = await expectRestarted(target, { children: 'keep' });
    expect(lastStart(target)).toMatch(/^started children \d+ \d+ \d+ $/);
    for (const child of family) expect(lives(child)).toBe(true);
    expect(answer.result?.children.killed).toBe(0);
  });

  test('are told from an exec session and the orphans it left, which live on', async () => {
    const target = await launchInSandbox(compile('family'));
    await beget(target);
    const script = '(sleep 1000 & echo orphan $!); echo started; exec sleep 1000';
    const session = launch('nsenter', ['-t', String(target.pid), '-p', '-m', 'setsid', 'sh', '-c', script]);
    const orphan = Number((await session.line(/^orphan (\d+)$/))[1]);
    await session.line(/^started/);
    await until('the orphan has a new parent', () => childrenOf(target.pid).length === 4);
    const spared = processes(target.pid).filter((child) => child.command === 'sleep');
    expect(spared.map((child) => child.pidInside)).toContain(orphan);
    const { result } = await expectRestarted(target);
    expect(result?.children.killed).toBe(3);
    for (const child of spared) expect(lives(child)).toBe(true);
  });
});

async function stateWhen(target: Target, when: 'start' | 'changed'): Promise<State> {
  return JSON.parse((await target.line(new RegExp(`^{"when": "${when}".*`)))[0]) as State;
}

function differences(one: State, other: State): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => name !== 'when' && one[name] !== other[name]);
}

/** odd-state says `FLAGS 1` of a descriptor that is to be closed. */
function withoutCloseOnExec(descriptor: unknown): string {
  return String(descriptor).replace(/ 1$/, ' 0');
}

function expectOutcome({ result, stderr }: Answer, outcome: string): NonNullable<Answer['result']> {
  expect({ ...result, stderr }).toMatchObject({ outcome });
  if (result === null) throw new Error(stderr);
  return result;
}

function lastStart(target: Target): string {
  return target.lines.findLast((line) => line.startsWith('started')) ?? '';
}

function firstStart(target: Target): string {
  return inherited.reduce((line, fd) => line.replace(` ${fd} `, ' '), target.lines[0] ?? '');
}

function isInherited(fd: number): boolean {
  const O_CLOEXEC = 0o2000000;
  try {
    const flags = /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false; // the listing's own
  }
}

function ignoredSignals(pid: number): readonly number[] {
  return signalsIn(parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1')).sigIgn ?? 0n);
}

interface Process {
  readonly pid: number;
  readonly pidInside: number;
  readonly startTicks: number;
  readonly command: string;
}

/** The four descendants; the first is a zombie. */
async function beget(target: Target): Promise<readonly Process[]> {
  await target.ask('have children');
  return await until('all are there', () => {
    const family = processes(target.pid);
    return family.length === 4 && family.some((child) => stateOf(child.pid) === 'Z') && family;
  });
}

/** All descendants. */
function processes(pid: number): readonly Process[] {
  return childrenOf(pid).flatMap((child) => {
    const status = readFileSync(`/proc/${child}/status`, 'latin1');
    const command = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
    const pidInside = Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]);
    const found: Process = { pid: child, pidInside, startTicks: startTicks(child), command };
    return [found].concat(processes(child));
  });
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return children.split(' ').filter(Boolean).map(Number);
}

function lives({ pid, startTicks: before }: Process): boolean {
  try {
    return startTicks(pid) === before;
  } catch {
    return false;
  }
}

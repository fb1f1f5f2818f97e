// A shutdown that does not end as it should, is cut short, or is not asked for at all; and programs that are not written in C.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { endWithoutUs, expectDrained, expectLetGo, startIn, told, type Place } from '../support/kernel/drained.ts';
import { expectFree, stateOf } from '../support/kernel/in-place.ts';
import { tryProgram } from '../support/kernel/probation.ts';
import { launch, start } from '../support/kernel/target.ts';
import { compile } from '../support/kernel/compile.ts';
import { fortioServer } from '../support/kernel/serving.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const places: readonly Place[] = ['a process', 'process 1 of a container'];

describe.each(often(places, places.slice(1)))('%s that is told to finish', (place) => {
  needs('root', { command: 'gcc' });

  test.each([1, 20, 200])(
    'and does not, with %i threads, is replaced by force when its time is over',
    async (threads) => {
      const target = await startIn(place, told('handler', 'hang'), { THREADS: threads });
      const graceMs = 300;
      const result = await expectDrained(
        target,
        { end: 'forced', exitCode: null, endedBy: null },
        { options: { gracePeriodMs: graceMs } },
      );
      expect(result.drain.ms).toBeGreaterThanOrEqual(graceMs);
      expect(result.drain.ms).toBeLessThan(graceMs + 700);
      expect(result.warnings.join()).toContain('replaced by force');
    },
  );

  test('and takes its time has it', async () => {
    const target = await startIn(place, told('handler', 'sh', 'sleep 0.7; exit 3'));
    const { drain } = await expectDrained(
      target,
      { end: 'exited', exitCode: 3 },
      { options: { gracePeriodMs: 5_000 } },
    );
    expect(drain.ms).toBeGreaterThan(700);
  });
});

describe('a program that is told to finish', () => {
  needs('root', { command: 'gcc' });

  test('and is killed by a SIGKILL is gone, and that is said', async () => {
    const target = await start(told('handler', 'killed')[0] ?? '', told('handler', 'killed').slice(1));
    const result = await tryProgram(target.pid, {});
    expect(result).toMatchObject({ outcome: 'lost', error: { code: 'target-lost' } });
    expect(result.error?.message).toContain('SIGKILL');
    await until('it has ended', () => target.child.signalCode === 'SIGKILL');
  });

  test('and is told once more by somebody else is let go at once, and its handler has that too', async () => {
    const target = await start('/bin/sh', ['-c', `trap 'echo term' TERM; echo started; while :; do sleep 0.05; done`]);
    const asked = tryProgram(target.pid, { options: { gracePeriodMs: 20_000 } });
    await target.line(/^term/);
    process.kill(target.pid, 'SIGTERM');
    expect(await asked).toMatchObject({ outcome: 'stopped', error: { code: 'stopped-by-other' } });
    await target.line(/^term/);
    expectLetGo(target.pid);
  });

  test.each(places)(
    'and blocks a second signal while it handles the first ends as it was told, as %s',
    async (place) => {
      const target = await startIn(place, told('in-handler', 'sh', 'echo busy; read line; exit 6'));
      const exit = once(target.child, 'exit');
      const asked = tryProgram(target.pid, { options: { gracePeriodMs: 20_000 } });
      await target.line(/^busy/);
      process.kill(target.pid, 'SIGTERM');
      target.say('go on');
      expect(await asked).toMatchObject({ outcome: 'stopped', error: { code: 'stopped-by-other' } });
      expect(await exit).toEqual([6, null]);
      expect(target.lines.filter((line) => line === 'started')).toHaveLength(1);
    },
  );

  test('by another signal, as it was asked for', async () => {
    const target = await start('/bin/sh', ['-c', `trap 'exit 5' QUIT; echo started; while :; do sleep 0.05; done`]);
    await expectDrained(target, { signal: 'SIGQUIT', end: 'exited', exitCode: 5 }, { options: { signal: 'QUIT' } });
    expect((await endWithoutUs(target))[1]).toBe('SIGTERM');
  });
});

describe('a program is replaced at once', () => {
  needs('root', { command: 'gcc' });

  test.each([
    ['that has no handler', compile('threads'), ['3']],
    [
      'that ignores the signal',
      '/bin/sh',
      ['-c', `trap '' TERM; echo started; while :; do read line; echo alive; done`],
    ],
  ])('%s', async (_, file, args) => {
    const target = await start(file, args);
    const result = await tryProgram(target.pid, { probationMs: 20 });
    expect(result).toMatchObject({ outcome: 'restarted', drain: { signal: null, end: 'skipped' } });
    expect(result.drain.why).toContain('no handler for SIGTERM');
    await target.line(/^started/);
    expectFree(target.pid);
  });

  test('that somebody has stopped: the new one runs', async () => {
    const target = await startIn('a process', told('handler', 'exit', 3));
    process.kill(target.pid, 'SIGSTOP');
    await until('it is stopped', () => stateOf(target.pid) === 'T');
    const result = await tryProgram(target.pid, { probationMs: 20 });
    expect(result.drain).toMatchObject({ end: 'skipped', why: 'it is stopped' });
    expect(result.outcome).toBe('restarted');
  });
});

describe('the drain of', () => {
  needs('root');

  test.each<[name: string, code: number, command: readonly string[]]>([
    [
      'node',
      7,
      [
        process.execPath,
        '-e',
        `process.on('SIGTERM', () => setTimeout(() => process.exit(7), 50)); console.log('started'); setInterval(() => {}, 1000)`,
      ],
    ],
    [
      'python',
      8,
      [
        'python3',
        '-uc',
        `import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(8))
print("started")
while True: time.sleep(60)`,
      ],
    ],
    [
      'python, whose main thread alone hears signals,',
      8,
      [
        'python3',
        '-uc',
        `import signal, sys, threading, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(8))
for _ in range(8): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
print("started")
while True: signal.pause()`,
      ],
    ],
    [
      'a shell that waits for its child',
      143,
      [
        '/bin/sh',
        '-c',
        `trap 'kill $child; wait $child; exit $?' TERM; sleep 100 & child=$!; echo started; wait $child`,
      ],
    ],
  ])('%s', async (_, exitCode, command) => {
    for (const place of places) {
      const target = await startIn(place, command);
      await expectDrained(target, { end: 'exited', exitCode });
      await expectDrained(target, { end: 'exited', exitCode });
      expect(await endWithoutUs(target)).toEqual([exitCode, null]);
    }
  });
});

describe('the drain of a Go program', () => {
  needs('root', { command: 'fortio' });

  test('with a server of its own', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    probe.close();
    const target = launch('fortio', fortioServer(`127.0.0.1:${port}`), { stdio: 'ignore' });
    const answers = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/echo`)).ok;
    await until('it serves', answers);
    const result = await tryProgram(target.pid, {});
    expect(result).toMatchObject({
      outcome: 'restarted',
      drain: { signal: 'SIGTERM', end: 'exited' },
      listeners: [{ handedOver: true }],
      error: null,
    });
    expect(await answers()).toBe(true);
    expectFree(target.pid);
  });
});

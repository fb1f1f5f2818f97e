// The engine is killed while its target is told to finish, or its successor is being handed a socket: whoever is there then runs, untraced,
// and its clients are answered.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { listListeners } from '../../src/engine/listeners.ts';
import { compile } from '../support/kernel/compile.ts';
import { ask, Client, ourAddress, startSockets, tryTakeOver } from '../support/kernel/handed.ts';
import { expectLetGo } from '../support/kernel/drained.ts';
import { killAtEach, Workshop, type KillPoint } from '../support/kill/sweep.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const ownFiles = /^(socket:|pipe:|\/dev\/null)/;

interface Killed {
  readonly label: string;
  /** Null: the point was beyond its last effect. */
  readonly at: string | null;
  readonly outcome: string;
  /** What a client was told after that; null: the process has ended. */
  readonly answer: string | null;
  readonly lines: readonly string[];
}

describe('when the engine is killed in a drain or a hand-over', () => {
  needs('root', { command: 'gcc' });

  test.each([
    { binder: 'the program', who: '', port: 21_051, first: 1 },
    { binder: 'a thread', who: 'thread', port: 21_052, first: 8 },
    { binder: 'a child', who: 'fork', port: 21_053, first: 15 },
    { binder: 'the program by its own doing', who: '', port: 21_055, first: 5, through: 'forbidden' },
  ])(
    'to $binder, one of the two programs runs and serves',
    { timeout: 600_000 },
    async ({ who, port, first, through }) => {
      const trials = await killAtEach(
        { first, stride: often(13, 61) },
        async (point) => await killAt(point, { who, port, through }),
      );
      expect(trials.length).toBeGreaterThan(often(5, 3));
      const said = trials.map(({ outcome, answer }) => [outcome, answer] as const);
      const wrong = trials.filter((_trial, index) => !isRight(said[index] ?? ['', null]));
      expect(wrong).toEqual([]);
      const refused = trials.filter(({ lines }) => lines.some((line) => / E[A-Z]+$/.test(line)));
      expect(refused).toEqual([]);
      // Between the stop before its end and the next one nobody can hold it: the kernel lets it go to its end with its tracer.
      expect(trials.filter(({ outcome }) => outcome === 'lost').length).toBeLessThanOrEqual(
        Math.max(1, trials.length / 10),
      );
    },
  );
});

describe('when the engine is killed in a long drain', () => {
  needs('root', { command: 'gcc' });

  test('another one, with the same sockets, waits for the end of the program and starts the new one', async () => {
    const serving = `tcp4 set 1 2 1 bind ${ourAddress} 21054 listen 8`;
    const target = await startSockets(`begins ${serving} started -- sleep 1200`);
    const going = tryTakeOver(target, `begins ${serving} serve started`, { at: { drain: killInTheMiddle } });
    const waiting = await Client.connect({ host: ourAddress, port: 21_054 });
    const { outcome, timingsMs, warnings } = await going;
    expect(outcome).toBe('restarted');
    expect(warnings.join()).toContain('the engine was killed, and another one finished its work');
    // The program was not held while it finished.
    expect(timingsMs['hold']).toBeLessThan(500);
    await target.line(/^started 1/);
    expectLetGo(target.pid, ownFiles);
    expect(await waiting.answer()).toBe('hello 1');
  });
});

function killInTheMiddle(enginePid: number): void {
  setTimeout(() => process.kill(enginePid, 'SIGKILL'), 500);
}

function isRight([outcome, answer]: readonly [string, string | null]): boolean {
  switch (outcome) {
    case 'restarted':
      return answer === 'hello 1';
    case 'unchanged':
      return answer === 'hello 0';
    default:
      return outcome === 'lost' && answer === null;
  }
}

async function killAt(
  point: KillPoint,
  { who, port, through }: { readonly who: string; readonly port: number; readonly through: string | undefined },
): Promise<Killed> {
  using workshop = new Workshop({}, through === undefined ? [] : [compile(through)]);
  const serving = `tcp4 set 1 2 1 bind ${ourAddress} ${port} listen 8 serve started`;
  const target = await startSockets(`begins ${serving}`);
  const engines = { engine: workshop.startKilled(point), startEngine: workshop.startEngine };
  const { outcome } = await tryTakeOver(target, `begins ${who} ${serving}`, { engines });
  const at = await workshop.killedAt();
  const label = `${point.when} ${point.number} ${at}`;
  let answer: string | null = null;
  if (outcome !== 'lost') {
    const generation = outcome === 'restarted' ? 1 : 0;
    await until(`it has started (${label})`, () => target.lines.includes(`started ${generation}`));
    expectLetGo(target.pid, ownFiles);
    answer = await ask({ host: ourAddress, port });
  } else if (existsSync(`/proc/${target.pid}/exe`)) answer = 'it has not ended';
  const { lines } = target;
  await target.end();
  // A child of it may live for a moment longer, and the next trial begins with the same address.
  await until(
    'nobody listens there',
    () => !listListeners(process.pid).some(({ address }) => address.endsWith(`:${port}`)),
  );
  expect(workshop.journals()).toEqual([]);
  return { label, at, outcome, answer, lines };
}

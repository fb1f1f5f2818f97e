import { describe, expect, test } from 'vitest';
import type { RestartResult } from '../../src/protocol/result.ts';
import { needs } from '../support/needs.ts';
import { hotexec, restart } from '../support/docker/hotexec.ts';
import { changed, startOddState, statements } from '../support/docker/odd-state.ts';
import { executionOf } from '../support/docker/proc.ts';

describe('a program that has changed everything about itself', () => {
  needs('root', 'docker', { command: 'gcc' });

  test('finds at its next start what it found at its first, but for what it was told', async () => {
    await using container = await startOddState();
    const announced = announcedBy(await restart(container.target));
    const [first, oddOne, second] = await statements(container, 4);
    expect(changed(first, oddOne).length).toBeGreaterThan(40);
    expect(changed(first, second).filter((name) => !announced.has(name))).toEqual([]);
    // A container without CAP_SYS_ADMIN cannot have it; all else can be put back.
    expect(announced).toEqual(new Set(['sem-undo']));
  });

  test('finds it at the tenth start too', async () => {
    await using container = await startOddState();
    const announced = new Set<string>();
    for (let done = 1; done < 10; done++) {
      for (const attribute of announcedBy(await restart(container.target))) announced.add(attribute);
      await statements(container, 2 * done + 2);
    }
    const said = await statements(container, 20);
    expect(changed(said[0], said[18]).filter((name) => !announced.has(name))).toEqual([]);
  });
});

function announcedBy({ notFresh }: RestartResult): Set<string> {
  return new Set(notFresh.map(({ attribute }) => attribute));
}

describe.each(['no-new-privileges', 'uid', 'capabilities-bounding'])('a program that has given up: %s', (attribute) => {
  needs('root', 'docker', { command: 'gcc' });

  test('is refused and left alone, since no restart could give that back', async () => {
    await using container = await startOddState(attribute);
    const before = await executionOf(container.pid);
    const { exitCode, stdout } = await hotexec('restart', container.target, '--no-drain', '-o', 'json');
    expect(exitCode).toBe(5);
    expect(stdout).toContain('"not-fresh"');
    expect(await executionOf(container.pid)).toBe(before);
  });

  test('is restarted by force, and what is missing is told', async () => {
    await using container = await startOddState(attribute);
    const { notFresh } = await restart(container.target, '--force');
    await statements(container, 4);
    expect(notFresh).not.toEqual([]);
  });
});

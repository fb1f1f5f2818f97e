// What the other tests rest on: the comparison with a fresh container sees a difference, and only where there is one.
import { describe, expect, test } from 'vitest';
import { attributesOf, differences } from '../support/docker/freshness.ts';
import { startOddState } from '../support/docker/odd-state.ts';
import { needs } from '../support/needs.ts';

describe('the comparison with a freshly started container', () => {
  needs('root', 'docker', { command: 'gcc' });

  test('sees what a program has changed about itself', async () => {
    await using fresh = await startOddState('nothing');
    await using odd = await startOddState();
    const found = differences(await attributes(fresh), await attributes(odd)).map(({ attribute }) => attribute);
    expect(found).toEqual(expect.arrayContaining(visibleChanges));
  });

  test('finds no difference between two that were started alike', async () => {
    await using first = await startOddState('nothing');
    await using second = await startOddState('nothing');
    expect(differences(await attributes(first), await attributes(second))).toEqual([]);
  });
});

const visibleChanges = `
  umask cwd descriptors children threads mappings name thp oom-score-adj coredump-filter timer-slack personality
  signals-blocked signals-ignored signals-pending signals-pending-thread posix-timers
  capabilities-inheritable capabilities-ambient cpu-affinity nice scheduling-policy io-priority
  rlimit-nofile rlimit-stack rlimit-nproc rlimit-fsize rlimit-data rlimit-cpu`
  .trim()
  .split(/\s+/);

async function attributes(container: Parameters<typeof attributesOf>[0]): ReturnType<typeof attributesOf> {
  return await attributesOf(container, { isDeterministic: true });
}

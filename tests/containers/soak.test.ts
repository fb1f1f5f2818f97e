import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { goodAndBad, newcomer } from '../support/docker/programs/newcomer.ts';
import { soak } from '../support/docker/soak.ts';

describe('many replacements of one container under load, every second one by a bad version', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('they lose nothing and leak nothing', async () => {
    const { failures, answered } = await soak({ program: newcomer, restarts: often(20, 6), change: goodAndBad });
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(20);
  });
});

describe('many restarts of one container under load', () => {
  needs('root', 'docker', ...fortio.needs);

  test('they lose nothing and leak nothing', async () => {
    const { failures, answered } = await soak({ program: fortio, restarts: often(30, 8) });
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(30);
  });
});

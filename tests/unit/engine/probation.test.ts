import { expect, it } from 'vitest';
import { planProbation } from '../../../src/engine/probation.ts';
import { defaultRestartOptions as options } from '../../../src/protocol/request.ts';

const probe = { kind: 'tcp', host: '127.0.0.1', port: 80 } as const;
const silent = { listeners: [], listened: false };

it('a program that has to answer is watched for 10 s, or for as long as is told', () => {
  expect(planProbation(silent, { ...options, probe }, true)).toMatchObject({ limitMs: 10_000, until: 'listening' });
  const patient = { ...options, probe, probationLimitMs: 121_000 };
  expect(planProbation(silent, patient, true)).toMatchObject({ limitMs: 121_000, until: 'listening' });
});

it('--probation is a time that is waited for whatever else was told', () => {
  const asked = { ...options, probe, probationMs: 3_000, probationLimitMs: 121_000 };
  expect(planProbation(silent, asked, true)).toMatchObject({ limitMs: 3_000, until: 'time' });
});

it('a program of which nothing is expected is watched for a second', () => {
  expect(planProbation(silent, { ...options, probationLimitMs: 121_000 }, true)).toMatchObject({ limitMs: 1_000 });
});

it('a program whose predecessor listened has failed when it exits, unless it may finish', () => {
  const listened = { listeners: [], listened: true };
  expect(planProbation(listened, options, true)).toMatchObject({ serves: true });
  expect(planProbation(silent, options, true)).toMatchObject({ serves: false });
  expect(planProbation(listened, { ...options, mayFinish: true }, true)).toMatchObject({ serves: false });
});

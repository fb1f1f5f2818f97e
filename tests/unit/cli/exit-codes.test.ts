import { expect, it } from 'vitest';
import { exitCodeOfPlan } from '../../../src/cli/plan.ts';
import { exitCodeOf } from '../../../src/cli/restart.ts';
import type { ErrorCode, ErrorData } from '../../../src/errors.ts';
import type { Outcome } from '../../../src/protocol/result.ts';

it.each<[Outcome, ErrorCode | null, number]>([
  ['restarted', null, 0],
  ['unchanged', 'exec-refused', 1],
  ['unchanged', 'timeout', 1],
  ['unchanged', 'engine-killed', 1],
  ['unchanged', 'not-fresh', 5],
  ['unchanged', 'cancelled', 130],
  ['unchanged', 'bug', 70],
  ['rolled-back', 'exec-refused', 3],
  ['lost', 'target-lost', 4],
  ['stopped', 'stopped-by-other', 8],
])('a restart that is %s because of %s exits %i', (outcome, code, exitCode) => {
  expect(exitCodeOf({ outcome, error: code && errorOf(code) })).toBe(exitCode);
});

it('a plan exits as the restart would', () => {
  expect(exitCodeOfPlan({ possible: true, refusals: [] })).toBe(0);
  expect(exitCodeOfPlan({ possible: false, refusals: [errorOf('target-traced')] })).toBe(5);
  expect(exitCodeOfPlan({ possible: false, refusals: [errorOf('program-not-startable')] })).toBe(1);
});

function errorOf(code: ErrorCode): ErrorData {
  return { code, message: '', hint: null };
}

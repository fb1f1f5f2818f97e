import { expect, it } from 'vitest';
import { describeEnd, newProgramFailed } from '../../../src/protocol/program-end.ts';

it.each([
  [{ exitCode: 1, signal: null, reason: 'exit', afterMs: 12 }, 'exited with 1, 12 ms after its start'],
  [
    { exitCode: 0, signal: null, reason: 'exit', afterMs: 900 },
    'exited with 0 before it had come up, 900 ms after its start',
  ],
  [
    { exitCode: null, signal: 'SIGSEGV', reason: 'signal', afterMs: 2345 },
    'was ended by SIGSEGV, 2.3 s after its start',
  ],
  [
    { exitCode: null, signal: null, reason: 'probe-timeout', afterMs: 10_000 },
    'had not answered its probe 10.0 s after its start',
  ],
] as const)('the end of a program: %j', (end, text) => {
  expect(describeEnd(end)).toBe(text);
  const error = newProgramFailed('docker/web', end);
  expect(error.message).toBe(
    `docker/web: the new program ${text}. The previous program was started again in its place and runs.`,
  );
  expect(error.hint).not.toBeNull();
});

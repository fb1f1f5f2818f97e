// How a program ended, in words: the engine says it in its error, the command in its text.
import type { ErrorData } from '../errors.ts';
import type { ProgramEnd } from './result.ts';

/** `exited with 1, 310 ms after its start`. */
export function describeEnd({ reason, exitCode, signal, afterMs }: ProgramEnd): string {
  const after = `${duration(afterMs)} after its start`;
  switch (reason) {
    case 'exit':
      return exitCode === 0
        ? `exited with 0 before it had come up, ${after}`
        : `exited with ${exitCode ?? '?'}, ${after}`;
    case 'signal':
      return `was ended by ${signal ?? 'a signal'}, ${after}`;
    case 'probe-timeout':
      return `had not answered its probe ${after}`;
    case 'post-start-hook':
      return `ran, but its postStart hook had not succeeded ${after}`;
  }
}

/** The error of a restart that was rolled back. `target`: as the user named it. */
export function newProgramFailed(target: string, end: ProgramEnd): ErrorData {
  return {
    code: 'new-program-failed',
    message: `${target}: the new program ${describeEnd(end)}. The previous program was started again in its place and runs.`,
    hint: hintFor(end),
    details: { reason: end.reason, exitCode: end.exitCode, signal: end.signal, afterMs: end.afterMs },
  };
}

function hintFor({ reason, exitCode }: ProgramEnd): string {
  if (reason === 'probe-timeout') return 'allow it more time with --probation, or look at what it says in its log';
  if (reason === 'post-start-hook')
    return 'run its command by kubectl exec to see what it says; without --hooks it is not run';
  if (reason === 'exit' && exitCode === 0)
    return 'a program that goes into the background, or is done at once: --probation 0 does not watch it';
  return 'what it said is in its log; --no-rollback lets a failing program end';
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// What the end of an engine without an answer means: somebody killed it, or it has a fault.
import type { ErrorCode } from '../errors.ts';
import type { EngineDeath } from './engine.ts';

export interface DeathDescription {
  readonly code: Extract<ErrorCode, 'engine-killed' | 'bug'>;
  /** One sentence; what became of the target is for the caller to add. */
  readonly what: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, string | number | null>>;
}

// What the processor or the C library sends to a process that went wrong by itself.
const faults: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS']);

export function describeDeath({ exitCode, signal, stderr }: EngineDeath): DeathDescription {
  const details = { exitCode, signal, stderr };
  if (signal !== null && !faults.has(signal)) {
    return {
      code: 'engine-killed',
      what: `The engine of hotexec was killed by ${signal}.`,
      hint: 'Run the command again.',
      details,
    };
  }
  const end = signal === null ? `ended with exit code ${exitCode ?? 'unknown'}` : `crashed with ${signal}`;
  const words = stderr === '' ? '' : ` It wrote: ${stderr}`;
  return { code: 'bug', what: `The engine of hotexec ${end} without an answer.${words}`, hint: 'Please report this.', details };
}

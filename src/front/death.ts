// What the end of an engine without an answer means: somebody killed it, or it has a fault.
import type { ErrorCode, ErrorData } from '../errors.ts';
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
    const what = `The engine of hotexec was killed by ${signal}.`;
    return { code: 'engine-killed', what, hint: 'Run the command again.', details };
  }
  const end = signal === null ? `ended with exit code ${exitCode ?? 'unknown'}` : `crashed with ${signal}`;
  return { code: 'bug', what: `The engine of hotexec ${end} without an answer.`, hint: 'Please report this.', details };
}

/** The error that the death is, with the state of the target added. */
export function deathError({ code, what, hint, details }: DeathDescription, state: string): ErrorData {
  const words = code === 'bug' && details['stderr'] !== '' ? `\nIt wrote:\n${details['stderr']}` : '';
  return { code, message: `${what} ${state}${words}`, hint, details };
}

// The first line of a journal: whose it is, and what was to be done.
import type { RestartRequest } from '../protocol/request.ts';

/** The program as it is to be started; bytes are base64, since arguments need not be text. */
export interface JournalledProgram {
  readonly path: string;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  readonly cwd: string | null;
  /** It is started from memory: once it runs, its file is what /proc/PID/exe leads to. */
  readonly memory: boolean;
}

/** The first line: whose journal this is and what was to be done. */
export interface JournalHeader {
  readonly version: 1;
  readonly operationId: string;
  readonly enginePid: number;
  readonly program: JournalledProgram;
  /** What is started again should it fail its probation; null: nothing. */
  readonly previous: JournalledProgram | null;
  /** The request as it came: what the resets of the new program need. */
  readonly request: RestartRequest;
}

interface Startable {
  readonly path: Buffer;
  readonly argv: readonly Buffer[];
  readonly environment: readonly Buffer[];
  readonly cwd: string | null;
  /** Not null: it is started from memory. */
  readonly memory: object | null;
}

export function journalHeader(
  request: RestartRequest,
  enginePid: number,
  { program, previous }: { readonly program: Startable; readonly previous: Startable | null },
): JournalHeader {
  return {
    version: 1,
    operationId: request.operationId,
    enginePid,
    request,
    program: journalled(program),
    previous: previous === null ? null : journalled(previous),
  };
}

function journalled({ path, argv, environment, cwd, memory }: Startable): JournalledProgram {
  return {
    path: path.toString('base64'),
    argv: argv.map((word) => word.toString('base64')),
    environment: environment.map((entry) => entry.toString('base64')),
    cwd,
    memory: memory !== null,
  };
}

// All that the command line touches of the outside, so that a test of it is a function call. main.ts makes the real one.
import type { StartEngine } from '../front/launch.ts';

export interface Output {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** The terminal itself, for a library that draws on it; missing: it is none. */
  readonly terminal?: NodeJS.WriteStream;
}

export interface CliContext {
  /** What follows the program's name. */
  readonly argv: readonly string[];
  /** The name it was called by. */
  readonly program: 'hotexec' | 'kubectl-hotexec';
  /** The working directory: where relative paths of files begin. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The whole of standard input. */
  readonly readStdin: () => Promise<string>;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** By this id what comes of it can be asked for, by who leaves without an answer. */
  readonly onBegin: (operationId: string) => void;
  readonly startEngine: StartEngine;
  /** `/proc`, but for tests. */
  readonly proc: string;
  /** For the demo's own processes, and the doctor. */
  readonly host: {
    /** As `uname -m` says. */
    readonly architecture: string;
    readonly execPath: string;
    readonly uid: number;
    readonly kill: (pid: number, signal: NodeJS.Signals) => unknown;
  };
}

/** As a person types it. */
export function programName({ program }: Pick<CliContext, 'program'>): string {
  return program === 'hotexec' ? 'hotexec' : 'kubectl hotexec';
}

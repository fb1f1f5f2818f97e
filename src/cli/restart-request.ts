// The flags of restart and plan, and what they ask of the engine. Pure, but for the file that --env-file names.
import { readFile } from 'node:fs/promises';
import { defaultRestartOptions, sameProgram, type ProgramChange, type RestartOptions } from '../protocol/request.ts';
import type { CliContext } from './context.ts';
import { parseDurationMs } from './duration.ts';
import { parseEnvFile, parseEnvFlag, type Variable } from './env-file.ts';
import { usageError } from './usage.ts';

/** As commander gives them. */
export interface RestartFlags {
  readonly drain: boolean;
  readonly env: readonly string[];
  readonly envFile?: string | undefined;
  readonly unsetEnv: readonly string[];
  readonly cwd?: string | undefined;
  readonly exe?: string | undefined;
  readonly from?: 'process' | 'spec' | undefined;
  readonly keepFd: readonly string[];
  readonly children: 'kill' | 'keep';
  readonly timeout: string;
  readonly force?: true | undefined;
  readonly verbose?: true | undefined;
}

export interface WantedProgram {
  readonly command: readonly string[] | null;
  readonly exe: string | null;
  readonly cwd: string | null;
  readonly from: ProgramChange['from'];
  readonly file: readonly Variable[] | null;
  readonly set: readonly Variable[];
  readonly unset: readonly string[];
}

export async function readWantedProgram(
  flags: RestartFlags,
  command: readonly string[] | null,
  context: Pick<CliContext, 'env' | 'readStdin'>,
): Promise<WantedProgram> {
  if (command?.length === 0)
    throw usageError('There is no command after --.', 'Without -- the same program is started again.');
  return {
    command,
    exe: absolutePath('--exe', flags.exe),
    cwd: absolutePath('--cwd', flags.cwd),
    from: flags.from ?? 'auto',
    file: flags.envFile === undefined ? null : await readEnvFile(flags.envFile, context),
    set: flags.env.map((text) => parseEnvFlag(text, context.env)),
    unset: flags.unsetEnv.map(parseName),
  };
}

/** A file sets variables on top of those the process has; where these are overwritten, the file is the environment. */
export function programChange(wanted: WantedProgram): ProgramChange {
  const { command, exe, cwd, from, file, set, unset } = wanted;
  return {
    ...sameProgram,
    from,
    command,
    exe,
    cwd,
    env: { standsAlone: file !== null, set: [...(file ?? []), ...set], unset },
  };
}

/** Flags that say how it is done, not what. */
export type OptionFlags = Pick<RestartFlags, 'keepFd' | 'children' | 'timeout' | 'force' | 'verbose'>;

export function restartOptions(flags: OptionFlags): RestartOptions {
  return {
    ...defaultRestartOptions,
    keepFds: flags.keepFd.map(parseFd),
    children: flags.children,
    force: flags.force === true,
    timeoutMs: parseTimeout(flags.timeout),
    verbose: flags.verbose === true,
  };
}

const maxTimeoutMs = 24 * 3_600_000;

function parseTimeout(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw usageError(`--timeout ${JSON.stringify(text)} is not a duration.`, 'For example: 10s, 1m30s, 500ms');
  if (ms < 1 || ms > maxTimeoutMs) throw usageError(`--timeout ${text} is out of range: 1ms to 24h.`);
  return ms;
}

// What the kernel can number: NR_OPEN at most.
const maxFd = 2 ** 30;

function parseFd(text: string): number {
  const fd = /^\d{1,10}$/.test(text) ? Number(text) : maxFd + 1;
  if (fd > maxFd)
    throw usageError(`--keep-fd ${JSON.stringify(text)} is not a file descriptor.`, 'hotexec inspect lists them.');
  return fd;
}

function parseName(name: string): string {
  if (name !== '' && !name.includes('=')) return name;
  throw usageError(`--unset-env ${JSON.stringify(name)} is not the name of a variable.`);
}

function absolutePath(flag: string, path: string | undefined): string | null {
  if (path === undefined) return null;
  if (path.startsWith('/')) return path;
  throw usageError(`${flag} ${JSON.stringify(path)} must begin with /: it is a path inside the container.`);
}

async function readEnvFile(
  path: string,
  { env, readStdin }: Pick<CliContext, 'env' | 'readStdin'>,
): Promise<readonly Variable[]> {
  if (path === '-') return parseEnvFile(await readStdin(), 'standard input', env);
  return parseEnvFile(await readTextFile(path), path, env);
}

async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usageError(`--env-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

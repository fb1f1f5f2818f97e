// The flags of restart, replace and plan, and what they ask of the engine. Pure, but for the files that they name and the probe's host.
import { readFile } from 'node:fs/promises';
import { withProbeAddress } from '../front/probe.ts';
import { fileCopies, replacementFile, unreadable } from '../front/sources.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type FileCopy,
  type ProgramChange,
  type Replacement,
  type RestartOptions,
} from '../protocol/request.ts';
import type { CliContext } from './context.ts';
import { parseCopies, type CopyFlags } from './copy-flags.ts';
import { drainOptions, type DrainFlags } from './drain-flags.ts';
import { withDriver, type DriverFlags } from './driver-flags.ts';
import { parseDurationMs } from './duration.ts';
import { parseEnvFile, parseEnvFlag, type Variable } from './env-file.ts';
import type { HooksFlag } from './hooks-flag.ts';
import { probationOptions, type ProbationFlags } from './probation-flags.ts';
import type { TimelineFlags } from './timeline-file.ts';
import { usageError } from './usage.ts';

/** As commander gives them. */
export interface RestartFlags extends CopyFlags, DrainFlags, DriverFlags, HooksFlag, ProbationFlags, TimelineFlags {
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

/** What `replace` has besides. */
export interface ReplacementFlags {
  readonly with: string;
  readonly inMemory?: true | undefined;
  readonly onDisk?: true | undefined;
}

/** What the command line says about the program, checked: nothing has been asked of an engine. */
export interface Wanting {
  readonly flags: RestartFlags;
  /** What stands behind `--`: the whole command; of `replace` the arguments after argv[0]. */
  readonly command: readonly string[] | null;
  readonly replacement: ReplacementFlags | null;
}

type Reading = Pick<CliContext, 'cwd' | 'env' | 'readStdin'>;

export async function readChange(
  wanting: Wanting,
  context: Reading,
): Promise<{ readonly program: ProgramChange; readonly options: RestartOptions }> {
  const options = restartOptions(wanting.flags);
  const program = programChange(await readWantedProgram(wanting, context));
  return { program, options: await withProbeAddress(options) };
}

interface WantedProgram {
  readonly command: readonly string[] | null;
  readonly args: readonly string[] | null;
  readonly replacement: Replacement | null;
  readonly files: readonly FileCopy[];
  readonly exe: string | null;
  readonly cwd: string | null;
  readonly from: ProgramChange['from'];
  readonly file: readonly Variable[] | null;
  readonly set: readonly Variable[];
  readonly unset: readonly string[];
}

async function readWantedProgram({ flags, command, replacement }: Wanting, context: Reading): Promise<WantedProgram> {
  const { cwd } = context;
  const isReplace = replacement !== null;
  if (command?.length === 0 && !isReplace)
    throw usageError('There is no command after --.', 'Without -- the same program is started again.');
  return {
    command: isReplace ? null : command,
    args: isReplace ? command : null,
    replacement: isReplace ? await readReplacement(replacement, cwd) : null,
    files: await fileCopies(parseCopies(flags), { what: '--copy', cwd }),
    exe: absolutePath('--exe', flags.exe),
    cwd: absolutePath('--cwd', flags.cwd),
    from: flags.from ?? 'auto',
    file: flags.envFile === undefined ? null : await readEnvFile(flags.envFile, context),
    set: flags.env.map((text) => parseEnvFlag(text, context.env)),
    unset: flags.unsetEnv.map(parseName),
  };
}

async function readReplacement(flags: ReplacementFlags, cwd: string): Promise<Replacement> {
  const source = await replacementFile(flags.with, { what: '--with', cwd });
  return { source, inMemory: flags.inMemory === true ? 'always' : flags.onDisk === true ? 'never' : 'auto' };
}

/** A file sets variables on top of those the process has; where these are overwritten, the file is the environment. */
function programChange(wanted: WantedProgram): ProgramChange {
  const { file, set, unset, ...rest } = wanted;
  return {
    ...sameProgram,
    ...rest,
    env: { standsAlone: file !== null, set: [...(file ?? []), ...set], unset },
  };
}

/** Flags that say how it is done, not what. */
export type OptionFlags = Pick<RestartFlags, 'keepFd' | 'children' | 'timeout' | 'force' | 'verbose'> &
  DrainFlags &
  DriverFlags &
  HooksFlag &
  ProbationFlags &
  TimelineFlags;

export function restartOptions(flags: OptionFlags): RestartOptions {
  const options = {
    ...defaultRestartOptions,
    keepFds: flags.keepFd.map(parseFd),
    children: flags.children,
    force: flags.force === true,
    timeoutMs: parseTimeout(flags.timeout),
    verbose: flags.verbose === true,
    timeline: flags.timeline !== undefined,
    runHooks: flags.hooks === true,
    ...drainOptions(flags),
    ...probationOptions(flags),
  };
  return withDriver(options, flags);
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
    throw unreadable(`--env-file ${JSON.stringify(path)}`, error);
  }
}

// Which program a restart starts: what runs now, what the runtime's spec says, or what the user asked for. Pure but for looking up files,
// which comes in as `look`.
import { basename, resolve } from 'node:path';
import { HotexecError } from '../errors.ts';
import type { ProgramChange } from '../protocol/request.ts';
import type { Observed } from './observe.ts';

/** Arguments for execve; bytes, since neither arguments nor paths need to be text. */
export interface Program {
  readonly path: Buffer;
  readonly argv: readonly Buffer[];
  /** `NAME=value`. */
  readonly environment: readonly Buffer[];
  /** Where it starts; null: where the old program is now. */
  readonly cwd: string | null;
  /** Where its file comes from when it is started from memory; `path` is then but a name, `memfd:NAME`. Null: from `path`. */
  readonly memory: MemorySource | null;
}

/** `local`: a file where hotexec runs. `running`: the very file that the target runs, which has no name any more. */
export type MemorySource = { readonly kind: 'local'; readonly path: string } | { readonly kind: 'running' };

export interface Chosen {
  readonly program: Program;
  readonly warnings: readonly string[];
}

/** What stands at a path in the container. `script`: its first line names an interpreter. */
export type FileKind = 'program' | 'script' | 'other' | 'missing';

export type LookUp = (path: string) => FileKind;

/** What the choice may look up in the container. */
export interface Container {
  readonly look: LookUp;
  /** The home directory of a uid, from its /etc/passwd; null when it is not there. */
  readonly homeOf: (uid: number) => string | null;
  /** Descriptors that the new program gets. */
  readonly keepFds?: readonly number[];
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Throws program-unknown when the process does not tell what it is and no spec does. */
export function chooseProgram(
  observed: Observed,
  change: ProgramChange,
  { look, homeOf, keepFds = [] }: Container,
): Chosen {
  const warnings: string[] = [];
  const environment = chooseEnvironment(observed, change, { warnings, homeOf });
  const cwd = chooseCwd(observed, change);
  const base = chooseArguments(observed, change, { look, warnings });
  refuseDescriptorPaths(observed, base.argv, keepFds);
  const memory = chooseMemory(observed, change, base);
  if (memory !== null) {
    const name = memory.kind === 'local' ? `memfd:${memoryName(memory.path)}` : observed.program.exe.slice(1);
    return { program: { path: Buffer.from(name), argv: base.argv, environment, cwd, memory }, warnings };
  }
  const path =
    change.exe ??
    base.path ??
    findCommand(base.argv[0]?.toString() ?? '', { environment, cwd: cwd ?? observed.program.cwd }, look);
  if (change.exe === null && change.command === null && observed.program.exeReplaced && base.path !== null) {
    warnings.push(`${base.path} was replaced on disk since the program started: the new file is started`);
  }
  return { program: { path: Buffer.from(path), argv: base.argv, environment, cwd, memory }, warnings };
}

/** memfd_create takes 249 bytes. */
const nameAtMostBytes = 200;

/** `hotexec:BASENAME`: what /proc/PID/exe shows as `/memfd:hotexec:BASENAME (deleted)`. */
export function memoryName(path: string): string {
  const name = Buffer.from(`hotexec:${basename(path)}`).subarray(0, nameAtMostBytes);
  // A character that was cut in two.
  return name.toString().replace(/\uFFFD$/, '');
}

/** A program that was started from memory is started from there again: its file has no path. */
function chooseMemory(observed: Observed, change: ProgramChange, base: BaseArguments): MemorySource | null {
  if (change.replacement !== null && change.replacement.inMemory === 'always')
    return { kind: 'local', path: change.replacement.source };
  const { exe, exeReplaced } = observed.program;
  return change.exe === null && base.path === exe && exeReplaced && exe.startsWith('/memfd:')
    ? { kind: 'running' }
    : null;
}

/** `sh /dev/fd/3`: the script came through a descriptor that the exec closes. */
function refuseDescriptorPaths(observed: Observed, argv: readonly Buffer[], keepFds: readonly number[]): void {
  // argv[0] is a name: the file itself is known from /proc/PID/exe.
  const word = argv
    .slice(1)
    .map(String)
    .find((text) => {
      const fd = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(text)?.[1];
      return fd !== undefined && Number(fd) > 2 && !keepFds.includes(Number(fd));
    });
  if (word === undefined) return;
  throw new HotexecError({
    code: 'program-unknown',
    message: `${observed.target.name}: the program was given ${word}, a descriptor that a new program does not get. Nothing was touched.`,
    hint: 'name a command that can be started anew: hotexec restart TARGET -- COMMAND ARG...',
  });
}

interface BaseArguments {
  /** Null: to be found by argv[0]. */
  readonly path: string | null;
  readonly argv: readonly Buffer[];
}

interface ArgumentsHelp {
  readonly look: LookUp;
  readonly warnings: string[];
}

/** `change.args` come behind the argv[0] that there is without them. */
function chooseArguments(observed: Observed, change: ProgramChange, help: ArgumentsHelp): BaseArguments {
  if (change.args === null || change.command !== null) return baseArguments(observed, change, help);
  const args = change.args.map((word) => Buffer.from(word));
  const { argv: running, exe } = observed.program;
  if (change.from !== 'spec' && (running.kind === 'overwritten' || running.words.length === 0)) {
    // Not of the spec: its command may be an entrypoint script, and these are arguments for the program that it has become.
    help.warnings.push('the process has overwritten its arguments: argv[0] is the path of its executable');
    return { path: exe, argv: [Buffer.from(exe), ...args] };
  }
  const { path, argv } = baseArguments(observed, change, help);
  return { path, argv: [...argv.slice(0, 1), ...args] };
}

function baseArguments(observed: Observed, change: ProgramChange, { look, warnings }: ArgumentsHelp): BaseArguments {
  if (change.command !== null) return { path: null, argv: change.command.map((word) => Buffer.from(word)) };
  const { argv } = observed.program;
  const specArgs = observed.target.spec?.args ?? null;
  if (change.from !== 'spec' && argv.kind === 'intact' && argv.words.length > 0)
    return sameArguments(observed, argv.words, look);
  if (change.from !== 'process' && specArgs !== null && specArgs.length > 0) {
    if (change.from === 'auto') {
      warnings.push('the process has overwritten its arguments: they are taken from the container spec');
    }
    return { path: null, argv: specArgs.map((word) => Buffer.from(word)) };
  }
  const why = argv.kind === 'overwritten' ? argv.why : 'it has no arguments';
  throw new HotexecError({
    code: 'program-unknown',
    message:
      change.from === 'spec'
        ? `${observed.target.name}: --from spec, but no runtime's spec with a command can be read for this process. Nothing was touched.`
        : `${observed.target.name}: the process no longer tells its arguments (${why}) and there is no container spec to take them from. Nothing was touched.`,
    hint: 'name the command: hotexec restart TARGET -- COMMAND ARG...',
  });
}

/**
 * The program as it was started. The path given to execve is better than /proc/PID/exe: it goes through symlinks again, as a fresh start
 * would. A script's arguments were rewritten by the kernel to `interpreter [argument] path …` and are put back.
 */
function sameArguments(observed: Observed, argv: readonly Buffer[], look: LookUp): BaseArguments {
  const { exe, execPath } = observed.program;
  const usable = execPath !== null && execPath.startsWith('/') && !/^\/(proc|dev\/fd)\//.test(execPath);
  if (!usable) return { path: exe, argv };
  const kind = look(execPath);
  if (kind === 'script') {
    const at = argv.slice(0, 3).findIndex((word, index) => index > 0 && word.toString() === execPath);
    if (at > 0) return { path: execPath, argv: argv.slice(at) };
    return { path: exe, argv };
  }
  return kind === 'program' || look(exe) === 'missing' ? { path: execPath, argv } : { path: exe, argv };
}

interface EnvironmentHelp {
  readonly warnings: string[];
  readonly homeOf: Container['homeOf'];
}

function chooseEnvironment(observed: Observed, change: ProgramChange, help: EnvironmentHelp): readonly Buffer[] {
  // Of a name that is set twice the last value counts.
  const set = new Map(change.env.set);
  const changed = new Set([...set.keys(), ...change.env.unset]);
  const base = baseEnvironment(observed, change, help).filter((entry) => !changed.has(nameOf(entry)));
  return [...base, ...[...set].map(([name, value]) => Buffer.from(`${name}=${value}`))];
}

function baseEnvironment(
  observed: Observed,
  change: ProgramChange,
  { warnings, homeOf }: EnvironmentHelp,
): readonly Buffer[] {
  const { environ } = observed.program;
  const spec = observed.target.spec?.env ?? null;
  if (change.from !== 'spec' && environ.kind === 'intact') return environ.words;
  if (change.from !== 'process' && spec !== null) {
    if (change.from === 'auto') {
      warnings.push('the process has overwritten its environment: it is taken from the container spec');
    }
    // The runtime adds HOME when it starts a container whose spec has none (runc, libcontainer/init_linux.go).
    const hasHome = spec.some((entry) => entry.startsWith('HOME='));
    const home = hasHome ? [] : [`HOME=${homeOf(observed.target.spec?.user?.uid ?? 0) ?? '/'}`];
    return [...spec, ...home].map((entry) => Buffer.from(entry));
  }
  if (change.env.standsAlone) return [];
  throw new HotexecError({
    code: 'program-unknown',
    message: `${observed.target.name}: the process no longer holds its environment (${environ.kind === 'overwritten' ? environ.why : 'not asked for'}) and there is no container spec to take it from. Nothing was touched.`,
    hint: 'give the environment: hotexec restart TARGET --env-file FILE -- COMMAND ARG...',
  });
}

/** `NAME` of `NAME=value`. */
export function nameOf(entry: Buffer): string {
  const end = entry.indexOf(0x3d);
  return (end < 0 ? entry : entry.subarray(0, end)).toString();
}

function chooseCwd(observed: Observed, change: ProgramChange): string | null {
  return change.cwd ?? observed.target.spec?.cwd ?? null;
}

/** As a shell and the runtimes do it: a name with a slash is a path, others are looked for in the program's own PATH. */
function findCommand(
  name: string,
  { environment, cwd }: { readonly environment: readonly Buffer[]; readonly cwd: string },
  look: LookUp,
): string {
  if (name.startsWith('/')) return name;
  if (name.includes('/')) return `${cwd === '/' ? '' : cwd}/${name}`;
  const path =
    environment
      .find((entry) => nameOf(entry) === 'PATH')
      ?.toString()
      .slice('PATH='.length) ?? defaultPath;
  for (const directory of path.split(':')) {
    // As execvp(3) takes it: an empty entry is the working directory, and a relative one lies below it.
    const candidate = resolve(cwd, directory, name);
    const kind = look(candidate);
    if (kind === 'program' || kind === 'script') return candidate;
  }
  throw new HotexecError({
    code: 'program-not-startable',
    message: `${JSON.stringify(name)} is not in the PATH of the target (${path}). Nothing was touched; the process runs on unchanged.`,
    hint: 'give the path of the program inside the container',
  });
}

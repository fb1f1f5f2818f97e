// What runs now against what the container's spec would start: the arguments, the environment, the directory, the file.
import { basename } from 'node:path';
import type { Drift } from '../protocol/inspection.ts';
import type { ProgramSpec } from '../protocol/request.ts';
import type { Observed } from './observe.ts';
import { nameOf } from './program.ts';

export interface Look {
  /** Values of the environment too. */
  readonly showEnvironment: boolean;
  /** A file stands at the path of the executable. */
  readonly exeStands: boolean;
}

/** Where there is no spec, or a process has overwritten what would be compared, nothing is said of it. */
export function driftOf(observed: Observed, look: Look): readonly Drift[] {
  const { spec } = observed.target;
  const executable = executableDrift(observed, look.exeStands);
  if (spec === null) return executable;
  return [
    ...executable,
    ...argumentsDrift(observed, spec),
    ...environmentDrift(observed, spec, look),
    ...directoryDrift(observed, spec),
  ];
}

function executableDrift({ program, target }: Observed, exeStands: boolean): readonly Drift[] {
  const { exe, exeReplaced, execPath, argv } = program;
  if (exe.startsWith('/memfd:')) return [{ kind: 'executable', state: 'in-memory', path: exe }];
  if (exeReplaced) return [{ kind: 'executable', state: exeStands ? 'replaced' : 'deleted', path: exe }];
  // A runtime gives the first argument to execve, if that is a path. What an entrypoint has turned into shows in its arguments.
  const args = target.spec?.args ?? [];
  const [named] = args;
  if (!isAbsolute(named) || !isAbsolute(execPath) || execPath === named) return [];
  const sameWords = argv.kind === 'intact' && isSame(argv.words.map(String), args);
  return sameWords ? [{ kind: 'executable', state: 'other', path: execPath }] : [];
}

function isAbsolute(path: string | null | undefined): path is string {
  return path?.startsWith('/') === true;
}

function argumentsDrift({ program }: Observed, spec: ProgramSpec): readonly Drift[] {
  if (spec.args === null || program.argv.kind !== 'intact') return [];
  const running = program.argv.words.map(String);
  if (isSame(running, spec.args) || isSame(asScript(running, program.execPath), spec.args)) return [];
  return [{ kind: 'arguments', running, spec: spec.args }];
}

/** The kernel has made `interpreter [argument] path …` of a script's arguments; the spec has its path, or its name in the PATH. */
function asScript(running: readonly string[], execPath: string | null): readonly string[] {
  const at = running.slice(0, 3).findIndex((word, index) => index > 0 && word === execPath);
  return at > 0 ? running.slice(at) : running;
}

function isSame(running: readonly string[], spec: readonly string[]): boolean {
  const [first = '', ...rest] = running;
  const [named = '', ...wanted] = spec;
  const sameName = first === named || (!named.includes('/') && basename(first) === named);
  return sameName && rest.length === wanted.length && rest.every((word, index) => word === wanted[index]);
}

// Every runtime adds HOME (runc, libcontainer/init_linux.go); what an API tells lacks what docker adds to it.
const addedByRuntime: Readonly<Record<ProgramSpec['source'], ReadonlySet<string>>> = {
  bundle: new Set(['HOME']),
  api: new Set(['HOME', 'HOSTNAME', 'PATH', 'TERM']),
};

function environmentDrift({ program }: Observed, spec: ProgramSpec, { showEnvironment }: Look): readonly Drift[] {
  if (spec.env === null || program.environ.kind !== 'intact') return [];
  const running = byName(program.environ.words);
  const wanted = byName(spec.env.map((entry) => Buffer.from(entry)));
  const show = ([name, entry]: readonly [string, string]): string => (showEnvironment ? entry : name);
  const added = [...running].filter(([name]) => !wanted.has(name) && !addedByRuntime[spec.source].has(name)).map(show);
  const removed = [...wanted].filter(([name]) => !running.has(name)).map(show);
  const changed = [...running].filter(([name, entry]) => wanted.has(name) && wanted.get(name) !== entry).map(show);
  if (added.length + removed.length + changed.length === 0) return [];
  return [{ kind: 'environment', added, removed, changed }];
}

/** Of a name that is set twice getenv(3) finds the first, and runtimes keep the last: a fresh start has one. */
function byName(entries: readonly Buffer[]): ReadonlyMap<string, string> {
  return new Map(entries.map((entry) => [nameOf(entry), entry.toString()]));
}

function directoryDrift({ program }: Observed, spec: ProgramSpec): readonly Drift[] {
  if (spec.cwd === null || program.cwd === spec.cwd) return [];
  return [{ kind: 'directory', running: program.cwd, spec: spec.cwd }];
}

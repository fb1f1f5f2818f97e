// What a gdb cannot do for a restart, said before anything is touched.
import type { ErrorData } from '../errors.ts';
import { findGdb } from '../gdb/find.ts';
import type { RestartOptions, TargetProcess } from '../protocol/request.ts';
import { findLibrary } from './gdb/library.ts';
import type { Observed } from './observe.ts';

/** Every reason why this target cannot be restarted by the driver that was asked for. `path`: where programs of this machine are looked for. */
export function driverRefusals(
  observed: Observed,
  { driver, drain, gdbCall }: RestartOptions,
  path: string | undefined,
): readonly ErrorData[] {
  if (driver !== 'gdb') return [];
  const { target, tid } = observed;
  return [
    ...(findGdb(path) === null ? [gdbMissing(target, 'there is no gdb on PATH')] : []),
    ...(drain ? [impossible(target, 'it cannot follow the old program through its shutdown')] : []),
    ...(tid === target.pid ? [] : [impossible(target, 'its main thread has ended, and gdb cannot attach to it')]),
    // Nothing would keep it still when gdb goes: no signal of its own pid namespace stops an init (pid_namespaces(7)).
    ...(target.pid === 1
      ? [impossible(target, "it is the init of hotexec's own pid namespace, which no signal stops")]
      : []),
    ...(gdbCall === 'libc' && findLibrary(tid) === null ? [noLibrary(target)] : []),
  ];
}

export function gdbMissing({ name }: TargetProcess, why: string): ErrorData {
  return {
    code: 'gdb-missing',
    message: `${name}: ${why}. Nothing was touched.`,
    hint: 'apt install gdb (apk add gdb, dnf install gdb), or leave --driver gdb out',
  };
}

function noLibrary(target: TargetProcess): ErrorData {
  return {
    ...impossible(target, 'it has loaded no C library (glibc or musl) whose functions could be called'),
    hint: '--gdb-call syscall needs none',
  };
}

function impossible({ name }: TargetProcess, why: string): ErrorData {
  return {
    code: 'gdb-impossible',
    message: `${name}: gdb cannot restart it: ${why}. Nothing was touched.`,
    hint: 'without --driver gdb hotexec can',
  };
}

// Choosing a program for a process that differs from the usual one, in a container of a few files.
import { chooseProgram, type Chosen, type Container, type FileKind } from '../../../src/engine/program.ts';
import type { ProgramChange } from '../../../src/protocol/request.ts';
import { change, observedProcess, type Differences } from './observed.ts';

/** A container in which these files stand. */
export function containing(
  files: Readonly<Record<string, FileKind>>,
  homes: Readonly<Record<number, string>> = {},
): Container {
  return { look: (path) => files[path] ?? 'missing', homeOf: (uid) => homes[uid] ?? null };
}

const image: Container = containing({
  '/usr/sbin/nginx': 'program',
  '/usr/local/bin/nginx': 'other',
  '/usr/bin/node': 'program',
  '/bin/sh': 'program',
  '/docker-entrypoint.sh': 'script',
  '/srv/tool': 'program',
  '/opt/tool': 'program',
});

export function choose(
  differences: Differences,
  wanted: ProgramChange = change(),
  container: Container = image,
): Chosen {
  return chooseProgram(observedProcess(differences), wanted, container);
}

/** What a person would type to start it. */
export function commandOf({ program }: Chosen): readonly string[] {
  return [program.path.toString(), ...program.argv.map(String)];
}

export function environmentOf({ program }: Chosen): readonly string[] {
  return program.environment.map(String);
}

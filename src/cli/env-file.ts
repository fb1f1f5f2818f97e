// --env-file, in the form of docker's: NAME=value lines, nothing unquoted or expanded; `#` begins a comment line; a bare
// NAME is taken from hotexec's own environment, and left out if it is not there.
import { usageError } from './usage.ts';

export type Variable = readonly [name: string, value: string];
type Environment = Readonly<Record<string, string | undefined>>;

/** `path` is for messages. */
export function parseEnvFile(text: string, path: string, env: Environment): readonly Variable[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trimStart(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .flatMap(({ line, number }) => parseLine(line, `${path}:${number}`, env));
}

function parseLine(line: string, where: string, env: Environment): readonly Variable[] {
  const equals = line.indexOf('=');
  const name = equals === -1 ? line.trimEnd() : line.slice(0, equals);
  // Values are secrets: the line itself is not shown.
  if (name === '' || /\s/.test(name)) throw usageError(`${where} is not NAME=value.`);
  if (line.includes('\0')) throw usageError(`${where} holds a NUL byte, which no environment can.`);
  if (equals !== -1) return [[name, line.slice(equals + 1)]];
  const value = env[name];
  return value === undefined ? [] : [[name, value]];
}

/** --env NAME=VALUE, or NAME to take it from hotexec's own environment. */
export function parseEnvFlag(text: string, env: Environment): Variable {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  if (name === '') throw usageError('--env wants NAME=VALUE or NAME, and got no name.');
  if (equals !== -1) return [name, text.slice(equals + 1)];
  const value = env[name];
  if (value === undefined) {
    throw usageError(
      `--env ${name}: there is no variable of that name here to take the value from.`,
      `--env ${name}=VALUE`,
    );
  }
  return [name, value];
}

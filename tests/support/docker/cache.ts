// What is made once for many runs: compiled fixtures, keyed by what they are made of. scripts/setup-machine.sh uses
// the same directory.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const cacheDirectory: string = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hotexec-test');

export const serversDirectory: string = join(import.meta.dirname, '../../fixtures/servers');

/** Compiles a file of tests/fixtures/servers unless that was done before. `OUT` in the command is the result's directory. */
export async function compile(source: string, command: readonly string[]): Promise<string> {
  const path = join(serversDirectory, source);
  const key = createHash('sha256')
    .update(JSON.stringify(command))
    .update(await readFile(path))
    .digest('hex');
  const directory = join(cacheDirectory, 'compiled', `${basename(source)}-${key.slice(0, 16)}`);
  if (!existsSync(directory)) await compileInto(directory, path, command);
  return directory;
}

// In a directory of its own first: another run may be compiling the same.
async function compileInto(directory: string, source: string, command: readonly string[]): Promise<void> {
  await mkdir(join(cacheDirectory, 'compiled'), { recursive: true });
  const scratch = await mkdtemp(join(cacheDirectory, 'compiled/new-'));
  const [tool = '', ...args] = command.map((word) => word.replaceAll('OUT', scratch));
  await execute(tool, [...args, source]);
  await rename(scratch, directory).catch(async (cause: unknown) => {
    await rm(scratch, { recursive: true });
    if (!existsSync(directory)) throw cause;
  });
}

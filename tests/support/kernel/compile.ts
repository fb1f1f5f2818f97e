// C programs of tests/fixtures, compiled when a test first wants them; kept in the cache under a key of all that goes into them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../docker/cache.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
const headers = ['target.h', 'waits.h'].map((name) => join(fixtures, 'kernel', name));
const cache = join(cacheDirectory, 'kernel');

export interface Build {
  /** `gcc` if not named. */
  readonly compiler?: string;
  readonly flags?: readonly string[];
  /** Of tests/fixtures; `kernel` if not named. */
  readonly directory?: string;
}

/** The path of the program. */
export function compile(name: string, { compiler = 'gcc', flags = [], directory = 'kernel' }: Build = {}): string {
  const source = join(fixtures, directory, `${name}.c`);
  const command = [compiler, '-O1', '-Wall', '-pthread', ...flags];
  const key = createHash('sha256').update(JSON.stringify(command));
  for (const file of [source, ...headers]) key.update(readFileSync(file));
  const path = join(cache, `${name}-${key.digest('hex').slice(0, 16)}`);
  if (!existsSync(path)) build(path, [...command, source]);
  return path;
}

// Under another name first: two test runs may want the same.
function build(path: string, [compiler = '', ...args]: readonly string[]): void {
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'new-'));
  try {
    execFileSync(compiler, [...args, '-o', join(scratch, 'program')], { stdio: 'pipe' });
    renameSync(join(scratch, 'program'), path);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

// C programs of tests/fixtures/kernel, compiled when a test first wants them; kept in the cache under a key of all that goes into them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../docker/cache.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/kernel');
const directory = join(cacheDirectory, 'kernel');

export interface Build {
  /** `gcc` if not named. */
  readonly compiler?: string;
  readonly flags?: readonly string[];
}

/** The path of the program. */
export function compile(name: string, { compiler = 'gcc', flags = [] }: Build = {}): string {
  const source = join(fixtures, `${name}.c`);
  const command = [compiler, '-O1', '-Wall', '-pthread', ...flags];
  const key = createHash('sha256').update(JSON.stringify(command));
  for (const file of [source, join(fixtures, 'target.h')]) key.update(readFileSync(file));
  const path = join(directory, `${name}-${key.digest('hex').slice(0, 16)}`);
  if (!existsSync(path)) build(path, [...command, source]);
  return path;
}

// Under another name first: two test runs may want the same.
function build(path: string, [compiler = '', ...args]: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  const scratch = mkdtempSync(join(directory, 'new-'));
  try {
    execFileSync(compiler, [...args, '-o', join(scratch, 'program')], { stdio: 'pipe' });
    renameSync(join(scratch, 'program'), path);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

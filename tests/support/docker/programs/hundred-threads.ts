// A C program with 100 threads, static; by glibc and by musl.
import { compile } from '../cache.ts';
import type { Program } from '../program.ts';
import { directory, hostFile } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const glibcThreads: Program = hundredThreads('gcc');
export const muslThreads: Program = hundredThreads('musl-gcc');

function hundredThreads(compiler: string): Program {
  return {
    name: `100 threads (${compiler})`,
    needs: [{ command: compiler }],
    recipe: async () => ({
      name: `threads-${compiler}`,
      files: [
        await hostFile(await compileThreads(compiler, 1), '/hundred-threads'),
        await hostFile(await compileThreads(compiler, 2), '/next'),
        directory('/tmp', 0o1777),
      ],
      entrypoint: ['/hundred-threads'],
    }),
    ask: async ({ address }) => await httpGet(address, 8080),
    logLine: /version \d serves/,
    children: [],
    readOnlyFlags: [],
    isDeterministic: true,
  };
}

export async function compileThreads(compiler: string, version: number): Promise<string> {
  const flags = ['-O1', '-static', '-pthread', `-DVERSION=${version}`];
  return `${await compile('hundred-threads.c', [compiler, ...flags, '-o', 'OUT/program'])}/program`;
}

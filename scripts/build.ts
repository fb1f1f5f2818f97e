// node scripts/build.ts [--fast]: dist/{cli,engine,index}.js by esbuild; without --fast their declarations by tsc too.
// What is imported lazily stays in a chunk of its own, off the start-up path.
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');

if (!process.argv.includes('--fast')) rmSync(outdir, { recursive: true, force: true });
const bundled = await bundle();
makeExecutable(join(outdir, 'cli.js'));
writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES'), licenses(bundled));
if (!process.argv.includes('--fast')) declare();

async function bundle(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { cli: 'src/cli/main.ts', engine: 'src/engine-main.ts', index: 'src/index.ts' },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['koffi'],
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

function makeExecutable(path: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(path, `#!/usr/bin/env -S node --\n${text}`);
  chmodSync(path, 0o755);
}

// The licences of what was bundled ask to be shipped with it.
function licenses(inputs: readonly string[]): string {
  const packages = new Set(inputs.flatMap((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  return [...packages]
    .toSorted()
    .map((path) => {
      const [file] = globSync(`${path}/LICEN[CS]E*`, { cwd: root });
      if (file === undefined) throw new Error(`${path} is bundled and has no licence file`);
      return `${path.slice('node_modules/'.length)}\n\n${readFileSync(join(root, file), 'utf8')}`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function declare(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

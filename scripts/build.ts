// node scripts/build.ts [--fast]: dist/{cli.cjs,engine.cjs,index.js} by esbuild; without --fast their declarations by tsc too.
// The engine and the command line behind its first lines are precompiled files (src/precompiled.ts says why), each with what is loaded
// together; what few commands need is a file of its own. In the library what is imported lazily stays in a chunk of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { engineFlags } from '../src/front/launch.ts';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
const chunks = join(outdir, 'chunks');

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node22',
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

const asScript = {
  format: 'cjs',
  define: { 'import.meta.dirname': 'directory' },
  // A vm.Script would need a loader for import(): they become require, run as late as before.
  supported: { 'dynamic-import': false },
} as const satisfies BuildOptions;

if (!process.argv.includes('--fast')) rmSync(outdir, { recursive: true, force: true });
mkdirSync(chunks, { recursive: true });
const bundled = new Set<string>();
const libraries = precompiledInstead({
  path: './libraries.ts',
  exports: ['KubeConfig', 'WebSocket'],
  file: await precompile('kubernetes', 'src/targets/kubernetes/libraries.ts', {
    plugins: [kubeconfigAlone()],
    minifyWhitespace: true,
  }),
});
await bundle({ index: 'src/index.ts' }, libraries);
const rpc = precompiledInstead({
  path: './rpc.ts',
  exports: ['runtimeApi'],
  file: await precompile('rpc', 'src/targets/runtime/rpc.ts', {}),
});
const drawing = precompiledInstead({
  path: './task-library.ts',
  exports: ['Listr', 'ListrLogger', 'ProcessOutput'],
  file: await precompile('drawing', 'src/cli/render/task-library.ts', { minifyWhitespace: true }),
});
const command = precompiledInstead({
  path: './process.ts',
  exports: ['runProcess'],
  file: await precompile('process', 'src/cli/process.ts', { plugins: [libraries, rpc, drawing] }),
});
const engineLines = precompiledInstead({
  path: './engine-line.ts',
  exports: ['parseEngineLine'],
  file: await precompile('engine-line', 'src/front/engine-line.ts', {}),
});
const start = precompiledInstead({
  path: './start-engine.ts',
  exports: ['startingAhead'],
  file: await precompile('start-engine', 'src/cli/start-engine.ts', { plugins: [engineLines] }),
});
const relay = precompiledInstead({
  path: './relay.ts',
  exports: ['runRelay'],
  file: await precompile('relay', 'src/cli/relay.ts', {}),
});
await bundleStart('cli', { entryPoints: ['src/cli/main.ts'], plugins: [start, command, relay] });
await bundleEngine(
  await precompile('engine', 'src/engine-main.ts', { flags: engineFlags, inject: ['src/native/performance.ts'] }),
);
makeExecutable(join(outdir, 'cli.cjs'));
writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES'), licenses([...bundled]));
if (!process.argv.includes('--fast')) declare();

/** ESM, for who imports it. */
async function bundle(entryPoints: Readonly<Record<string, string>>, ...plugins: readonly Plugin[]): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints,
    plugins: [...plugins],
    outdir,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    metafile: true,
  });
  remember(metafile.inputs);
}

async function bundleEngine(precompiled: string): Promise<void> {
  const contents = `import { runPrecompiled } from './src/precompiled.ts'; runPrecompiled(import.meta.dirname, '${precompiled}');`;
  await bundleStart('engine', { stdin: { contents, resolveDir: root } });
}

/** What Node is started with. CommonJS: it begins 5 ms sooner than a module (measured, Node 24). */
async function bundleStart(name: string, what: BuildOptions): Promise<void> {
  await build({
    ...common,
    ...what,
    ...asScript,
    banner: { js: `const directory = __dirname + '/chunks';` },
    outfile: join(outdir, `${name}.cjs`),
  });
}

interface Precompiled {
  /** As it is imported, lazily. */
  readonly path: string;
  readonly exports: readonly string[];
  readonly file: string;
}

/**
 * src/cli/main.ts answers --version by itself and leaves all else to others; what reaches a cluster, or a container runtime by gRPC, is for
 * commands that do. A class in there is another one than outside.
 */
function precompiledInstead({ path, exports, file }: Precompiled): Plugin {
  const namespace = `precompiled ${path}`;
  return {
    name: namespace,
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.ts$/ }, ({ kind, path: imported }) =>
        kind === 'dynamic-import' && imported === path ? { path: file, namespace } : undefined,
      );
      esbuild.onLoad({ filter: /./, namespace }, () => ({
        contents: `import { runPrecompiled } from './src/precompiled.ts';
          export const { ${exports.join(', ')} } = runPrecompiled(import.meta.dirname, '${file}');`,
        resolveDir: root,
      }));
    },
  };
}

/** Of the Kubernetes client the kubeconfig is used and none of its thousand requests: without them and their HTTP client it loads in a third of the time. */
function kubeconfigAlone(): Plugin {
  return {
    name: 'kubeconfig alone',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^(?:undici|\.\/gen\/index\.js)$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
      esbuild.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

interface Precompiling {
  /** Of the Node that will run it. */
  readonly flags?: readonly string[];
  readonly plugins?: Plugin[];
  /** Modules whose exports stand for globals of the same name. */
  readonly inject?: string[];
  /** Without comments, which need not be ASCII. */
  readonly minifyWhitespace?: boolean;
}

/** One file for src/precompiled.ts, and its code cache for a Node with these flags. Returns its name without the ending. */
async function precompile(name: string, entryPoint: string, { flags = [], ...options }: Precompiling): Promise<string> {
  const { metafile, outputFiles } = await build({
    ...common,
    ...asScript,
    entryPoints: [entryPoint],
    charset: 'ascii',
    ...options,
    write: false,
    metafile: true,
  });
  remember(metafile.inputs);
  const source = `(function (module, require, directory) {${outputFiles[0]?.text ?? ''}})`;
  if (Buffer.byteLength(source) !== source.length) throw new Error(`${name}: src/precompiled.ts reads ASCII alone`);
  const hashed = `${name}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;
  const path = join(chunks, hashed);
  replaceFile(`${path}.cjs`, (draft) => writeFileSync(draft, source));
  replaceFile(`${path}.cache`, (draft) =>
    runNode(...flags, join(import.meta.dirname, 'code-cache.ts'), `${path}.cjs`, draft),
  );
  return hashed;
}

/** Whoever runs from dist meanwhile sees the old or the new file, never half of one. */
function replaceFile(path: string, write: (draft: string) => void): void {
  write(`${path}.new`);
  renameSync(`${path}.new`, path);
}

function remember(inputs: Readonly<Record<string, unknown>>): void {
  for (const input of Object.keys(inputs)) bundled.add(input);
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
      const file = readdirSync(join(root, path)).find((name) => /^licen[cs]e/i.test(name));
      const text = file === undefined ? noticesIn(path, inputs) : readFileSync(join(root, path, file), 'utf8');
      return `${path.slice('node_modules/'.length)}\n\n${text}`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** Of a package without a licence file: what its files begin with. The Apache License is hotexec's own: LICENSE has its text. */
function noticesIn(path: string, inputs: readonly string[]): string {
  const files = inputs.filter((input) => input.startsWith(`${path}/`));
  const heads = files.map((file) => /^(?:\/\/.*\n)*/.exec(readFileSync(join(root, file), 'utf8'))?.[0] ?? '');
  const notices = new Set(
    heads.filter((head) => head.includes('Copyright')).map((head) => head.replaceAll(/^\/\/ ?/gm, '')),
  );
  if (notices.size === 0) throw new Error(`${path} is bundled and says nothing of its licence`);
  return [...notices].join('\n');
}

function declare(): void {
  runNode(join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json');
}

function runNode(...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

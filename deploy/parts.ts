// What the agent's image is made of besides hotexec itself: Node, the FFI addon, and the shared libraries of both, for one architecture.
// For that of this machine they are its own; for another they come from where this machine's came from: npm and Debian.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, normalize } from 'node:path';

export type Architecture = 'amd64' | 'arm64';
export const architectures: readonly Architecture[] = ['amd64', 'arm64'];

const nodeNames = { amd64: 'x64', arm64: 'arm64' } as const;

export interface Parts {
  /** As Node calls the architecture. */
  readonly nodeArch: 'x64' | 'arm64';
  readonly node: string;
  readonly koffi: string;
  /** By their paths in the image; the loader among them. */
  readonly libraries: ReadonlyMap<string, string>;
  readonly licences: readonly string[];
}

const root = join(import.meta.dirname, '..');
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hotexec-image');

export function partsFor(architecture: Architecture): Parts {
  const nodeArch = nodeNames[architecture];
  return nodeArch === process.arch ? ownParts(nodeArch) : foreignParts(architecture, nodeArch);
}

function ownParts(nodeArch: Parts['nodeArch']): Parts {
  const node = join(root, 'node_modules/node/bin/node');
  const koffi = join(root, `node_modules/@koromix/koffi-linux-${nodeArch}/linux_${nodeArch}/koffi.node`);
  const listed = execFileSync('ldd', [node, koffi], { encoding: 'utf8' });
  const paths = [...listed.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path = '']) => normalize(path));
  const libraries = new Map(paths.map((path) => [path, path]));
  libraries.delete(node);
  const licences = [
    ...globSync('node_modules/node/**/LICENSE', { cwd: root }).map((path) => join(root, path)),
    ...sharedLicences('/'),
  ];
  return { nodeArch, node, koffi, libraries, licences };
}

function foreignParts(architecture: Architecture, nodeArch: Parts['nodeArch']): Parts {
  const node = npmPackage(`node-linux-${nodeArch}`, versionOf('node', 'devDependencies'));
  const koffi = npmPackage(`@koromix/koffi-linux-${nodeArch}`, versionOf('koffi', 'dependencies'));
  const debian = debianPackages(architecture, libraryPackages);
  const programs = [join(node, 'bin/node'), join(koffi, `linux_${nodeArch}/koffi.node`)] as const;
  return {
    nodeArch,
    node: programs[0],
    koffi: programs[1],
    libraries: librariesIn(debian, programs),
    licences: [join(node, 'LICENSE'), ...sharedLicences(join(debian, 'root'))],
  };
}

const libraryPackages = ['libc6', 'libstdc++6', 'libgcc-s1'] as const;

/** Of the addon and of the libraries, where Debian puts them below `files`. */
function sharedLicences(files: string): readonly string[] {
  const ofLibraries = libraryPackages.map((name) => join(files, 'usr/share/doc', name, 'copyright'));
  return [...globSync(join(root, 'node_modules/koffi/LICENSE*')), ...ofLibraries.filter((path) => existsSync(path))];
}

function versionOf(name: string, kind: 'dependencies' | 'devDependencies'): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const version = manifest[kind]?.[name];
  if (version === undefined) throw new Error(`package.json has no ${name}`);
  return version;
}

/** Unpacked; the directory of the package. */
function npmPackage(name: string, version: string): string {
  const directory = once(`${name}@${version}`, (into) => {
    execFileSync('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', into], { stdio: 'inherit' });
    const [archive = ''] = globSync('*.tgz', { cwd: into });
    execFileSync('tar', ['-xzf', archive], { cwd: into });
    rmSync(join(into, archive));
  });
  return join(directory, 'package');
}

/** Unpacked over each other. apt gets directories of its own: this machine's list of architectures stays as it is. */
function debianPackages(architecture: Architecture, names: readonly string[]): string {
  return once(`debian-${architecture}-${names.join('-')}`, (into) => {
    for (const directory of ['apt/lists/partial', 'apt/cache/archives/partial', 'root'])
      mkdirSync(join(into, directory), { recursive: true });
    const options = {
      'Dir::State': join(into, 'apt'),
      'Dir::State::status': '/dev/null',
      'Dir::Cache': join(into, 'apt/cache'),
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const run = (...args: readonly string[]): void =>
      void execFileSync('apt-get', ['-qq', ...flags, ...args], { cwd: into, stdio: ['ignore', 'ignore', 'inherit'] });
    run('update');
    run('download', ...names.map((name) => `${name}:${architecture}`));
    for (const archive of globSync('*.deb', { cwd: into }))
      execFileSync('dpkg-deb', ['--extract', archive, 'root'], { cwd: into, stdio: 'inherit' });
    rmSync(join(into, 'apt'), { recursive: true });
  });
}

/** In the cache, made unless it is there. */
function once(key: string, make: (into: string) => void): string {
  const name = `${basename(key).replaceAll(/[^\w.@+-]/g, '-')}-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  const draft = `${directory}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  make(draft);
  renameSync(draft, directory);
  return directory;
}

/** What the programs need, and what that needs, from Debian's packages; the loader is where the programs name it. */
function librariesIn(debian: string, programs: readonly string[]): ReadonlyMap<string, string> {
  const files = join(debian, 'root');
  const found = new Map<string, string>();
  const waiting = [...programs];
  for (let program = waiting.pop(); program !== undefined; program = waiting.pop()) {
    const told = execFileSync('readelf', ['--dynamic', '--program-headers', '--wide', program], { encoding: 'utf8' });
    const names = [...told.matchAll(/\(NEEDED\).*\[(.+)\]|interpreter: \/\S*\/(\S+)\]/g)].map(
      ([, a, b]) => a ?? b ?? '',
    );
    for (const name of names) {
      const path = globSync([`lib/*/${name}`, `usr/lib/*/${name}`, `lib/${name}`], { cwd: files }).find((at) =>
        statSync(join(files, at), { throwIfNoEntry: false })?.isFile(),
      );
      if (path === undefined) throw new Error(`${program} needs ${name}, and no package has it`);
      if (found.has(`/${path}`)) continue;
      found.set(`/${path}`, join(files, path));
      waiting.push(join(files, path));
    }
  }
  // A package may have the loader beside the libraries and a link to it where programs look.
  for (const [path, from] of found) if (/^\/lib\/[^/]+\/ld-linux/.test(path)) found.set(`/lib/${basename(path)}`, from);
  return found;
}

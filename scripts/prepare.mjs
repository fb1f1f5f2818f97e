// node scripts/prepare.mjs SCRIPT.ts [ARG...]: makes sure the dependencies are installed, then runs SCRIPT with the
// Node they bring. Plain JavaScript without imports from node_modules: any Node >= 20 can start it in a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (!isInstalled()) install();

const [script, ...args] = process.argv.slice(2);
if (script !== undefined) process.exit(run(suitableNode(), [join(root, script), ...args]));

// npm keeps a copy of the lock of what it installed. Contents are compared, not times: a checkout touches times.
function isInstalled() {
  const installed = packagesOf('node_modules/.package-lock.json');
  const wanted = packagesOf('package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function packagesOf(lockfile) {
  const path = join(root, lockfile);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {};
}

function install() {
  process.stderr.write('Installing the dependencies (npm ci) ...\n');
  // NODE_ENV=production would leave out what building and testing need. stdout belongs to SCRIPT.
  const npmArgs = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync('npm', npmArgs, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`npm ci failed${error ? `: ${error.message}` : ` (exit ${status})`}`);
}

// The packaged Node does not run everywhere (musl); then the one that runs this script serves, if it is new enough.
function suitableNode() {
  const packaged = join(root, 'node_modules/node/bin/node');
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath;
  return fail(`needs Node >= 22.22; this is ${process.version}, and npm installed none in node_modules/node`);
}

function run(node, nodeArgs) {
  const PATH = [join(root, 'node_modules/.bin'), dirname(node), process.env.PATH].join(':');
  // Ctrl-C reaches the whole process group: the script answers it, this process only reports how that ended.
  process.on('SIGINT', () => {});
  const { status, signal } = spawnSync(node, nodeArgs, { stdio: 'inherit', env: { ...process.env, PATH } });
  return status ?? 128 + constants.signals[signal];
}

function fail(message) {
  process.stderr.write(`hotexec: ${message}\n`);
  process.exit(1);
}

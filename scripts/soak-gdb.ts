// npm run soak:gdb [-- N [PROGRAM]]: N restarts (50) by --driver gdb of each: fortio (static Go), nginx, a JVM, Node, 100 threads. gdb is known
// to hang in such (docs/by-hand.md): fails when one restart was not one, or took longer than it may.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestartResult } from '../src/protocol/result.ts';
import { parseStat } from '../src/procfs/stat.ts';
import { compile } from '../tests/support/kernel/compile.ts';
import { until } from '../tests/support/until.ts';

const root = join(import.meta.dirname, '..');
const tooLongMs = 5_000;

interface Program {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What it is started with anew; absent: the same. */
  readonly again?: readonly string[];
  /** So many threads, or listening sockets, say that it is up. */
  readonly isUp: (pid: number) => boolean;
}

const [count = '50', only] = process.argv.slice(2);
const times = Number(count);
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
process.env['PATH'] = `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}`;
const directory = mkdtempSync(join(tmpdir(), 'hotexec-soak-gdb-'));
const programs: readonly Program[] = [
  {
    name: 'fortio',
    command: ['fortio', 'server', '-http-port', '127.0.0.1:0', ...disabled('redirect', 'grpc', 'tcp', 'udp')],
    isUp: listens,
  },
  {
    name: 'nginx',
    command: ['nginx', '-c', nginxConfiguration()],
    // It has overwritten its arguments and its environment.
    again: ['--env-file', environmentFile(), '--', '/usr/sbin/nginx', '-c', nginxConfiguration()],
    isUp: (pid) => listens(pid) && readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1') !== '',
  },
  {
    name: 'java',
    command: ['java', '-XX:TieredStopAtLevel=1', javaSource()],
    isUp: listens,
  },
  {
    name: 'node',
    command: [process.execPath, '-e', 'require("net").createServer().listen(0, "127.0.0.1")'],
    isUp: listens,
  },
  { name: '100 threads', command: [compile('threads'), '100'], isUp: (pid) => tasks(pid) === 100 },
];

const chosen = programs.filter(({ name }) => only === undefined || name === only);
if (!Number.isInteger(times) || times < 1 || chosen.length === 0) {
  console.error(`usage: npm run soak:gdb [-- N [PROGRAM]]; programs: ${programs.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
let failures = 0;
try {
  for (const program of chosen) await soak(program);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function soak(program: Program): Promise<void> {
  const [file, ...args] = program.command;
  if (spawnSync('sh', ['-c', `command -v ${file}`]).status !== 0) {
    console.log(`${program.name}: not on PATH, skipped`);
    return;
  }
  const target = spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  const holds: number[] = [];
  const totals: number[] = [];
  const failed: string[] = [];
  try {
    for (let time = 0; time < times && failed.length === 0; time++) {
      const result = await restartOnce(target, program);
      if (typeof result === 'string') failed.push(`restart ${time + 1}: ${result}`);
      else {
        holds.push(result.holdMs);
        totals.push(result.wholeMs);
      }
    }
  } finally {
    await end(target);
  }
  failures += failed.length;
  console.log(
    `${program.name}: ${holds.length} of ${times} restarts, hold ${spread(holds)} ms, whole command ${spread(totals)} ms${failed.map((text) => `; ${text}`).join('')}`,
  );
}

interface Times {
  readonly holdMs: number;
  /** Of the command. */
  readonly wholeMs: number;
}

async function restartOnce({ pid = 0 }: ChildProcess, { again = [], isUp }: Program): Promise<Times | string> {
  await until('it is up', () => isUp(pid), 20_000);
  const before = stat(pid);
  const words = ['restart', `pid/${pid}`, '--driver', 'gdb', '--no-drain', '--force', '-o', 'json', ...again];
  const began = performance.now();
  const child = spawn(join(root, 'bin/hotexec'), words, { stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await once(child, 'close');
  const tookMs = performance.now() - began;
  const result = JSON.parse(stdout) as RestartResult;
  if (result.outcome !== 'restarted' || result.warnings.some((text) => text.includes('gdb')))
    return `${result.outcome}: ${result.error?.message ?? result.warnings.join()}`;
  if (tookMs > tooLongMs) return `took ${Math.round(tookMs)} ms`;
  if (stat(pid) !== before) return 'it is another process';
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  if (!/^TracerPid:\t0$/m.test(status) || /^State:\t[Tt]/m.test(status)) return 'it is traced or stopped';
  return { holdMs: result.timingsMs['hold'] ?? Number.NaN, wholeMs: tookMs };
}

/** A master that is killed leaves its workers. */
async function end(target: ChildProcess): Promise<void> {
  const pid = target.pid ?? 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
  target.kill('SIGKILL');
  for (const child of children) if (child > 0) process.kill(child, 'SIGKILL');
  if (target.exitCode === null && target.signalCode === null) await once(target, 'exit');
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  return `${at(0.5)} (${at(0)}-${at(1)})`;
}

function disabled(...services: readonly string[]): readonly string[] {
  return services.flatMap((service) => [`-${service}-port`, 'disabled']);
}

function nginxConfiguration(): string {
  const path = join(directory, 'nginx.conf');
  const server = 'server { listen 127.0.0.1:18733; }';
  writeFileSync(
    path,
    `daemon off; pid ${directory}/pid; error_log stderr crit; worker_processes 2; events {} http { access_log off; ${server} }`,
  );
  return path;
}

function environmentFile(): string {
  const path = join(directory, 'environment');
  writeFileSync(path, 'PATH=/usr/bin\n');
  return path;
}

function javaSource(): string {
  const path = join(directory, 'Listens.java');
  const body = 'new java.net.ServerSocket(0); Thread.sleep(Long.MAX_VALUE);';
  writeFileSync(path, `class Listens { public static void main(String[] a) throws Exception { ${body} } }`);
  return path;
}

function stat(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).startTicks;
}

function tasks(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}

function listens(pid: number): boolean {
  const own = spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'latin1' }).stdout;
  const tables = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'latin1')).join('');
  const inodes = tables.matchAll(/^ *\d+: \S+ \S+ 0A .*? (\d+) 1 /gm);
  return Array.from(inodes, ([, inode = '']) => `socket:[${inode}]`).some((link) => own.includes(link));
}

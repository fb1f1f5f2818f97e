import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { runDemo } from '../../src/demo/demo.ts';
import { HotexecError } from '../../src/errors.ts';
import { readBytes, readText } from '../../src/procfs/read.ts';
import { parseStat } from '../../src/procfs/stat.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const hotexec = join(import.meta.dirname, '../../bin/hotexec');
const userId = 65_534;
const asUser = ['setpriv', `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--inh-caps=-all'];

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly exited: Promise<unknown>;
  /** Where it keeps its journals. */
  readonly runtimeDirectory: string;
}

function startDemo({ launcher = [], uid = 0 }: { launcher?: readonly string[]; uid?: number } = {}): Demo {
  const runtimeDirectory = mkdtempSync(join(tmpdir(), 'hotexec-demo-test-'));
  onTestFinished(() => rmSync(runtimeDirectory, { recursive: true, force: true }));
  chownSync(runtimeDirectory, uid, uid);
  const [file, ...args] = [...launcher, hotexec, 'demo'];
  const env = { PATH: process.env['PATH'], HOTEXEC_RUNTIME_DIR: runtimeDirectory };
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    output: collect(child.stdout),
    errors: collect(child.stderr),
    exited: once(child, 'exit'),
    runtimeDirectory,
  };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = [];
  stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return () => chunks.join('');
}

/** The server, and unshare above it. */
async function processesOf(demo: Demo): Promise<readonly number[]> {
  const server = await until('the server is started', () => serverPid(demo));
  const stat = readText(`/proc/${server}/stat`);
  return stat.kind === 'read' ? [server, parseStat(stat.content).ppid] : [server];
}

function serverPid(demo: Demo): number | false {
  const pid = /^1 {2}Started .* (\d+) here\.$/m.exec(demo.output())?.[1];
  return pid === undefined ? false : Number(pid);
}

/** A pid counts only while it is the demo's: its command line carries the server's program. */
function isAlive(pid: number): boolean {
  const commandLine = readBytes(`/proc/${pid}/cmdline`);
  return commandLine.kind === 'read' && commandLine.content.includes('DEMO_PORT');
}

/** Those of the processes that are still there when there has been time enough to end. */
async function leftOf(pids: readonly number[]): Promise<readonly number[]> {
  await until('all processes of the demo are gone', () => !pids.some(isAlive), 5_000).catch(() => {});
  return pids.filter(isAlive);
}

/** What a user reads, with everything that differs from run to run taken out. */
function shape(output: string): string {
  return output
    .replaceAll(/instance ( *)[\da-f]{8}( *)[\da-f]{8}/g, 'instance $1A$2B')
    .replaceAll(/instance [\da-f]{8}/g, 'instance X')
    .replaceAll(/\d+(?:[.:]\d+)*/g, '#')
    .replaceAll(/ {2,}/g, '  ');
}

const story = (isUser: boolean): string => `\
hotexec demo: a new program in the same process

#  Started a small HTTP server, pid # of its own pid namespace, # here.
${isUser ? '  You are not root: a user namespace makes that possible.\n' : ''}\
#  Sent # requests: all answered, by instance X.
#  hotexec restart #: held for # ms, answering again after # ms.
  Meanwhile # requests: # answered, # refused.
#  Sent # requests: all answered, by instance X.

  before  after
pid, seen from outside  #  #  same
pid, by its own word  #  #  same
process started (UTC)  #  #  same
pid namespace  #  #  same
mount namespace  #  #  same
instance  A  B  new
uptime, by its own word  # s  # s  new
listening socket  #  #
requests answered  # of #  # of #

its log, one stream over both runs
  instance X listens on #
  instance X listens on #

Restarted in place: the same process, with a new program in it.
`;

describe('the demo', () => {
  needs('root', { command: 'unshare' });

  test('restarts a server in place as root, and leaves nothing behind', async () => {
    const demo = startDemo();
    const pids = await processesOf(demo);
    await demo.exited;
    expect(demo.errors()).toBe('');
    expect(shape(demo.output())).toBe(story(false));
    expect(demo.child.exitCode).toBe(0);
    expect(await leftOf(pids)).toEqual([]);
    expect(readdirSync(demo.runtimeDirectory)).toEqual([]);
  });

  test('does the same for a user who has no rights at all', async (context) => {
    skipWithoutUserNamespaces(context);
    const demo = startDemo({ launcher: asUser, uid: userId });
    const pids = await processesOf(demo);
    await demo.exited;
    expect(demo.errors()).toBe('');
    expect(shape(demo.output())).toBe(story(true));
    expect(demo.child.exitCode).toBe(0);
    expect(await leftOf(pids)).toEqual([]);
    expect(readdirSync(demo.runtimeDirectory)).toEqual([]);
  });

  test('cleans up at Ctrl-C', async () => {
    const demo = startDemo();
    const pids = await processesOf(demo);
    demo.child.kill('SIGINT');
    await demo.exited;
    expect(demo.child.exitCode).toBe(130);
    expect(await leftOf(pids)).toEqual([]);
  });

  test.each([
    ['before the restart', /^1 /m],
    ['after the restart', /^3 /m],
  ])('takes its server along when it is killed %s', async (_, line) => {
    const demo = startDemo();
    const pids = await processesOf(demo);
    await until('the demo has come so far', () => line.test(demo.output()));
    demo.child.kill('SIGKILL');
    expect(await leftOf(pids)).toEqual([]);
  });

  test('cleans up when the restart fails, and hands the error on', async () => {
    const chunks: string[] = [];
    const refused = new HotexecError({ code: 'not-permitted', message: 'no.', hint: null });
    const run = runDemo(
      {
        stdout: { write: (text) => chunks.push(text) },
        colours: false,
        signal: new AbortController().signal,
        host: { execPath: process.execPath, uid: 0, kill: (pid, signal) => process.kill(pid, signal) },
      },
      () => Promise.reject(refused),
    );
    await expect(run).rejects.toBe(refused);
    const pid = Number(/ (\d+) here\.$/m.exec(chunks.join(''))?.[1]);
    expect(await leftOf([pid])).toEqual([]);
  });
});

function skipWithoutUserNamespaces(context: TestContext): void {
  const [file, ...args] = [...asUser, 'unshare', '--user', '--map-root-user', 'true'];
  if (spawnSync(file, args).status !== 0) context.skip('users may not make user namespaces here');
}

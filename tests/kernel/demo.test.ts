import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { runDemo } from '../../src/demo/demo.ts';
import { HotexecError } from '../../src/errors.ts';
import { readBytes, readText } from '../../src/procfs/read.ts';
import { parseStat } from '../../src/procfs/stat.ts';
import { needs } from '../support/needs.ts';
import { expectWellFormed } from '../support/svg.ts';
import { tempDirectory } from '../support/temp.ts';
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

interface Starting {
  readonly launcher?: readonly string[];
  readonly uid?: number;
  readonly flags?: readonly string[];
}

function startDemo({ launcher = [], uid = 0, flags = [] }: Starting = {}): Demo {
  const runtimeDirectory = mkdtempSync(join(tmpdir(), 'hotexec-demo-test-'));
  onTestFinished(() => rmSync(runtimeDirectory, { recursive: true, force: true }));
  chownSync(runtimeDirectory, uid, uid);
  const [file = hotexec, ...args] = [...launcher, hotexec, 'demo', ...flags];
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
  const pid = /^ {3}A small HTTP server runs, .* (\d+) here\.$/m.exec(demo.output())?.[1];
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

/** What a user reads, with everything that differs from run to run taken out; what is promised stays. */
function shape(output: string): string {
  return output
    .replaceAll(/\([\da-f]{8}\)/g, '(X)')
    .replaceAll(/^(instance)(?: +[\da-f]{8}){4}$/gm, '$1 A B C D')
    .replaceAll(/\d+ refused, \d+ cut off/g, 'some lost')
    .replaceAll(/^(refused|cut off) +\d+ +0 +0$/gm, '$1 # 0 0')
    .replaceAll(/^(requests|answered)(?: +\d+){3}$/gm, '$1 # # #')
    .replaceAll(/127\.0\.0\.1:\d+|\d{2}:\d{2}:\d{2}\.\d{2}|\d{5,}|\d+(?:\.\d+)?(?= ms| requests| here)/g, '#')
    .replaceAll(/(?<=^pid +|hotexec restart )\d+/gm, '#')
    .replaceAll(/ {2,}/g, '  ');
}

const story = (isUser: boolean): string => `\
hotexec demo: three restarts of one process, under load

  A small HTTP server runs, pid 1 of its own pid namespace, # here.
${isUser ? '  You are not root: a user namespace makes that possible.\n' : ''}\
  Clients come: 125 new connections a second.

hotexec restart # --no-drain --no-handover
  Replaced at once: stopped for # ms, then another program.
  # requests: some lost; the slowest took # ms.

hotexec restart # --env DEMO_VERSION=1.1
  Finished its work in # ms; its listener went to the new program.
  # requests: none lost; the slowest took # ms.

hotexec restart # --env DEMO_VERSION=2.0
  The new version exited with 1, # ms after its start.
  The one before it runs again, by itself.
  # requests: none lost; the slowest took # ms.

  before  at once  graceful  bad version
pid  #  same  same  same
process started (UTC)  #  same  same  same
pid namespace  #  same  same  same
instance A B C D
version that answers  1.0  1.0  1.1  1.1
requests # # #
answered # # #
refused # 0 0
cut off # 0 0
slowest answer  # ms  # ms  # ms

its log, one stream over all of them
  version 1.0 (X) listens on #
  version 1.0 (X) listens on #
  version 1.0 (X) has finished after # requests
  version 1.1 (X) listens on #
  version 1.1 (X) has finished after # requests
  version 2.0 cannot start: its configuration is missing
  version 1.1 (X) listens on #

Restarted in place, three times: one process, and a new program in it each time.
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

  test('draws what happened where it is told to', async () => {
    const path = join(tempDirectory(), 'demo.svg');
    const demo = startDemo({ flags: ['--timeline', path] });
    await demo.exited;
    expect(demo.errors()).toBe('');
    expect(demo.output()).toContain(`what happened, as a picture: ${path}\n`);
    const picture = readFileSync(path, 'utf8');
    expectWellFormed(picture);
    for (const words of ['>at once<', '>graceful<', '>bad version<', '>rolled back by itself<'])
      expect(picture).toContain(words);
    // The short word where a slow machine has made the rest longer.
    expect(picture).toMatch(/>(?:new program )?fails</);
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
    ['before the first restart', /Clients come/],
    ['after the first restart', /Replaced at once/],
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
        picture: null,
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

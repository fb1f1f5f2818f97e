// What clients and programs notice: system calls while they are traced, start-ups on probation, the slowest request over a restart, a bad
// version that comes back by itself, and how fast a new executable is brought.
import { execFile } from 'node:child_process';
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RestartResult } from '../src/protocol/result.ts';
import { startServing } from './container.ts';
import type { Comparison, Rounds } from './comparison.ts';
import { slowestAnswer } from './asking.ts';
import { Talking, timed, type Programs } from './programs.ts';
import { interleave } from './statistics.ts';

const root = join(import.meta.dirname, '..');
const hotexec = join(root, 'bin/hotexec');
const tracedCalls = 20_000;
const uploadMib = 200;
const port = 18_230;
const host = '127.0.0.1';

export async function serving(programs: Programs, rounds: Rounds): Promise<readonly Comparison[]> {
  return [
    await systemCalls(programs, rounds),
    ...(await startUps(rounds)),
    await slowestRequest(programs, rounds),
    await badVersion(programs, rounds),
    await upload(programs, rounds),
  ];
}

/** A thousand calls in as many milliseconds as one takes microseconds. */
async function systemCalls(programs: Programs, { few }: Rounds): Promise<Comparison> {
  const calls = programs.compile('calls');
  const { ours, strace } = await interleave(few, {
    ours: async () => {
      using target = new Talking(calls);
      await target.next();
      void restart(target.pid, '--no-drain', '--probation', '30s', '--', calls, String(tracedCalls));
      return Number(await target.next());
    },
    strace: async () => {
      using target = new Talking('strace', '-f', '-o', '/dev/null', calls, String(tracedCalls));
      return Number(await target.next());
    },
  });
  return {
    what: 'a thousand system calls while traced',
    ours,
    other: { name: 'strace -f -o /dev/null', summary: strace },
    limits: [{ kind: 'ratio', value: 2 }],
  };
}

const servers: Readonly<Record<string, readonly string[]>> = {
  node: ['node', '-e', `require('node:http').createServer((q, r) => r.end('ok')).listen(${port}, '${host}')`],
  CPython: [
    'python3',
    '-c',
    `import http.server as h; h.HTTPServer(('${host}', ${port}), h.SimpleHTTPRequestHandler).serve_forever()`,
  ],
  JVM: ['java', join(import.meta.dirname, 'Serve.java'), String(port)],
  Go: ['fortio', 'server', '-http-port', `${host}:${port}`, '-grpc-port', 'disabled', '-redirect-port', 'disabled'],
};

/** From the exec to the first listen, traced and not. */
async function startUps({ few }: Rounds): Promise<readonly Comparison[]> {
  const found: Comparison[] = [];
  for (const [name, [command = '', ...args]] of Object.entries(servers)) {
    using target = new Talking(command, ...args);
    await answers();
    const startUp = async (...flags: readonly string[]): Promise<number> => {
      const { timingsMs } = await restart(target.pid, '--no-drain', ...flags);
      return timingsMs['toFirstListen'] ?? Number.NaN;
    };
    const { traced, free } = await interleave(few, {
      traced: () => startUp(),
      free: () => startUp('--no-rollback', '--no-handover'),
    });
    found.push({
      what: `${name}: start to listen, on probation with hand-over`,
      ours: traced,
      other: { name: 'not traced', summary: free },
      limits: [],
    });
  }
  return found;
}

/** Of a program that takes no time to finish and to start. */
async function slowestRequest(programs: Programs, { few }: Rounds): Promise<Comparison> {
  using target = new Talking(programs.compile('serve', '-static'), String(port));
  await target.next();
  const { ours, killed } = await interleave(few, {
    ours: async () => (await under(() => restart(target.pid))).slowestMs,
    killed: async () => (await under(() => restart(target.pid, '--no-drain', '--no-handover'))).slowestMs,
  });
  return {
    what: 'slowest request over a restart',
    ours,
    other: { name: 'without drain and hand-over: clients try again', summary: killed },
    limits: [{ kind: 'at-most', value: 20 }],
  };
}

/** How long nobody is answered. */
async function badVersion(programs: Programs, { few }: Rounds): Promise<Comparison> {
  const serve = programs.compile('serve', '-static');
  using container = startServing(serve, port);
  await answers();
  const { ours, docker } = await interleave(few, {
    ours: async () =>
      (await under(() => restartNamed(`docker/${container.name}`, '--', '/serve', String(port), 'bad'))).slowestMs,
    docker: async () => {
      const { slowestMs } = await under(async () => timed('docker', 'restart', '-t', '1', container.name));
      return slowestMs;
    },
  });
  return {
    what: 'a bad version that comes back by itself: slowest request',
    ours,
    other: { name: 'docker restart of the good one', summary: docker },
    limits: [],
  };
}

/** Checked, copied, digested, on disk, and the program restarted. */
async function upload(programs: Programs, { few }: Rounds): Promise<Comparison> {
  const large = join(programs.directory, 'large');
  const running = join(programs.directory, 'running');
  copyFileSync(programs.compile('calls'), large);
  pad(large, uploadMib);
  copyFileSync(large, running);
  using target = new Talking(running);
  await target.next();
  const { ours, cp } = await interleave(few, {
    ours: () => timed(hotexec, 'replace', `pid/${target.pid}`, '--with', large, '--probation', '0', '-q'),
    cp: () => timed('sh', '-c', `cp ${large} ${running}.copy && sync ${running}.copy && rm ${running}.copy`),
  });
  rmSync(large);
  return {
    what: `replace with a file of ${uploadMib} MiB`,
    ours,
    other: { name: 'cp and sync', summary: cp },
    // 100 MB a second.
    limits: [{ kind: 'at-most', value: (uploadMib * 1024 * 1024) / 100_000 }],
  };
}

/** Bytes behind an ELF file are no part of it. */
function pad(path: string, mebibytes: number): void {
  const fd = openSync(path, 'a');
  const chunk = Buffer.alloc(1024 * 1024, 'hotexec');
  for (let written = 0; written < mebibytes; written++) writeSync(fd, chunk);
  fsyncSync(fd);
  closeSync(fd);
}

async function restart(pid: number, ...flags: readonly string[]): Promise<RestartResult> {
  return await restartNamed(`pid/${pid}`, ...flags);
}

async function restartNamed(target: string, ...flags: readonly string[]): Promise<RestartResult> {
  const { promise, resolve } = Promise.withResolvers<RestartResult>();
  execFile(hotexec, ['restart', target, '-o', 'json', ...flags], (_, stdout) =>
    resolve(JSON.parse(stdout) as RestartResult),
  );
  return await promise;
}

/** What one client after the other sees while something is done; a process of its own, for this one stands still while it starts others. */
async function under<Result>(
  act: () => Promise<Result>,
): Promise<{ readonly slowestMs: number; readonly result: Result }> {
  using client = new Talking(process.execPath, join(import.meta.dirname, 'client.ts'), host, String(port));
  await client.next();
  const result = await act();
  return { slowestMs: Number(await client.ask('enough')), result };
}

async function answers(): Promise<void> {
  await slowestAnswer({ host, port }, () => true);
}

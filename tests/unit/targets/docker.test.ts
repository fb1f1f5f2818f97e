import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TargetProcess } from '../../../src/protocol/request.ts';
import { resolve } from '../../../src/targets/resolve.ts';
import { ociConfig } from '../../support/bundle.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { containerId } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

describe('docker/NAME', () => {
  it('is the first process of the container, with the spec of its bundle and the stop signal of the API', async () => {
    const { resolveWeb } = await docker({ withBundle: true });
    expect(await resolveWeb()).toEqual({
      name: 'docker/web',
      pid: 4711,
      startTicks: 429_055,
      container: { id: containerId, name: 'web', runtime: 'docker' },
      spec: expect.objectContaining({
        source: 'bundle',
        args: ociConfig.process.args,
        env: ociConfig.process.env,
        stopSignal: 'SIGQUIT',
        stopTimeoutSeconds: 30,
      }) as unknown,
    });
  });

  it('has the spec of the API where the bundle cannot be read', async () => {
    const { resolveWeb } = await docker({});
    expect((await resolveWeb()).spec).toEqual({
      source: 'api',
      args: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
      env: ['HOSTNAME=3f9a0c1d2e4b', 'PATH=/usr/sbin:/usr/bin', 'NGINX_VERSION=1.29'],
      cwd: '/',
      user: null,
      terminal: false,
      noNewPrivileges: null,
      oomScoreAdj: 0,
      capabilities: null,
      rlimits: null,
      seccomp: null,
      personality: null,
      stopSignal: 'SIGQUIT',
      stopTimeoutSeconds: 30,
    });
  });

  it('asks for the container by its encoded name, once', async () => {
    const { resolveWeb, requests } = await docker({});
    await resolveWeb();
    expect(requests).toEqual(['GET /containers/web/json']);
  });

  it('suggests the name that is near when there is no such container', async () => {
    const { resolveNamed } = await docker({});
    await expect(resolveNamed('wbe')).rejects.toMatchObject({
      code: 'target-not-found',
      message: 'docker/wbe: there is no such container. Nothing was touched.',
      hint: 'Did you mean docker/web?',
    });
  });

  it.each([
    [
      { Running: false, Status: 'exited', ExitCode: 137, Pid: 0 },
      'target-not-found',
      'docker/web does not run (exited, exit code 137). Nothing was touched.',
    ],
    [
      { Paused: true, Status: 'paused' },
      'target-frozen',
      'docker/web is paused: its processes cannot run. Nothing was touched.',
    ],
    [
      { Restarting: true, Status: 'restarting', ExitCode: 1, Pid: 0 },
      'target-not-found',
      'docker/web is being restarted by Docker: its program ended with exit code 1. Nothing was touched.',
    ],
  ])('refuses %j', async (state, code, message) => {
    const { resolveWeb } = await docker({ state });
    await expect(resolveWeb()).rejects.toMatchObject({ code, message });
  });

  it('refuses a container whose process is not on this machine', async () => {
    const { resolveWeb, socket } = await docker({ state: { Pid: 4712 } });
    await expect(resolveWeb()).rejects.toMatchObject({
      code: 'runtime-unreachable',
      message: `docker/web does not run on this machine: pid 4712, which Docker on unix://${socket} names, is no process of container 3f9a0c1d2e4b here. Nothing was touched.`,
    });
  });

  it('refuses a pid that belongs to another container', async () => {
    const { resolveWeb } = await docker({ cgroup: `0::/system.slice/docker-${'ab'.repeat(32)}.scope` });
    await expect(resolveWeb()).rejects.toMatchObject({ code: 'runtime-unreachable' });
  });

  it('passes on what the daemon says when it fails', async () => {
    const { resolveWeb } = await docker({ status: 500, body: { message: 'the storage driver is on fire' } });
    await expect(resolveWeb()).rejects.toMatchObject({
      code: 'runtime-unreachable',
      message: expect.stringContaining('500 the storage driver is on fire') as string,
    });
  });

  it('does not take for Docker what speaks HTTP but is not', async () => {
    const { resolveWeb } = await docker({ status: 200, body: { hello: 'world' } });
    await expect(resolveWeb()).rejects.toMatchObject({ code: 'runtime-unreachable' });
  });

  it('stops asking when it is cancelled', async () => {
    const { socket } = await docker({ silent: true });
    const signal = AbortSignal.timeout(50);
    const asking = resolve(
      { kind: 'docker', name: 'web' },
      {
        env: { DOCKER_HOST: `unix://${socket}` },
        proc: '/proc',
        signal,
      },
    );
    await expect(asking).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a daemon that does not answer', () => {
  it('has no socket', async () => {
    await expect(ask('/nonexistent/docker.sock')).rejects.toMatchObject({
      code: 'runtime-unreachable',
      message: 'Docker does not run here: there is no unix:///nonexistent/docker.sock. Nothing was touched.',
    });
  });

  it('has left its socket behind', async () => {
    const socket = join(tempDirectory(), 'docker.sock');
    const server = createServer();
    await new Promise<void>((done) => void server.listen(socket, done));
    const { promise: closed, resolve: done } = Promise.withResolvers<void>();
    server.close(() => done());
    await closed;
    writeFileSync(socket, '');
    await expect(ask(socket)).rejects.toMatchObject({
      code: 'runtime-unreachable',
      message: `Docker does not run: nobody listens on unix://${socket}. Nothing was touched.`,
    });
  });

  it('may not be talked to by this user', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may talk to any socket');
    const { socket } = await docker({});
    chmodSync(socket, 0);
    await expect(ask(socket)).rejects.toMatchObject({ code: 'not-permitted' });
  });
});

async function ask(socket: string): Promise<TargetProcess> {
  return resolve({ kind: 'docker', name: 'web' }, { env: { DOCKER_HOST: `unix://${socket}` }, proc: '/proc' });
}

interface Setting {
  readonly state?: object;
  readonly cgroup?: string;
  readonly withBundle?: boolean;
  readonly status?: number;
  readonly body?: object;
  readonly silent?: boolean;
}

interface FakeDocker {
  readonly socket: string;
  readonly requests: readonly string[];
  readonly resolveNamed: (name: string) => Promise<TargetProcess>;
  readonly resolveWeb: () => Promise<TargetProcess>;
}

/** A server on a Unix socket that answers as dockerd 28 does, and the container's processes in a /proc. */
async function docker(setting: Setting): Promise<FakeDocker> {
  const root = tempDirectory();
  const socket = join(root, 'docker.sock');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (setting.silent === true) return;
    const [status, body] = answerTo(request.url ?? '', setting);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Api-Version': '1.51' });
    response.end(`${JSON.stringify(body)}\n`);
  });
  await new Promise<void>((done) => void server.listen(socket, done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });

  const bundle = join(root, 'moby', containerId);
  if (setting.withBundle === true) {
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(ociConfig), { mode: 0o600 });
    writeFileSync(join(bundle, 'init.pid'), '4711');
  }
  const { cgroup = `0::/system.slice/docker-${containerId}.scope` } = setting;
  const proc = writeProc(join(root, 'proc'), [
    { pid: 4500, comm: 'containerd-shim', ppid: 1, cwd: bundle },
    { pid: 4711, comm: 'nginx', ppid: 4500, startTicks: 429_055, cgroup, nsPid: [4711, 1] },
  ]);
  const context = { env: { DOCKER_HOST: `unix://${socket}` }, proc };
  const resolveNamed = async (name: string): Promise<TargetProcess> => resolve({ kind: 'docker', name }, context);
  return { socket, requests, resolveNamed, resolveWeb: async () => resolveNamed('web') };
}

function answerTo(url: string, { status, body, state }: Setting): readonly [status: number, body: object] {
  if (status !== undefined) return [status, body ?? {}];
  if (url === '/containers/web/json') return [200, containerJson(state ?? {})];
  if (url === '/containers/json')
    return [
      200,
      [
        { Id: containerId, Names: ['/web'] },
        { Id: 'ab'.repeat(32), Names: ['/database'] },
      ],
    ];
  return [404, { message: `No such container: ${url.split('/')[2]}` }];
}

function containerJson(state: object): object {
  return {
    Id: containerId,
    Created: '2026-11-23T22:01:10.102938475Z',
    Path: '/docker-entrypoint.sh',
    Args: ['nginx', '-g', 'daemon off;'],
    State: {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 4711,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-11-23T22:01:10.402938475Z',
      ...state,
    },
    Name: '/web',
    RestartCount: 0,
    Driver: 'overlay2',
    HostConfig: { NetworkMode: 'bridge', OomScoreAdj: 0, Init: null },
    Config: {
      Hostname: '3f9a0c1d2e4b',
      User: 'nginx',
      Tty: false,
      Env: ['PATH=/usr/sbin:/usr/bin', 'NGINX_VERSION=1.29'],
      Cmd: ['nginx', '-g', 'daemon off;'],
      WorkingDir: '',
      Entrypoint: ['/docker-entrypoint.sh'],
      StopSignal: 'SIGQUIT',
      StopTimeout: 30,
    },
  };
}

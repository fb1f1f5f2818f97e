// Programs that write over their arguments and environment: what they were started with is asked for, never guessed.
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { restart, type Answer, type Asked } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import * as files from '../support/kernel/files.ts';
import { expectFree, expectRestarted, expectUnchanged, startTicks } from '../support/kernel/in-place.ts';
import { launch, start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const unknown = { code: 'program-unknown', exitCode: 5 } as const;

describe('a program that has overwritten its arguments', () => {
  needs({ command: 'gcc' });

  test('is refused, and restarted by a command', async () => {
    const program = compile('title');
    const target = await start(program, ['arguments'], { env: { VARIABLE: 'value' } });
    await target.ask('overwritten?');
    expectAskForCommand(await expectUnchanged(target, unknown));
    expectAskForCommand(await expectUnchanged(target, unknown, { from: 'process' }));
    await expectRestarted(target, { command: [program, 'arguments'] });
    expect(target.lines.at(-2)).toBe('started value');
  });

  test('and its environment is refused, and restarted by a command and an environment', async () => {
    const program = compile('title');
    const target = await start(program, ['environment'], { env: { VARIABLE: 'value' } });
    await target.ask('overwritten?');
    expectAskForCommand(await expectUnchanged(target, unknown));
    const answer = await expectUnchanged(target, unknown, { command: [program, 'environment'] });
    expect(answer.error?.hint).toContain('--env-file');
    await expectRestarted(target, { command: [program, 'environment'], environment: ['VARIABLE=other'] });
    expect(target.lines.at(-2)).toBe('started other');
  });
});

describe('a real program that has overwritten its arguments', () => {
  needs({ command: 'nginx' }, { command: 'redis-server' });

  test('nginx', async () => {
    const port = await freePort();
    const directory = files.temporaryDirectory();
    const configuration = join(directory, 'nginx.conf');
    writeFileSync(configuration, nginxConfiguration(directory, port));
    const command = ['nginx', '-e', 'stderr', '-c', configuration, '-g', 'daemon off;'];
    const ask = async (): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${port}/`, { keepalive: false })).text();
    await expectRestartedByCommand(command, ask);
  });

  test('redis-server', async () => {
    const port = await freePort();
    const command = [
      'redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      files.temporaryDirectory(),
    ];
    const ask = async (): Promise<string> => await runId(port);
    await expectRestartedByCommand(command, ask);
  });
});

/** `ask` has another answer after each start. */
async function expectRestartedByCommand(
  [file = '', ...args]: readonly string[],
  ask: () => Promise<string>,
): Promise<void> {
  const target = launch(file, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  onTestFinished(() => endWithChildren(target));
  const first = await until('it answers', ask);
  const before = startTicks(target.pid);
  const refused = await restart(target.pid);
  expect(refused).toMatchObject({ outcome: null, exitCode: 5, error: { code: 'program-unknown' } });
  expectAskForCommand(refused);
  expect(await ask()).toBe(first);
  const asked: Asked = { command: [file, ...args], environment: [`PATH=${process.env['PATH']}`] };
  for (let time = 0, known = first; time < 2; time++) {
    expect(await restart(target.pid, asked)).toMatchObject({ outcome: 'restarted', exitCode: 0 });
    known = await until('the new one answers', async () => {
      const answer = await ask();
      return answer !== known && answer;
    });
  }
  expect(startTicks(target.pid)).toBe(before);
  expectFree(target.pid);
}

/** Asked to end, nginx ends its workers too. */
async function endWithChildren({ child }: Target): Promise<void> {
  child.kill('SIGTERM');
  await until('it has ended', () => child.exitCode !== null || child.signalCode !== null);
}

function expectAskForCommand({ error }: Answer): void {
  expect(error?.hint).toContain('-- COMMAND');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await until('it listens', () => server.listening);
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

function nginxConfiguration(directory: string, port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `user root; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr;
events { worker_connections 16; }
http { access_log off; ${paths.join(' ')}
  server { listen 127.0.0.1:${port}; location / { return 200 "worker $pid"; } } }
`;
}

async function runId(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.setEncoding('utf8').write('INFO server\r\n');
    let text = '';
    for await (const part of socket) {
      text += String(part);
      const id = /run_id:(\w+)/.exec(text)?.[1];
      if (id !== undefined) return id;
    }
    throw new Error(`redis said: ${text}`);
  } finally {
    socket.destroy();
  }
}

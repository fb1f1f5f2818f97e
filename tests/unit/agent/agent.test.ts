import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { agentSocket } from '../../../src/agent/places.ts';
import { relay } from '../../../src/agent/relay.ts';
import { agentProtocol } from '../../../src/protocol/agent.ts';
import type { DueHook, HookEnd } from '../../../src/protocol/hook.ts';
import { encodeMessage } from '../../../src/protocol/frames.ts';
import { frontOf, startLocalAgent } from '../../support/local-agent.ts';
import { history, inspection, restartResult } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { asking, errorOf, hello, listening, talk, withHooks } from './asking.ts';

describe('an agent and its client', () => {
  it('carry every question to an engine, and its events and answer back', async () => {
    const agent = await startLocalAgent({ engines: ['works', 'works', 'works'] });
    const { front } = frontOf(agent);
    const heard = listening();
    expect(await front.restart(asking(), heard)).toEqual(restartResult);
    expect(heard.events).toEqual([{ kind: 'phase', phase: 'observe', atMs: 1.5 }]);
    const operationId = randomUUID();
    expect(await front.inspect({ operationId, showEnvironment: true }, listening())).toEqual(inspection);
    expect(await front.history({ operationId: randomUUID() }, listening())).toEqual(history);
  });

  it('do an operation once, however many ask for it', async () => {
    const record = join(tempDirectory(), 'requests');
    const agent = await startLocalAgent({ engines: ['works', 'works'], record });
    const asked = asking();
    const all = await Promise.all([1, 2].map(async () => frontOf(agent).front.restart(asked, listening())));
    expect(all).toEqual([restartResult, restartResult]);
    expect(readFileSync(record, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('refuse as the engine refuses', async () => {
    const agent = await startLocalAgent({ engines: ['refuses'] });
    expect(await errorOf(frontOf(agent).front.restart(asking(), listening()))).toMatchObject({
      code: 'target-frozen',
      message: 'It is frozen.',
      hint: 'Thaw it.',
    });
  });

  it('pass a cancel on', async () => {
    const agent = await startLocalAgent({ engines: ['waits for a cancel'] });
    const abort = new AbortController();
    const heard = listening(() => abort.abort(), abort.signal);
    expect(await frontOf(agent).front.restart(asking(), heard)).toMatchObject({ error: { code: 'cancelled' } });
  });

  it('go on over a cut connection, also with a cancel', async () => {
    const agent = await startLocalAgent({ engines: ['waits for a cancel', 'works'] });
    const abort = new AbortController();
    const { front, ways, cut } = frontOf(agent);
    const heard = listening(() => {
      cut();
      abort.abort();
    }, abort.signal);
    expect(await front.restart(asking(), heard)).toMatchObject({ error: { code: 'cancelled' } });
    expect(heard.events).toHaveLength(1);
    expect(ways()).toBe(2);
  });

  it('do not claim to know what came of it when the agent that was asked is no more', async () => {
    const agent = await startLocalAgent({ engines: ['waits for a cancel'] });
    const { front, cut } = frontOf(agent);
    const asked = asking();
    let next: Promise<unknown> | undefined;
    const heard = listening(() => {
      next ??= startLocalAgent({ engines: ['works'], directory: agent.directory }).then(cut);
    });
    const error = await errorOf(front.restart(asked, heard));
    await next;
    expect(error).toMatchObject({ code: 'outcome-unknown', exitCode: 6, details: { operationId: asked.operationId } });
    expect(error.message).toContain(asked.operationId);
  });

  it('run a hook that is a command once, on the side of the client, and tell its end over another connection where the first is cut', async () => {
    const agent = await startLocalAgent({ engines: ['has a hook run', 'works'] });
    const { front, ways, cut } = frontOf(agent);
    const end: HookEnd = { end: 'failed', exitCode: 3, why: 'exited with 3' };
    const due: DueHook[] = [];
    const runHook = async (hook: DueHook): Promise<HookEnd> => {
      due.push(hook);
      cut();
      await until('the client connects again', () => ways() === 2);
      return end;
    };
    const { hooks } = await front.restart(withHooks('exec'), { ...listening(), runHook });
    expect(due).toMatchObject([{ hook: 'preStop', program: 'old', action: 'exec' }]);
    expect(hooks).toMatchObject([end]);
  });

  it.each([
    ['sleep', { kind: 'sleep', ms: 1 } as const, { end: 'succeeded' }],
    [
      'httpGet',
      { kind: 'httpGet', scheme: 'http', host: '127.0.0.1', port: 1, path: '/', headers: [] } as const,
      { end: 'failed', why: 'failed: connect ECONNREFUSED 127.0.0.1:1' },
    ],
  ])('have the agent run what is no command: %s', async (_, preStop, end) => {
    const agent = await startLocalAgent({ engines: ['has a hook run'] });
    const asked = withHooks('exec');
    const options = { ...asked.options, hooks: { preStop, postStart: null } };
    const { hooks } = await frontOf(agent).front.restart({ ...asked, options }, listening());
    expect(hooks).toMatchObject([end]);
  });

  it('say that nothing was touched where there is no agent', async () => {
    const error = await errorOf(
      frontOf({ directory: tempDirectory() }, { reconnectMs: 300 }).front.restart(asking(), listening()),
    );
    expect(error).toMatchObject({ code: 'agent-unreachable', exitCode: 5 });
    expect(error.message).toMatch(/Nothing was touched\.$/);
  });

  it('wait for an agent that is about to come', async () => {
    const directory = join(tempDirectory(), 'agent');
    const result = frontOf({ directory }).front.restart(asking(), listening());
    await startLocalAgent({ engines: ['works'], directory });
    expect(await result).toEqual(restartResult);
  });
});

describe('an agent', () => {
  it('refuses who talks nonsense, and goes on with others', async () => {
    const agent = await startLocalAgent({ engines: ['works', 'works', 'works'] });
    const socket = connect(agent.socket);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    expect(await text(socket)).toContain('agent-skewed');
    expect(await talk(agent, { kind: 'ping' })).toMatchObject([{ kind: 'hello' }, { kind: 'refused' }]);
    expect(await talk(agent, { ...hello, protocol: agentProtocol + 1 })).toMatchObject([
      { kind: 'hello' },
      { kind: 'refused' },
    ]);
    expect(await talk(agent, hello, { kind: 'ping' })).toMatchObject([
      { kind: 'hello', version: '1.2.3' },
      { kind: 'pong' },
    ]);
    expect(await frontOf(agent).front.restart(asking(), listening())).toEqual(restartResult);
  });

  it('says hello unasked, so that whoever opened a way knows that it is there', async () => {
    const agent = await startLocalAgent({ engines: [] });
    const socket = connect(agent.socket);
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(first.toString('latin1')).toContain('"kind":"hello"');
  });

  it('does not know what it was never asked', async () => {
    const agent = await startLocalAgent({ engines: ['works'] });
    const answers = await talk(agent, hello, { kind: 'attach', operationId: 'x-1', after: 0 });
    expect(answers.at(-1)).toEqual({ kind: 'unknown-operation', operationId: 'x-1' });
  });

  it('told to end finishes what it has begun, and tells it', async () => {
    const agent = await startLocalAgent({ engines: ['works'] });
    const heard = listening(() => agent.stop());
    expect(await frontOf(agent).front.restart(asking(), heard)).toEqual(restartResult);
    await agent.ended;
    expect(existsSync(agent.socket)).toBe(false);
  });
});

describe('the relay', () => {
  it('carries both ways, and what is asked last is still answered', async () => {
    const agent = await startLocalAgent({ engines: ['works'] });
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    for (const message of [hello, { kind: 'ping' }]) for (const part of encodeMessage(message)) stdin.write(part);
    stdin.end();
    expect(await relay(agent.socket, { stdin, stdout, stderr })).toBe(0);
    stdout.end();
    expect(await text(stdout)).toMatch(/"kind":"hello".*"kind":"pong"/s);
  });

  it('waits for an agent that is only being started', async () => {
    const directory = join(tempDirectory(), 'agent');
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const carried = relay(agentSocket(directory), { stdin, stdout, stderr });
    await startLocalAgent({ engines: ['works'], directory });
    for (const part of encodeMessage(hello)) stdin.write(part);
    stdin.end();
    expect(await carried).toBe(0);
    stdout.end();
    expect(await text(stdout)).toContain('"kind":"hello"');
  });

  it('says so where there is no agent', async () => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    expect(await relay('/nowhere/agent.sock', { stdin, stdout, stderr }, 50)).toBe(5);
    stderr.end();
    expect(await text(stderr)).toMatch(/^hotexec: there is no agent at \/nowhere\/agent\.sock: .*ENOENT/);
  });
});

// A connection, a client or an agent that goes away in the middle: what was asked is done once, or not at all, and what came of it is told.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HotexecError } from '../../src/errors.ts';
import { sameProgram } from '../../src/protocol/request.ts';
import { startPod } from '../support/docker/agent.ts';
import { asking, failureOf, listening } from '../support/docker/agent-asking.ts';
import { docker } from '../support/docker/docker.ts';
import { executionOf, statusOf } from '../support/docker/proc.ts';
import { answers } from '../support/docker/program.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { httpGet } from '../support/docker/talk.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

describe('the agent of a container', () => {
  needs('root', 'docker', ...newcomer.needs);

  test('carries on when the connection is cut in the middle of a restart, and tells what came of it', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const execution = await executionOf(pod.container.pid);
    const heard = listening(({ kind }) => {
      if (kind === 'planned') agent.cut();
    });
    const result = await front.restart(asking(), heard);
    expect(result).toMatchObject({ outcome: 'restarted' });
    expect(agent.opened).toBe(2);
    expect(await executionOf(pod.container.pid)).not.toBe(execution);
    const phases = heard.events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
    // None is missing, none comes twice.
    expect(phases).toEqual([
      'observe',
      'plan',
      'hold',
      'prove',
      'drain',
      'prove',
      'swap',
      'reset',
      'release',
      'probation',
      'verify',
    ]);
  });

  test('is told to cancel, and cancels', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    using front = agent.front(pod.target);
    const execution = await executionOf(pod.container.pid);
    const abort = new AbortController();
    const heard = { ...listening((event) => event.kind === 'planned' && abort.abort()), signal: abort.signal };
    const told = await front.restart(asking(), heard).then(
      ({ outcome, error }) => error?.code ?? outcome,
      (error: unknown) => (error instanceof HotexecError ? error.code : error),
    );
    // It may have come too late; then it was restarted, else nothing was.
    const isSame = (await executionOf(pod.container.pid)) === execution;
    expect(told).toBe(isSame ? 'cancelled' : 'restarted');
  });

  test('ends when it has not been used for its time, and the target runs on', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent({ args: ['--ttl', '2s'] });
    await agent.front(pod.target).restart(asking(), listening());
    await until('the agent has ended', async () => (await agent.container.record()).status === 'exited');
    expect((await docker('inspect', '--format', '{{.State.ExitCode}}', agent.container.id)).trim()).toBe('0');
    expect(await agent.container.logs()).toContain('nobody has used it for 2s');
    expect((await pod.container.record()).status).toBe('running');
    const { code } = await failureOf(
      agent
        .front(pod.target, { reconnectMs: 500 })
        .inspect({ operationId: randomUUID(), showEnvironment: false }, listening()),
    );
    expect(code).toBe('agent-unreachable');
  });

  test('killed, with its engine, while the new program is watched: it runs on, and nobody traces it', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const { container } = pod;
    const agent = await pod.startAgent();
    using front = agent.front(pod.target, { reconnectMs: 1000 });
    const run = await answers(newcomer, container);
    const restarting = failureOf(front.restart(asking(sameProgram, { probationMs: 60_000 }), listening()));
    await until('the new program serves', async () => (await newcomer.ask(container)) !== run);
    process.kill(agent.container.pid, 'SIGKILL');
    const { code, exitCode, details, message } = await restarting;
    expect({ code, exitCode, message }).toMatchObject({ code: 'outcome-unknown', exitCode: 6 });
    expect(details['operationId']).toMatch(/^[\da-f-]{36}$/);
    await until('nobody traces it', async () => {
      const status = await statusOf(container.pid);
      return status.get('TracerPid') === '0' && !/^[tT]/.test(status.get('State') ?? '');
    });
    expect(await httpGet(pod.container.address, 8080)).toMatch(/^version 1 /);
    // Its successor puts in order what it left, and goes on.
    const next = await pod.startAgent();
    expect(await next.front(pod.target).restart(asking(), listening())).toMatchObject({ outcome: 'restarted' });
  });

  test('told to end finishes what it does', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const heard = listening((event) => {
      if (event.kind === 'planned') process.kill(agent.container.pid, 'SIGTERM');
    });
    expect(await agent.front(pod.target).restart(asking(), heard)).toMatchObject({ outcome: 'restarted' });
    await until('the agent has ended', async () => (await agent.container.record()).status === 'exited');
  });
});

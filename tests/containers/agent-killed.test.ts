// The agent and its engines are killed at one instant, as the runtime or a lack of memory does it: the next agent finds what they left, and puts it in order first.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RestartAsked } from '../../src/front/front.ts';
import { sameProgram } from '../../src/protocol/request.ts';
import { startPod, type Agent, type Pod } from '../support/docker/agent.ts';
import { asking, failureOf, listening, replacing } from '../support/docker/agent-asking.ts';
import { answers, type Program } from '../support/docker/program.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { childrenOf, commandOf, executionOf, statusOf } from '../support/docker/proc.ts';
import { textFile } from '../support/docker/rootfs.ts';
import { httpGet } from '../support/docker/talk.ts';
import { killTogether, watchForHold } from '../support/kill/together.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

const needed = [...newcomer.needs, ...busybox.needs];

/** Told to finish, it takes its time. */
const slow: Program = {
  ...busybox,
  name: 'slow to finish',
  recipe: async () => {
    const recipe = await busybox.recipe();
    const script = `#!/busybox sh
trap '/busybox sleep 6; exit 0' TERM
/busybox httpd -f -p 8080 -h /www &
wait $!
`;
    return {
      name: 'slow-to-finish',
      files: [...recipe.files, textFile('/slow.sh', script, 0o755)],
      entrypoint: ['/slow.sh'],
    };
  },
};

describe('an agent that is killed together with its engines', () => {
  needs('root', 'docker', ...needed);

  test(
    'at any time of a restart: the next one finds a program that runs and answers',
    { timeout: 600_000 },
    async () => {
      await using pod = await startPod(newcomer, { directory: tempDirectory() });
      const rounds = often(20, 4);
      for (let round = 0; round < rounds; round++) {
        const agent = await pod.startAgent();
        const restarting = agent.front(pod.target, { reconnectMs: 500 }).restart(atOnce(), listening());
        const settled = restarting.catch(() => null);
        // A restart takes a few hundred milliseconds from here on.
        await passed((400 * round) / rounds);
        killAtOnce(agent);
        await settled;
        await isInOrder(pod, `killed after ${(400 * round) / rounds} ms`);
        expect(await answers(newcomer, pod.container)).toMatch(/^version 1 /);
      }
    },
  );

  test('in the middle of a hold: the program stands stopped until the next one comes, even if that is only asked what runs', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const { pid } = pod.container;
    const watch = await watchForHold(pid);
    const restarting = failureOf(agent.front(pod.target, { reconnectMs: 500 }).restart(atOnce(), listening()));
    await watch.held;
    killAtOnce(agent);
    expect(await restarting).toMatchObject({ code: 'outcome-unknown', exitCode: 6 });
    await until('nobody traces it', async () => (await statusOf(pid)).get('TracerPid') === '0');
    expect((await statusOf(pid)).get('State')).toBe('T (stopped)');
    const told = await isInOrder(pod, 'killed in a hold');
    expect(told.join()).toMatch(
      /an agent was killed here in the middle of a restart|an earlier hotexec had been killed/,
    );
    await answers(newcomer, pod.container);
  });

  test('while the program finishes: the next one waits for its end, and starts the new one', async () => {
    await using pod = await startPod(slow, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const execution = await executionOf(pod.container.pid);
    const restarting = failureOf(agent.front(pod.target, { reconnectMs: 500 }).restart(asking(), listening()));
    // Any other child may be one of hotexec's, from before the signal.
    await until('it finishes', async () => {
      const commands = (await childrenOf(pod.container.pid)).map(commandOf);
      return (await Promise.all(commands)).some((words) => words.includes('sleep'));
    });
    killAtOnce(agent);
    expect(await restarting).toMatchObject({ code: 'outcome-unknown', exitCode: 6 });
    expect(await executionOf(pod.container.pid)).toBe(execution);
    const told = await isInOrder(pod, 'killed in the drain');
    expect(told.join()).toContain('the old program has finished, and the new one was started');
    expect(await executionOf(pod.container.pid)).not.toBe(execution);
    await answers(slow, pod.container);
  });

  test('leaves the record of programs to the next one, which goes back by it', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const first = await pod.startAgent();
    const replaced = await first.front(pod.target).restart(asking(replacing(buildOf(2))), listening());
    expect(replaced).toMatchObject({ outcome: 'restarted', warnings: [] });
    expect(await httpGet(pod.container.address, 8080)).toMatch(/^version 2 /);
    killAtOnce(first);
    const next = await pod.startAgent();
    const back = await next.front(pod.target).restart(asking({ ...sameProgram, version: 'previous' }), listening());
    expect(back).toMatchObject({ outcome: 'restarted' });
    expect(await httpGet(pod.container.address, 8080)).toMatch(/^version 1 /);
  });

  test('is told from a connection that was lost, and what to do is said', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const agent = await pod.startAgent();
    const error = await failureOf(
      agent.front(pod.target, { reconnectMs: 500 }).restart(
        asking(sameProgram, { probationMs: 60_000 }),
        listening((event) => event.kind === 'phase' && event.phase === 'probation' && killAtOnce(agent)),
      ),
    );
    expect(error).toMatchObject({ code: 'outcome-unknown', exitCode: 6 });
    await isInOrder(pod, 'killed in the probation');
    await answers(newcomer, pod.container);
  });

  test('where the pod shares no memory: that is said with each restart', async () => {
    await using pod = await startPod(newcomer, { directory: tempDirectory() });
    const alone = await pod.startAgent({ ipc: 'private' });
    const result = await alone.front(pod.target).restart(asking(), listening());
    expect(result).toMatchObject({ outcome: 'restarted' });
    expect(result.warnings.join()).toMatch(
      /if the agent is killed in the middle of this, nobody can put it in order: .*\/dev\/shm/,
    );
  });
});

/** Told to finish, a program ends, and nobody is left to catch that (docs/limits.md). */
function atOnce(): RestartAsked {
  return asking(sameProgram, { drain: false });
}

async function passed(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await until('the moment has come', () => performance.now() >= end, { pauseMs: 1 });
}

function killAtOnce(agent: Agent): void {
  killTogether(agent.container.pid);
  // Of a container that was killed docker exec may say nothing for a while.
  agent.cut();
}

/** Asks a successor what runs. Returns what it said of what it found. */
async function isInOrder(pod: Pod, when: string): Promise<readonly string[]> {
  const next = await pod.startAgent();
  const heard = listening();
  const seen = await next.front(pod.target).inspect({ operationId: randomUUID(), showEnvironment: false }, heard);
  expect(seen.verdict, when).toMatchObject({ refusals: [] });
  const status = await statusOf(pod.container.pid);
  expect({ when, tracer: status.get('TracerPid'), isStopped: /^[tT]/.test(status.get('State') ?? '') }).toEqual({
    when,
    tracer: '0',
    isStopped: false,
  });
  killAtOnce(next);
  return heard.events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
}

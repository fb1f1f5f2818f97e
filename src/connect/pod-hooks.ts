// The lifecycle hooks of a container that are commands: run in it by an exec, as its user could. What the agent can do itself it does there.
import type { HookEnd, RunHook } from '../protocol/hook.ts';
import type { AgentTarget } from '../protocol/agent.ts';
import type { ClusterApi } from '../targets/kubernetes/api.ts';
import type { Container } from '../targets/kubernetes/pod.ts';
import { hookCommand } from '../targets/kubernetes/probes/hooks.ts';
import { runCommand, type CommandEnd } from '../targets/kubernetes/run-command.ts';

interface HookPlace {
  readonly target: AgentTarget;
  readonly container: Container;
  readonly api: ClusterApi;
}

export function commandHooks({ target, container, api }: HookPlace): RunHook {
  const { namespace, name: pod } = target.pod;
  return async ({ hook }, signal) => {
    const command = hookCommand(container, hook);
    if (command === null || command.length === 0) return { end: 'failed', exitCode: null, why: 'has no command' };
    const place = { namespace, pod, container: container.name, command };
    return hookEnd(await runCommand(api.cluster, place, signal));
  };
}

/** Pure. What a command writes is not told: it may hold what is not to be shown. */
export function hookEnd(end: CommandEnd): HookEnd {
  switch (end.kind) {
    case 'exited':
      return end.exitCode === 0
        ? { end: 'succeeded', exitCode: 0, why: null }
        : { end: 'failed', exitCode: end.exitCode, why: `exited with ${end.exitCode}` };
    case 'not-run':
      return { end: 'failed', exitCode: null, why: `could not be run: ${end.why}` };
    case 'cut':
      return { end: 'unknown', exitCode: null, why: `may still run: the connection to it was lost (${end.why})` };
  }
}

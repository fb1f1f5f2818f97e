// What a pod says of the program in a container. The rest stands in its image, which the API does not show: that is null.
import type { ProgramSpec } from '../../protocol/request.ts';
import { statusOf, type Container, type Pod } from './pod.ts';

export function programSpec(pod: Pod, container: Container): ProgramSpec {
  const own = container.securityContext;
  const seccomp = own?.seccompProfile ?? pod.spec.securityContext?.seccompProfile ?? null;
  const user = statusOf(container.name, pod)?.user?.linux ?? null;
  return {
    source: 'api',
    args: commandOf(container),
    // The image has variables too, and the kubelet adds those of services.
    env: null,
    cwd: container.workingDir,
    user: user && { uid: user.uid, gid: user.gid, additionalGids: user.supplementalGroups, umask: null },
    terminal: container.tty,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    oomScoreAdj: null,
    capabilities: null,
    rlimits: null,
    seccomp: own?.privileged === true ? false : seccomp && seccomp.type !== 'Unconfined',
    personality: null,
    stopSignal: container.lifecycle?.stopSignal ?? null,
    stopTimeoutSeconds: pod.spec.terminationGracePeriodSeconds,
  };
}

/** Null: the image has the command, or one of its words is made of a variable whose value is not known here. */
function commandOf({ command, args, env }: Container): readonly string[] | null {
  if (command.length === 0) return null;
  const known = literals(env);
  const words = [...command, ...args].map((word) => expand(word, known));
  return words.every((word) => word !== null) ? words : null;
}

/** Later variables may be made of earlier ones. */
function literals(env: Container['env']): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const { name, value, valueFrom } of env) {
    const expanded = valueFrom === null ? expand(value ?? '', known) : null;
    if (expanded === null) known.delete(name);
    else known.set(name, expanded);
  }
  return known;
}

/**
 * `$(NAME)` as the kubelet replaces it; `$$` is one `$`. Null: a name that is not known here. The kubelet would leave what does not exist as it
 * stands, but what exists is not known: services have variables, too.
 */
function expand(word: string, known: ReadonlyMap<string, string>): string | null {
  let isKnown = true;
  const expanded = word.replaceAll(/\$(?:\$|\(([^()]*)\))/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = known.get(name);
    isKnown &&= value !== undefined;
    return value ?? whole;
  });
  return isKnown ? expanded : null;
}

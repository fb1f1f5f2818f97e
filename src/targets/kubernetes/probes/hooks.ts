// The lifecycle hooks of a container as they will be run, and which of them cannot be. Pure. As the kubelet runs them: pkg/kubelet/lifecycle.
import type { HookAction, HookName, Hooks } from '../../../protocol/hook.ts';
import { canBeSent, portNumber, requestPath } from './http.ts';
import type { HookSpec, HttpGet, ProbedContainer, ProbedPod } from './spec.ts';

export interface HooksOfContainer {
  readonly hooks: Hooks;
  /** Of those that are not run, why. */
  readonly warnings: readonly string[];
}

export function hooksOf(pod: ProbedPod, container: ProbedContainer): HooksOfContainer {
  const [preStop, postStart] = names.map((name) => actionOf(container.lifecycle?.[name], { pod, container }));
  return {
    hooks: { preStop: runnable(preStop), postStart: runnable(postStart) },
    warnings: names.flatMap((name, index) => {
      const why = [preStop, postStart][index];
      const hook = container.lifecycle?.[name];
      return typeof why === 'string' && hook ? [`the ${name} hook (${hookKind(hook)}) is not run: ${why}`] : [];
    }),
  };
}

const names: readonly HookName[] = ['preStop', 'postStart'];

/** What is said where nobody wants them run. */
export function hooksLeftOut({ lifecycle }: ProbedContainer): readonly string[] {
  return names.flatMap((name) => {
    const hook = lifecycle?.[name];
    return hook ? [`the ${name} hook (${hookKind(hook)}) is not run: --hooks runs it`] : [];
  });
}

/** Of a container's hook that is a command; null: it is none. */
export function hookCommand({ lifecycle }: ProbedContainer, name: HookName): readonly string[] | null {
  return lifecycle?.[name]?.exec?.command ?? null;
}

interface Where {
  readonly pod: ProbedPod;
  readonly container: ProbedContainer;
}

/** A string: why it cannot be run. */
function actionOf(hook: HookSpec | null | undefined, where: Where): HookAction | string | null {
  if (!hook) return null;
  if (hook.exec) return { kind: 'exec' };
  if (hook.httpGet) return fromHttp(hook.httpGet, where);
  if (hook.sleep) return { kind: 'sleep', ms: hook.sleep.seconds * 1000 };
  return hook.tcpSocket ? 'the kubelet runs none of this kind' : 'its kind is not known';
}

function fromHttp(httpGet: HttpGet, { pod, container }: Where): HookAction | string {
  const host = httpGet.host || (pod.status?.podIP ?? null);
  const port = portNumber(httpGet.port, container);
  const path = requestPath(httpGet.path);
  const headers = (httpGet.httpHeaders ?? []).map(({ name, value }): [string, string] => [name, value]);
  if (host === null) return 'the pod has no address yet';
  if (port === undefined) return 'its port is none of the container';
  if (path === undefined) return 'its path is none that can be asked for';
  if (!headers.every(canBeSent)) return 'one of its headers is none that can be sent';
  const scheme = httpGet.scheme?.toUpperCase() === 'HTTPS' ? 'https' : 'http';
  return { kind: 'httpGet', scheme, host, port, path, headers };
}

function runnable(action: HookAction | string | null | undefined): HookAction | null {
  return typeof action === 'string' ? null : (action ?? null);
}

function hookKind({ exec, httpGet, tcpSocket, sleep }: HookSpec): string {
  if (exec) return 'exec';
  if (httpGet) return 'httpGet';
  if (sleep) return 'sleep';
  return tcpSocket ? 'tcpSocket' : 'of an unknown kind';
}

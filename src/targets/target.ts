// What the user names on the command line: a closed union, whether or not this version can reach it.
import { HotexecError } from '../errors.ts';

export type Target =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'docker'; readonly name: string }
  | NodeTarget
  | ClusterTarget;

/** What a container runtime of this machine is asked for. `endpoint`: its socket; missing or null: where runtimes usually listen. */
export type NodeTarget =
  /** The beginning of an id is enough. */
  | { readonly kind: 'cri'; readonly id: string; readonly endpoint?: string | null }
  /** `namespace` is containerd's; null: any. */
  | {
      readonly kind: 'containerd';
      readonly id: string;
      readonly namespace: string | null;
      readonly endpoint?: string | null;
    }
  /** `pod/NAME --local`; null: any namespace, the only container. */
  | {
      readonly kind: 'local-pod';
      readonly name: string;
      readonly namespace?: string | null;
      readonly container?: string | null;
      readonly endpoint?: string | null;
    };

/** What is looked up in a Kubernetes cluster. */
export type ClusterTarget =
  | { readonly kind: 'pod'; readonly name: string }
  /** All its pods. */
  | { readonly kind: 'workload'; readonly type: WorkloadType; readonly name: string }
  /** All pods with these labels, or those of the workloads that have them. */
  | { readonly kind: 'selected'; readonly type: 'pod' | WorkloadType; readonly selector: string };

export const workloadTypes = ['deployment', 'statefulset', 'daemonset'] as const;
export type WorkloadType = (typeof workloadTypes)[number];

type ClusterType = 'pod' | WorkloadType;

// As kubectl api-resources has them: singular, plural, short, and with their group.
const clusterTypeOf: ReadonlyMap<string, ClusterType> = new Map<string, ClusterType>(
  (
    [
      ['pod', ['pods', 'po']],
      ['deployment', ['deployments', 'deploy', 'deployment.apps', 'deployments.apps']],
      ['statefulset', ['statefulsets', 'sts', 'statefulset.apps', 'statefulsets.apps']],
      ['daemonset', ['daemonsets', 'ds', 'daemonset.apps', 'daemonsets.apps']],
    ] as const
  ).flatMap(([type, others]) => [type, ...others].map((word): [string, ClusterType] => [word, type])),
);

/** How a command line is read. */
export interface Reading {
  /** As kubectl's plugin: a bare name is a pod, and what runs on this machine is no target. */
  readonly inCluster?: boolean;
}

const whatWorks =
  'Name a process (1234, pid/1234), a container (docker/NAME, cri/ID, containerd/ID), a pod (pod/NAME) or a workload (deployment/NAME). hotexec ls lists what runs here.';
const whatWorksInCluster = 'Name a pod (NAME, pod/NAME) or a workload (deployment/NAME, statefulset/NAME).';

/**
 * Reads a target as the command line takes it: `1234`, `pid/1234`, `docker/NAME`, `cri/ID`, `containerd/ID`,
 * `containerd/NAMESPACE/ID`, `pod/NAME`, `deployment/NAME`.
 * @throws {HotexecError} `usage` when it is none.
 */
export function parseTarget(text: string, { inCluster = false }: Reading = {}): Target {
  const slash = text.indexOf('/');
  if (slash === -1) return inCluster ? barePod(text) : bareProcess(text);
  const type = text.slice(0, slash).toLowerCase();
  const name = text.slice(slash + 1);
  const clusterType = clusterTypeOf.get(type);
  if (clusterType !== undefined) return clusterTarget(clusterType, name);
  if (inCluster) throw notInCluster(text, type);
  if (type === 'pid') return { kind: 'pid', pid: parsePid(name) };
  if (type === 'docker') return { kind: 'docker', name: parseDockerName(name) };
  if (type === 'cri') return { kind: 'cri', id: parseCriId(name) };
  if (type === 'containerd') return parseContainerd(name);
  throw usage(`${quote(text)} is no target hotexec knows.`, whatWorks);
}

const machineTypes: ReadonlySet<string> = new Set(['pid', 'docker', 'cri', 'containerd']);

/** kubectl's `TYPE -l SELECTOR`. */
export function parseSelected(type: string, selector: string): Extract<ClusterTarget, { readonly kind: 'selected' }> {
  const known = clusterTypeOf.get(type.toLowerCase());
  if (known === undefined)
    throw usage(
      `${quote(type)} is no type whose pods can be selected.`,
      'Such as: pods -l app=web, deployments -l app=web',
    );
  if (selector.trim() === '') throw usage('The selector after -l is empty.', 'Such as: pods -l app=web');
  return { kind: 'selected', type: known, selector };
}

/** Whether a word is a kind of target that is followed by a name: kubectl's `pod web`. */
export function isTargetType(word: string): boolean {
  return machineTypes.has(word) || isClusterType(word);
}

/** Whether a word names a kind of thing in a cluster: `deploy`. */
export function isClusterType(word: string): boolean {
  return clusterTypeOf.has(word.toLowerCase());
}

export function isInCluster(target: Target): target is ClusterTarget {
  return target.kind === 'pod' || target.kind === 'workload' || target.kind === 'selected';
}

/** As it is printed: the short form of a pid is not kept. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'pid':
      return `pid/${target.pid}`;
    case 'docker':
      return `docker/${target.name}`;
    case 'cri':
      return `cri/${target.id}`;
    case 'containerd':
      return `containerd/${target.namespace === null ? '' : `${target.namespace}/`}${target.id}`;
    case 'local-pod':
      return `pod/${target.name}`;
    case 'pod':
      return `pod/${target.name}`;
    case 'workload':
      return `${target.type}/${target.name}`;
    case 'selected':
      return `${target.type} -l ${target.selector}`;
  }
}

function clusterTarget(type: ClusterType, text: string): ClusterTarget {
  if (text === '') throw usage(`${quote(`${type}/`)} names no ${type}.`, null);
  const name = objectName(text, type);
  return type === 'pod' ? { kind: 'pod', name } : { kind: 'workload', type, name };
}

// A DNS subdomain (RFC 1123), as the API server asks of the names of pods and workloads. It keeps a second path out of the request.
const subdomain = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

function objectName(name: string, type: ClusterType): string {
  if (subdomain.test(name) && !name.includes('..')) return name;
  throw usage(`${quote(name)} is not the name of a ${type}.`, 'kubectl get pods lists them.');
}

function barePod(text: string): Target {
  if (text === '') throw usage('The target is empty.', whatWorksInCluster);
  if (isClusterType(text))
    throw usage(`${quote(text)} is a kind of target, and its name is missing.`, whatWorksInCluster);
  return { kind: 'pod', name: objectName(text, 'pod') };
}

function notInCluster(text: string, type: string): HotexecError {
  if (!machineTypes.has(type)) return usage(`${quote(text)} is no target kubectl hotexec knows.`, whatWorksInCluster);
  return usage(
    `${quote(text)} is on a machine, and kubectl hotexec reaches what is in a cluster.`,
    `On that machine: hotexec restart ${text}`,
  );
}

function bareProcess(text: string): Target {
  if (/^\d+$/.test(text)) return { kind: 'pid', pid: parsePid(text) };
  throw bareName(text);
}

// PID_MAX_LIMIT of include/linux/threads.h.
const maxPid = 4_194_304;

function parsePid(text: string): number {
  const pid = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
  if (pid === 0 || pid > maxPid) throw usage(`${quote(text)} is not a pid: those are 1 to ${maxPid}.`, null);
  return pid;
}

// moby's RestrictedNamePattern. It keeps `..` and a second path out of the request as well.
function parseDockerName(name: string): string {
  if (/^[a-zA-Z0-9][\w.-]{0,254}$/.test(name)) return name;
  throw usage(`${quote(name)} is not the name or id of a Docker container.`, 'docker ps lists them.');
}

// They are hexadecimal everywhere; a name is let through, so that who gives one is told the id.
function parseCriId(id: string): string {
  if (/^[a-zA-Z0-9][\w.-]{0,127}$/.test(id)) return id;
  throw usage(`${quote(id)} is not the id of a container.`, 'hotexec ls and crictl ps list them.');
}

// containerd's identifiers (pkg/identifiers/validate.go) have no slash.
function parseContainerd(name: string): Target {
  const [, namespace, id] = /^(?:([a-zA-Z0-9][\w.-]{0,75})\/)?([a-zA-Z0-9][\w.-]{0,75})$/.exec(name) ?? [];
  if (id !== undefined) return { kind: 'containerd', id, namespace: namespace ?? null };
  throw usage(`${quote(name)} is not the id of a container of containerd.`, 'hotexec ls lists them.');
}

function bareName(text: string): HotexecError {
  if (text === '') return usage('The target is empty.', whatWorks);
  if (isTargetType(text)) return usage(`${quote(text)} is a kind of target, and its name is missing.`, whatWorks);
  const isName = /^[a-zA-Z0-9][\w.-]*$/.test(text);
  return usage(
    `${quote(text)} does not say what it is.`,
    isName ? `A Docker container is named docker/${text}, a pod pod/${text}.` : whatWorks,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function usage(message: string, hint: string | null): HotexecError {
  return new HotexecError({ code: 'usage', message, hint });
}

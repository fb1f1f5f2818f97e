// What the user names on the command line: a closed union, whether or not this version can reach it.
import { HotexecError } from '../errors.ts';

export type Target =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'docker'; readonly name: string }
  | NodeTarget
  /** Known by the design, not reachable by this version. */
  | { readonly kind: 'later'; readonly type: LaterType; readonly name: string };

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

const laterTypes = ['pod', 'deployment', 'statefulset', 'daemonset'] as const;
type LaterType = (typeof laterTypes)[number];

const laterTypeOf: ReadonlyMap<string, LaterType> = new Map<string, LaterType>([
  ...laterTypes.map((type) => [type, type] as const),
  ['pods', 'pod'],
  ['po', 'pod'],
  ['deployments', 'deployment'],
  ['deploy', 'deployment'],
  ['statefulsets', 'statefulset'],
  ['sts', 'statefulset'],
  ['daemonsets', 'daemonset'],
  ['ds', 'daemonset'],
]);

const whatWorks =
  'Name a process (1234, pid/1234) or a container (docker/NAME, cri/ID, containerd/ID). hotexec ls lists what runs here.';

/**
 * Reads a target as the command line takes it: `1234`, `pid/1234`, `docker/NAME`, `cri/ID`, `containerd/ID`, `containerd/NAMESPACE/ID`.
 * @throws {HotexecError} `usage` when it is none.
 */
export function parseTarget(text: string): Target {
  if (/^\d+$/.test(text)) return { kind: 'pid', pid: parsePid(text) };
  const slash = text.indexOf('/');
  if (slash === -1) throw bareName(text);
  const type = text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (type === 'pid') return { kind: 'pid', pid: parsePid(name) };
  if (type === 'docker') return { kind: 'docker', name: parseDockerName(name) };
  if (type === 'cri') return { kind: 'cri', id: parseCriId(name) };
  if (type === 'containerd') return parseContainerd(name);
  const later = laterTypeOf.get(type);
  if (later === undefined) throw usage(`${quote(text)} is no target hotexec knows.`, whatWorks);
  if (name === '') throw usage(`${quote(text)} names no ${later}.`, whatWorks);
  return { kind: 'later', type: later, name };
}

const machineTypes: ReadonlySet<string> = new Set(['pid', 'docker', 'cri', 'containerd']);

/** Whether a word is a kind of target that is followed by a name: kubectl's `pod web`. */
export function isTargetType(word: string): boolean {
  return machineTypes.has(word) || laterTypeOf.has(word);
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
    case 'later':
      return `${target.type}/${target.name}`;
  }
}

/** The refusal of a target that only a later version can reach. */
export function notYet({ type, name }: Extract<Target, { readonly kind: 'later' }>): HotexecError {
  const hint =
    type === 'pod'
      ? `On the node, as root: pod/${name} --local`
      : 'On the node, as root, hotexec ls lists the containers of its pods.';
  return usage(
    `${type}/${name}: this version of hotexec does not reach ${pluralOf[type]} yet. Nothing was touched.`,
    hint,
  );
}

const pluralOf: Readonly<Record<LaterType, string>> = {
  pod: 'pods',
  deployment: 'deployments',
  statefulset: 'stateful sets',
  daemonset: 'daemon sets',
};

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
    isName ? `A Docker container is named docker/${text}.` : whatWorks,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function usage(message: string, hint: string | null): HotexecError {
  return new HotexecError({ code: 'usage', message, hint });
}

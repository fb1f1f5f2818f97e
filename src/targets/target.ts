// What the user names on the command line: a closed union, whether or not this version can reach it.
import { HotexecError } from '../errors.ts';

export type Target =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'docker'; readonly name: string }
  /** Known by the design, not reachable by this version. */
  | { readonly kind: 'later'; readonly type: LaterType; readonly name: string };

const laterTypes = ['containerd', 'cri', 'pod', 'deployment', 'statefulset', 'daemonset'] as const;
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

const whatWorks = 'Name a process (1234, pid/1234) or a Docker container (docker/NAME).';

/**
 * Reads a target as the command line takes it: `1234`, `pid/1234`, `docker/NAME`.
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
  const later = laterTypeOf.get(type);
  if (later === undefined) throw usage(`${quote(text)} is no target hotexec knows.`, whatWorks);
  if (name === '') throw usage(`${quote(text)} names no ${later}.`, whatWorks);
  return { kind: 'later', type: later, name };
}

/** Whether a word is a kind of target that is followed by a name: kubectl's `pod web`. */
export function isTargetType(word: string): boolean {
  return word === 'pid' || word === 'docker' || laterTypeOf.has(word);
}

/** As it is printed: the short form of a pid is not kept. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'pid':
      return `pid/${target.pid}`;
    case 'docker':
      return `docker/${target.name}`;
    case 'later':
      return `${target.type}/${target.name}`;
  }
}

/** The refusal of a target that only a later version can reach. */
export function notYet({ type, name }: Extract<Target, { readonly kind: 'later' }>): HotexecError {
  const hint =
    type === 'containerd' || type === 'cri'
      ? `Find its process and name that: crictl inspect --output go-template --template '{{.info.pid}}' ID`
      : 'On the node, as root, its main process can be named by its pid.';
  return usage(
    `${type}/${name}: this version of hotexec does not reach ${pluralOf[type]} yet. Nothing was touched.`,
    hint,
  );
}

const pluralOf: Readonly<Record<LaterType, string>> = {
  containerd: 'containers of containerd',
  cri: 'containers over CRI',
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

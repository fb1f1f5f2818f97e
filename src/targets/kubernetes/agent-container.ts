// The agent's ephemeral container: what it may do, which one there is already, and what the next one is called. It can be neither removed nor renamed
// nor started again, so its name carries version and number, and a dead one gets a successor.
import { mainContainers, statusOf, type Container, type ContainerStatus, type Pod } from './pod.ts';

/** What lets the agent hold the program. */
export type Access =
  /** The program's own user, and no capability: as far as the node's Yama allows. gid null: of the agent's image. */
  | { readonly kind: 'same-user'; readonly uid: number; readonly gid: number | null }
  /** Root with SYS_PTRACE alone. */
  | { readonly kind: 'ptrace-capability' };

const capability: Access = { kind: 'ptrace-capability' };

export interface UserAndGroup {
  readonly uid: number;
  readonly gid: number | null;
}

/** Who the program was started as; null: its image says, and the API does not show that. */
export function programUser(pod: Pod, { name, securityContext: own }: Container): UserAndGroup | null {
  const shared = pod.spec.securityContext;
  const actual = statusOf(name, pod)?.user?.linux ?? null;
  if (actual !== null) return { uid: actual.uid, gid: actual.gid };
  const uid = own?.runAsUser ?? shared?.runAsUser ?? null;
  return uid === null ? null : { uid, gid: own?.runAsGroup ?? shared?.runAsGroup ?? null };
}

/** In which ways it may be tried, the best first: as little as the program needs. */
export function accessesFor(user: UserAndGroup | null, wanted: UserAndGroup | null): readonly Access[] {
  const chosen = wanted ?? user;
  if (chosen === null || chosen.uid === 0) return [capability];
  const same: Access = { kind: 'same-user', ...chosen };
  return wanted === null ? [same, capability] : [same];
}

export interface WantedAgent {
  readonly container: Container;
  readonly version: string;
  readonly image: string;
  readonly ttlSeconds: number;
}

/** As the API takes it. */
export function agentContainer(name: string, access: Access, wanted: WantedAgent): object {
  const { container, image, ttlSeconds } = wanted;
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['hotexec', 'agent', 'serve', '--ttl', `${ttlSeconds}s`],
    targetContainerName: container.name,
    // A last word in the pod's status, where it ends at once.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: agentSecurity(access, container),
  };
}

/** What a pod's own security context says is overridden: a pod that must not run as root would keep it from starting for ever. */
function agentSecurity(access: Access, { securityContext }: Container): object {
  const { appArmorProfile = null, seLinuxOptions = null } = securityContext ?? {};
  return {
    ...userOf(access),
    privileged: false,
    allowPrivilegeEscalation: false,
    capabilities: access.kind === 'same-user' ? { drop: ['ALL'] } : { drop: ['ALL'], add: ['SYS_PTRACE'] },
    seccompProfile: { type: 'RuntimeDefault' },
    // Under a profile of its own the program may be held by its like alone.
    ...(appArmorProfile === null ? {} : { appArmorProfile }),
    ...(seLinuxOptions === null ? {} : { seLinuxOptions }),
  };
}

function userOf(access: Access): object {
  if (access.kind === 'ptrace-capability') return { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false };
  const { uid, gid } = access;
  return { runAsUser: uid, ...(gid === null ? {} : { runAsGroup: gid }), runAsNonRoot: uid !== 0 };
}

export type FoundAgent =
  | { readonly kind: 'running'; readonly name: string; readonly access: Access }
  /** It is on its way, or waits for its image. */
  | { readonly kind: 'starting'; readonly name: string; readonly access: Access }
  | { readonly kind: 'none' };

export interface Searched extends Pick<WantedAgent, 'container' | 'version'> {
  /** Null: whichever it has. */
  readonly image: string | null;
  /** Names of those that have ended, which the API server has not heard yet. */
  readonly gone: ReadonlySet<string>;
}

/** The best of those that are there: one for the same container, of the same version. */
export function findAgent(
  pod: Pod,
  { container, version, image, gone }: Searched,
  accesses: readonly Access[],
): FoundAgent {
  const ours = pod.spec.ephemeralContainers.filter(
    (one) =>
      one.name.startsWith(`${namePrefix(version)}-`) &&
      one.targetContainerName === container.name &&
      (image === null || one.image === image) &&
      !gone.has(one.name),
  );
  const found = accesses.flatMap((access) =>
    ours.flatMap((one) => {
      const state = isOf(access, one) ? stateOf(statusOf(one.name, pod)) : 'over';
      return state === 'over' ? [] : [{ kind: state, name: one.name, access } as const];
    }),
  );
  return found.find(({ kind }) => kind === 'running') ?? found[0] ?? { kind: 'none' };
}

export interface AgentBeside {
  /** Of its container; with its version. */
  readonly name: string;
  readonly state: 'running' | 'starting';
}

/** Of whichever version, the one that runs before one that is being started; null: there is none, or they have ended. */
export function agentBeside(pod: Pod, { name: target }: Pick<Container, 'name'>): AgentBeside | null {
  const ours = pod.spec.ephemeralContainers.filter(
    ({ name, targetContainerName }) => ownName.test(name) && targetContainerName === target,
  );
  const all = ours.flatMap(({ name }) => {
    const state = stateOf(statusOf(name, pod));
    return state === 'over' ? [] : { name, state };
  });
  return all.find(({ state }) => state === 'running') ?? all[0] ?? null;
}

const ownName = /^hotexec-.*-(\d+)$/;

/** Of a container of that name no other can be made: counted on over all that there are. */
export function nextAgentName(pod: Pod, version: string): string {
  const taken = [...mainContainers(pod), ...pod.spec.initContainers, ...pod.spec.ephemeralContainers].map(({ name }) =>
    Number(ownName.exec(name)?.[1] ?? 0),
  );
  return `${namePrefix(version)}-${Math.max(0, ...taken) + 1}`;
}

function namePrefix(version: string): string {
  return `hotexec-${version.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}

function isOf(access: Access, { securityContext }: Container): boolean {
  const adds = securityContext?.capabilities?.add.length ?? 0;
  if (access.kind === 'ptrace-capability') return adds > 0 && securityContext?.runAsUser === 0;
  return adds === 0 && securityContext?.runAsUser === access.uid && securityContext.runAsGroup === access.gid;
}

function stateOf(status: ContainerStatus | undefined): 'running' | 'starting' | 'over' {
  if (status?.state.running) return 'running';
  return status?.state.terminated ? 'over' : 'starting';
}

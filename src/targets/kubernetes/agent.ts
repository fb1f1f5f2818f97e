// The agent of a container: the one that runs there, else a new ephemeral container, for which the API server is asked by a dry run first.
import { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import {
  agentContainer,
  findAgent,
  nextAgentName,
  programUser,
  type Access,
  type UserAndGroup,
  type WantedAgent,
} from './agent-container.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { agentMemoryBytes, memoryLimit } from './memory.ts';
import type { ExecStream } from './exec.ts';
import { podName, podSchema, type Container, type Pod } from './pod.ts';
import { admissionRefusal, forbidderOf, refusalOf, type Forbidder } from './refusal.ts';
import { readNode, runtimeHandler } from './surroundings.ts';
import { unsuitable } from './unsuitable.ts';
import { waitUntilRuns } from './start-of-agent.ts';

/** The flags that say what the agent is. */
export interface AgentChoice {
  /** Null: whichever an agent of this version has, and the default for a new one. */
  readonly image: string | null;
  readonly ttlSeconds: number;
  /** Null: whoever the program runs as, as far as the API tells. */
  readonly user: UserAndGroup | null;
}

export interface AgentPlace {
  readonly pod: Pod;
  readonly container: Container;
}

export interface MakingAgent {
  readonly api: ClusterApi;
  readonly version: string;
  readonly choice: AgentChoice;
  readonly defaultImage: string;
  readonly force: boolean;
  /** Agents that have just ended. */
  readonly gone: ReadonlySet<string>;
  /** Until it runs. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What is being waited for, as a clause. */
  readonly onProgress: (doing: string) => void;
}

export interface Agent {
  /** Of its container. */
  readonly name: string;
  readonly access: Access;
}

export interface PresentAgent extends Agent {
  /** The way on which it was first heard, to be used or closed; null: none was opened. */
  readonly way: ExecStream | null;
}

/** `accesses`: in which ways, the best first. Resolves once it runs. Throws HotexecError. */
export async function findOrMakeAgent(
  place: AgentPlace,
  accesses: readonly Access[],
  making: MakingAgent,
): Promise<PresentAgent> {
  const { pod, container } = place;
  const { version, choice, gone, onProgress } = making;
  const user = programUser(pod, container);
  const found = findAgent(pod, { container, version, image: choice.image, gone }, accesses);
  if (found.kind === 'running') return { ...found, way: null };
  if (found.kind === 'starting')
    return { ...found, way: await waitUntilRuns(found, pod, { ...making, isPatient: true }) };
  refuseWithoutMemory(place, making);
  await refuseUnsuitable(place, making);
  onProgress('putting an agent into the pod');
  const made = await makeAgent(accesses, user, { place, making, isDry: false });
  return { ...made, way: await waitUntilRuns(made, pod, { ...making, isPatient: false }) };
}

function refuseWithoutMemory({ pod }: AgentPlace, { force }: MakingAgent): void {
  const limit = memoryLimit(pod);
  if (force || limit === null || limit >= agentMemoryBytes) return;
  throw refusal(
    'memory-too-small',
    `${podName(pod)} may use ${mebibytes(limit)} MiB of memory in all, and the agent needs ${mebibytes(agentMemoryBytes)} MiB of them.`,
    '--force tries it: the kernel kills the agent first if it does not fit.',
  );
}

async function refuseUnsuitable({ pod }: AgentPlace, { api, force }: MakingAgent): Promise<void> {
  const { nodeName, runtimeClassName } = pod.spec;
  const [node, handler] = await Promise.all([
    nodeName === null ? null : readNode(nodeName, api),
    runtimeClassName === null ? null : runtimeHandler(runtimeClassName, api),
  ]);
  const wrong = unsuitable(pod, { node, handler }, { force });
  if (wrong !== null) throw new HotexecError(wrong);
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** What the API server is asked with. */
export type AskingForAgent = Pick<MakingAgent, 'api' | 'version' | 'choice' | 'defaultImage'>;

/** Whether an agent would be let in that way, by a dry run: nothing is changed. An error: why not. */
export async function askForAgent(
  place: AgentPlace,
  access: Access,
  making: AskingForAgent,
): Promise<HotexecError | null> {
  const attempt = await tryAccess(access, { place, making, isDry: true });
  return attempt.kind === 'made' ? null : plainly(attempt, place);
}

interface Making {
  readonly place: AgentPlace;
  readonly making: AskingForAgent;
  readonly isDry: boolean;
}

/** The first that the API server lets pass. */
async function makeAgent(accesses: readonly Access[], user: UserAndGroup | null, how: Making): Promise<Agent> {
  let refused: Refused | null = null;
  for (const access of accesses) {
    const attempt = await tryAccess(access, how);
    if (attempt.kind === 'made') return attempt;
    refused ??= attempt;
    // Who may not at all may not in another way either.
    if (attempt.forbidder === null) break;
  }
  if (refused === null) throw new Error('hotexec: there is no way to try for an agent');
  throw inWords(refused, user, how);
}

interface Refused {
  readonly kind: 'refused';
  readonly access: Access;
  readonly error: ApiError;
  readonly forbidder: Exclude<Forbidder, { readonly kind: 'rbac' }> | null;
}

async function tryAccess(
  access: Access,
  { place, making, isDry }: Making,
): Promise<({ readonly kind: 'made' } & Agent) | Refused> {
  const { pod, container } = place;
  const { version, choice, defaultImage } = making;
  const name = nextAgentName(pod, version);
  const wanted: WantedAgent = {
    container,
    version,
    image: choice.image ?? defaultImage,
    ttlSeconds: choice.ttlSeconds,
  };
  const added = agentContainer(name, access, wanted);
  try {
    await addContainer(added, { pod, api: making.api, query: { dryRun: 'All' } });
    if (!isDry) await addContainer(added, { pod, api: making.api, query: {} });
    return { kind: 'made', name, access };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const forbidder = forbidderOf(error);
    return { kind: 'refused', access, error, forbidder: forbidder?.kind === 'rbac' ? null : forbidder };
  }
}

interface Adding {
  readonly pod: Pod;
  readonly api: ClusterApi;
  readonly query: Readonly<Record<string, string>>;
}

async function addContainer(container: object, { pod, api, query }: Adding): Promise<void> {
  const { metadata } = pod;
  const path = ['api', 'v1', 'namespaces', metadata.namespace, 'pods', metadata.name, 'ephemeralcontainers'];
  await api.send(
    {
      method: 'PATCH',
      path: apiPath(path, { fieldManager: 'hotexec', ...query }),
      contentType: 'application/strategic-merge-patch+json',
      // With the uid: a pod of the same name that has taken its place meanwhile gets nothing.
      body: { metadata: { uid: metadata.uid }, spec: { ephemeralContainers: [container] } },
    },
    podSchema,
  );
}

function inWords(attempt: Refused, user: UserAndGroup | null, { place }: Making): HotexecError {
  const refused = plainly(attempt, place);
  if (attempt.forbidder === null || attempt.access.kind !== 'ptrace-capability') return refused;
  const { why, hint } = onlyByCapability(user);
  return new HotexecError(
    { ...refused.toData(), message: `${refused.message} ${why}`, hint },
    { cause: attempt.error },
  );
}

/** What is forbidden by whom, whatever else may be tried. */
function plainly({ error, forbidder }: Refused, { pod }: AgentPlace): HotexecError {
  const target = podName(pod);
  const { namespace } = pod.metadata;
  if (error.status === 404 && error.message.includes('could not find the requested resource'))
    return refusal(
      'not-permitted',
      `${target}: this cluster knows no ephemeral containers (Kubernetes 1.25 has them).`,
      'On the node, as root: hotexec restart PID',
    );
  if (forbidder === null) return refusalOf(error, { target, namespace, what: 'patch pods/ephemeralcontainers' });
  return admissionRefusal(forbidder, { target, namespace }, error);
}

function onlyByCapability(user: UserAndGroup | null): { readonly why: string; readonly hint: string } {
  if (user === null)
    return {
      why: 'The image says which user the program runs as, and the API does not show that; an agent of the same user needs no capability.',
      hint: '--agent-user UID:GID, as kubectl exec POD -- id shows them, or runAsUser in the pod',
    };
  if (user.uid === 0)
    return {
      why: 'The program runs as root, and so only an agent with SYS_PTRACE can hold it.',
      hint: 'Let the program run as another user (runAsUser), or use a namespace that admits the agent.',
    };
  return {
    why: `An agent of its own user (${user.uid}) is not enough for this program on its node.`,
    hint: '--agent-user UID:GID, where its group is another (kubectl exec POD -- id), or a namespace that admits the agent',
  };
}

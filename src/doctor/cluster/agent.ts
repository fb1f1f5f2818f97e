// The agent beside a container: whether one is there, whether its memory fits, and in which ways the API server would let another one in.
import type { HotexecError } from '../../errors.ts';
import { askForAgent, type AgentPlace } from '../../targets/kubernetes/agent.ts';
import {
  accessesFor,
  findAgent,
  programUser,
  type Access,
  type FoundAgent,
  type UserAndGroup,
} from '../../targets/kubernetes/agent-container.ts';
import { ApiError } from '../../targets/kubernetes/api.ts';
import { agentMemoryBytes, memoryLimit } from '../../targets/kubernetes/memory.ts';
import { forbidderOf } from '../../targets/kubernetes/refusal.ts';
import { blocked, no, yes, type Finding } from '../finding.ts';
import { blockedBy, type ClusterSeen } from './seen.ts';

export async function agentOf(place: AgentPlace, cluster: ClusterSeen): Promise<readonly Finding[]> {
  const { pod, container } = place;
  const { version, choice } = cluster.agent;
  const user = programUser(pod, container);
  const accesses = accessesFor(user, choice.user);
  const found = findAgent(pod, { container, version, image: choice.image, gone: new Set() }, accesses);
  const isThere = found.kind !== 'none';
  return [
    presence(found),
    memory(memoryLimit(pod), isThere),
    ...waysOf(
      await Promise.all(
        accesses.map(async (access) => ({
          access,
          refused: await askForAgent(place, access, { api: cluster.api, ...cluster.agent }),
        })),
      ),
      {
        user,
        chosen: choice.user,
        isThere,
      },
    ),
  ];
}

/** Pure. */
export function presence(found: FoundAgent): Finding {
  const subject = 'agent';
  switch (found.kind) {
    case 'running':
      return yes(subject, `${found.name} runs`);
    case 'starting':
      return yes(subject, `${found.name} is being started`);
    case 'none':
      return yes(subject, 'none is there; the first command puts one into the pod');
  }
}

/** Pure. */
export function memory(limitBytes: number | null, isThere: boolean): Finding {
  const subject = 'memory';
  const needed = `the agent needs ${mebibytes(agentMemoryBytes)} MiB`;
  if (limitBytes === null) return yes(subject, `the pod has no limit; ${needed}`);
  const limit = `the pod may use ${mebibytes(limitBytes)} MiB in all`;
  if (limitBytes >= agentMemoryBytes || isThere)
    return yes(subject, `${limit}, and ${needed}; what is free there is looked at by the agent`);
  return blocked(
    subject,
    `${limit}, and ${needed}`,
    '--force tries it: the kernel ends the agent first if it does not fit',
  );
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

export interface DryRun {
  readonly access: Access;
  /** Null: it would be let in. */
  readonly refused: HotexecError | null;
}

interface Way {
  readonly user: UserAndGroup | null;
  readonly chosen: UserAndGroup | null;
  readonly isThere: boolean;
}

/** Pure. The first that is let in is taken; one that is refused blocks where there is no other, and no agent yet. */
export function waysOf(tried: readonly DryRun[], way: Way): readonly Finding[] {
  const best = tried.find(({ refused }) => refused === null);
  // Who may not patch pods/ephemeralcontainers may not in any way.
  const told = tried.filter(({ refused }, index) => index === 0 || refused?.details['role'] === undefined);
  return told.map((dryRun) => {
    const { access, refused } = dryRun;
    const subject = access.kind === 'same-user' ? 'agent: own user' : 'agent: SYS_PTRACE';
    if (refused !== null) return refusedFinding(refused, { subject, access, way, isNeeded: best === undefined });
    return yes(subject, `a dry run let it in: ${describe(access, way)}${dryRun === best ? '' : `; ${forOthers}`}`);
  });
}

const forOthers = 'it is for where another way is not enough';

interface OfRefused {
  readonly subject: string;
  readonly access: Access;
  readonly way: Way;
  /** No other is let in. */
  readonly isNeeded: boolean;
}

function refusedFinding(refused: HotexecError, { subject, access, way, isNeeded }: OfRefused): Finding {
  const { meaning, remedy } = blockedBy(refused, subject, 'the Role below');
  const wayOut = (isAdmission(refused) ? insteadOf(access, way.user) : null) ?? remedy ?? '';
  return isNeeded && !way.isThere
    ? blocked(subject, meaning, wayOut)
    : no(subject, `${forOthers}, and refused: ${meaning}`, wayOut);
}

function isAdmission({ cause }: HotexecError): boolean {
  const kind = cause instanceof ApiError ? forbidderOf(cause)?.kind : undefined;
  return kind === 'pod-security' || kind === 'admission';
}

function insteadOf(access: Access, user: UserAndGroup | null): string | null {
  if (access.kind === 'same-user') return null;
  if (user === null) return '--agent-user UID:GID, as kubectl exec POD -- id shows them, or runAsUser in the pod';
  return user.uid === 0
    ? 'let the program run as another user (runAsUser), or use a namespace that admits the agent'
    : 'nothing, unless the agent of its own user turns out not to be enough';
}

function describe(access: Access, { user, chosen }: Way): string {
  if (access.kind === 'same-user') {
    const { uid, gid } = access;
    const whose = chosen === null ? "the program's own user" : 'the user of --agent-user';
    return `${whose}, ${gid === null ? uid : `${uid}:${gid}`}, without any capability`;
  }
  const what = 'root with SYS_PTRACE alone';
  if (chosen !== null) return `${what}, since --agent-user says so`;
  if (user === null) return `${what}, since the API does not tell which user the program runs as`;
  return user.uid === 0 ? `${what}, since the program runs as root` : what;
}

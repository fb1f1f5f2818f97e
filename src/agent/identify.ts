// From a container of a pod to the process that is to be asked of an engine: found in /proc as the agent sees it, and proven to be that
// container's main process. Reads only, and only what needs no capability.
import { containerIdIn, parseCgroup } from '../procfs/cgroup.ts';
import { parseMountInfo } from '../procfs/mountinfo.ts';
import { listProcesses } from '../procfs/processes.ts';
import { readLink, readText } from '../procfs/read.ts';
import type { HotexecError } from '../errors.ts';
import { refusal } from '../targets/refusal.ts';
import type { AgentTarget } from '../protocol/agent.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { judge, type Evidence, type Verdict } from './evidence.ts';

export interface Surroundings {
  /** `/proc`, but for tests. */
  readonly proc: string;
  /** The agent's own pid in there. */
  readonly ownPid: number;
  /** When the agent was started, ms since 1970. */
  readonly ownStartMs: number;
}

/** USER_HZ is 100 on every architecture that hotexec knows. */
const msPerTick = 10;

interface Candidate {
  readonly pid: number;
  readonly ppid: number;
  readonly startTicks: number;
  readonly verdict: Verdict;
}

/** Throws target-not-found, runtime-unsupported, target-changed or not-permitted; nothing was touched. */
export function identify(target: AgentTarget, around: Surroundings): TargetProcess {
  if (around.ownPid === 1) throw isolated(target);
  const processes = listProcesses(around.proc);
  const own = processes.find(({ pid }) => pid === around.ownPid);
  const candidates = processes.map(({ pid, ppid, startTicks }): Candidate => {
    // The agent knows when it was started itself; /proc/uptime may be somebody else's (lxcfs).
    const startedMs = own === undefined ? null : around.ownStartMs + (startTicks - own.startTicks) * msPerTick;
    const verdict = pid === own?.pid ? 'other' : judge({ ...evidenceOf(pid, around), startedMs }, target);
    return { pid, ppid, startTicks, verdict };
  });
  const proven = new Map(candidates.filter(({ verdict }) => verdict === 'proven').map((found) => [found.pid, found]));
  // Not what somebody runs in the container besides: that came later. Its own children have their parent there.
  const [main] = [...proven.values()]
    .filter(({ ppid }) => !proven.has(ppid))
    .toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
  if (main === undefined) throw notFound(target, candidates, around);
  return {
    name: target.name,
    pid: main.pid,
    startTicks: main.startTicks,
    container: { id: target.container.id, name: target.container.name, runtime: target.container.runtime },
    spec: target.spec,
  };
}

function evidenceOf(pid: number, { proc }: Surroundings): Omit<Evidence, 'startedMs'> {
  const mountinfo = readText(`${proc}/${pid}/mountinfo`);
  const cgroup = readText(`${proc}/${pid}/cgroup`);
  return {
    mounts: mountinfo.kind === 'denied' ? null : mountsIn(mountinfo.kind === 'read' ? mountinfo.content : ''),
    containerId:
      cgroup.kind === 'read' ? (containerIdIn(parseCgroup(cgroup.content).map(({ path }) => path)) ?? null) : null,
  };
}

/** None: it has ended meanwhile. */
function mountsIn(text: string): readonly string[] {
  return parseMountInfo(text).map(({ root }) => root);
}

function notFound(target: AgentTarget, candidates: readonly Candidate[], { proc }: Surroundings): HotexecError {
  const { name, container, pod } = target;
  const has = (verdict: Verdict): boolean => candidates.some((candidate) => candidate.verdict === verdict);
  if (has('restarted'))
    return refusal(
      'target-changed',
      `${name}: container ${container.name} has been started again since it was looked up: its id is not ${container.id.slice(0, 12)} any more.`,
      'name it again',
    );
  if (has('denied'))
    return refusal(
      'not-permitted',
      `${name}: the agent may not see whose processes the ones beside it are: their mountinfo cannot be read.`,
      'a security module of the node (AppArmor, SELinux) or a hidden /proc keeps it from it',
    );
  const first = readLink(`${proc}/1/exe`);
  const isShared = first.kind === 'read' && first.content.endsWith('/pause');
  const seen = `${candidates.length} ${candidates.length === 1 ? 'process' : 'processes'}`;
  const where = isShared ? 'the processes that the pod shares' : 'what the agent sees';
  return refusal(
    'target-not-found',
    `${name}: no process among ${where} (${seen}) is proven to belong to container ${container.name} of the pod with uid ${pod.uid}.`,
    'the container may have ended meanwhile; a runtime with a sandbox of its own (gVisor, Kata) may not show whose a process is',
  );
}

/** A runtime that knows nothing of targetContainerName starts the agent as any other container, and says nothing. */
function isolated({ name, container }: AgentTarget): HotexecError {
  return refusal(
    'runtime-unsupported',
    `${name}: the node's container runtime has given the agent a process namespace of its own, although container ${container.name} was named as its target.`,
    'containers whose runtime does not share process namespaces with ephemeral containers cannot be reached by an agent',
  );
}

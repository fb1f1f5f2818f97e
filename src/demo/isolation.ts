// How the demo's server is set apart from the machine: the best of a few ways that this machine allows.
// Each way is tried with `true` before the server is started with it; what a kernel allows is known only by asking it.
import { execFile } from 'node:child_process';

export type IsolationKind = 'namespaces' | 'user-namespace' | 'none';

export interface Isolation {
  readonly kind: IsolationKind;
  /** Put in front of the server's command; empty: the server is started directly. */
  readonly launcher: readonly string[];
}

export interface Surroundings {
  readonly uid: number;
  /** /proc/sys/kernel/yama/ptrace_scope; null: no Yama. */
  readonly yamaScope: number | null;
}

const probeTimeoutMs = 2_000;

export async function findIsolation(surroundings: Surroundings, signal: AbortSignal): Promise<Isolation> {
  for (const isolation of candidates(surroundings)) {
    if (await works(isolation, signal)) return isolation;
    signal.throwIfAborted();
  }
  return { kind: 'none', launcher: [] };
}

/** In order of preference; the last resort, no launcher at all, is not among them. */
export function candidates({ uid, yamaScope }: Surroundings): readonly Isolation[] {
  const asRoot: Isolation = { kind: 'namespaces', launcher: ['unshare', ...ownPidNamespace, '--mount-proc'] };
  const asUser: Isolation[] = [
    { kind: 'user-namespace', launcher: ['unshare', ...ownUserNamespace, ...ownPidNamespace, '--mount-proc'] },
    // Inside a container a fresh /proc is often refused; the pid namespace alone is as good here.
    { kind: 'user-namespace', launcher: ['unshare', ...ownUserNamespace, ...ownPidNamespace] },
  ];
  const traceable: Isolation = { kind: 'none', launcher: ['perl', '-e', allowTracing] };
  return [...(uid === 0 ? [asRoot] : []), ...asUser, ...(uid !== 0 && yamaScope === 1 ? [traceable] : [])];
}

const ownPidNamespace = ['--pid', '--fork', '--mount', '--kill-child'];
const ownUserNamespace = ['--user', '--map-root-user'];

// Yama 1 lets a process name its tracer: prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY), number 157 on x86-64 (ptrace(2),
// Documentation/admin-guide/LSM/Yama.rst). Node has no prctl; perl is part of every Debian and Ubuntu.
const allowTracing = 'syscall(157, 0x59616d61, -1, 0, 0, 0); exec { $ARGV[0] } @ARGV';

async function works({ launcher }: Isolation, signal: AbortSignal): Promise<boolean> {
  const [file, ...args] = [...launcher, 'true'];
  if (file === undefined) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  execFile(file, args, { timeout: probeTimeoutMs, killSignal: 'SIGKILL', signal }, (error) => resolve(error === null));
  return promise;
}

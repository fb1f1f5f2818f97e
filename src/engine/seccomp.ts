// Which system calls the target's seccomp filters let through. A filter may kill for a forbidden call, so hotexec reads the filters and
// never makes a call that is not allowed; where they cannot be read, the runtime's own profile is all that may be there.
import { readFileSync } from 'node:fs';
import { arch, type SyscallName } from '../arch/arch.ts';
import { HotexecError } from '../errors.ts';
import { describeErrno, ENOENT } from '../native/errno.ts';
import { parseStatus } from '../procfs/status.ts';
import { seccompFilter } from '../tracer/ptrace/requests.ts';
import type { Argument } from '../native/syscall.ts';
import type { Allows } from '../remote/remote-thread.ts';
import { judge, seccompData } from './bpf.ts';
import type { Observed } from './observe.ts';
import { MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE, PROT_READ_WRITE } from './stage.ts';

const AUDIT_ARCH_X86_64 = 0xc000_003e;
const CAP_SYS_ADMIN = 1n << 21n;

/** What becomes of a call. */
type Permission = 'allowed' | 'refused' | 'deadly';
type Permit = (name: SyscallName, ...args: readonly Argument[]) => Permission;

/** Without these nothing can be restarted; with the arguments that filters look at. */
const indispensable: readonly (readonly [SyscallName, ...Argument[]])[] = [
  ['mmap', 0, 8192, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE, -1, 0],
  ['munmap', 0, 8192],
  ['execve', 0, 0, 0],
];

/** Reads the filters of a stopped tracee; `tid` null: another program traces it, and they cannot be read. Throws seccomp-forbids when a call that every restart needs is not allowed. */
export function readFilters(observed: Observed, tid: number | null): Allows {
  const mode = observed.status.seccomp ?? 0;
  if (mode === 0) return () => true;
  if (mode === 1) throw forbidden(observed, 'it runs in strict seccomp mode: only read, write and exit are allowed');
  const permit = tid === null ? permitUnread(observed, 'gdb reads none') : permitOf(observed, tid);
  const missing = indispensable.filter((call) => permit(...call) !== 'allowed');
  if (missing.length > 0) {
    const list = missing
      .map((call) => `${call[0]} (${permit(...call) === 'deadly' ? 'it would be killed' : 'refused'})`)
      .join(', ');
    throw forbidden(observed, `its seccomp filter forbids what a restart needs: ${list}`);
  }
  return (name, ...args) => permit(name, ...args) === 'allowed';
}

function permitOf(observed: Observed, tid: number): Permit {
  const filters: Buffer[] = [];
  for (let index = 0; ; index++) {
    const filter = seccompFilter(tid, index);
    if (typeof filter !== 'number') {
      filters.push(filter);
    } else if (filter === -ENOENT) {
      return permitByFilters(filters);
    } else {
      return permitUnread(observed, describeErrno(filter));
    }
  }
}

function permitByFilters(filters: readonly Buffer[]): Permit {
  return (name, ...args) => {
    const action = judge(filters, seccompData(arch.syscalls[name], AUDIT_ARCH_X86_64, args.map(BigInt)));
    if (action === 'allow' || action === 'log') return 'allowed';
    return action === 'errno' ? 'refused' : 'deadly';
  };
}

/** The runtimes' default profiles allow every call made here but unshare, which is asked for only where it is allowed. */
function permitUnread(observed: Observed, why: string): Permit {
  const ownFilters = (observed.status.seccompFilters ?? 1) - filtersOfRuntime(observed);
  if (ownFilters > 0) {
    throw forbidden(
      observed,
      `it has a seccomp filter that cannot be read (${why}), so a call might kill it`,
      'run hotexec with CAP_SYS_ADMIN on a kernel with CONFIG_CHECKPOINT_RESTORE, so that it can read the filter',
    );
  }
  return (name) => (name === 'unshare' || name === 'set_mempolicy' ? 'refused' : 'allowed');
}

/**
 * Without a spec: a program needs no_new_privs or CAP_SYS_ADMIN to install one (seccomp(2)), so it cannot have; or hotexec itself has one
 * in the container beside it, where one runtime has started both.
 */
function filtersOfRuntime({ target, status }: Observed): number {
  const { spec, container } = target;
  if (spec !== null && spec.seccomp !== null) return spec.seccomp ? 1 : 0;
  if (container === null) return 0;
  const cannotInstall = status.noNewPrivs === false && ((status.capBnd ?? 0n) & CAP_SYS_ADMIN) === 0n;
  return cannotInstall ? 1 : Math.min(1, parseStatus(readFileSync('/proc/self/status', 'utf8')).seccompFilters ?? 0);
}

function forbidden(observed: Observed, why: string, hint: string | null = null): HotexecError {
  return new HotexecError({
    code: 'seccomp-forbids',
    message: `${observed.target.name}: ${why}. The process runs on unchanged.`,
    hint: hint ?? 'filters cannot be removed from a process; such a program needs a restart by its runtime',
  });
}

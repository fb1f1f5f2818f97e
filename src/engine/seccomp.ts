// Which system calls the target's seccomp filters let through. A filter may kill for a forbidden call, so hotexec reads the filters and
// never makes a call that is not allowed; where they cannot be read, the runtime's own profile is all that may be there.
import { arch, type SyscallName } from '../arch/arch.ts';
import { HotexecError } from '../errors.ts';
import { describeErrno, ENOENT } from '../native/errno.ts';
import { seccompFilter } from '../tracer/ptrace/requests.ts';
import { judge, seccompData } from './bpf.ts';
import type { Observed } from './observe.ts';

const AUDIT_ARCH_X86_64 = 0xc000_003e;

/** What becomes of a call; only `allowed` ones are made. */
export type Permission = 'allowed' | 'refused' | 'deadly';
export type Permit = (name: SyscallName, ...args: readonly (number | bigint)[]) => Permission;

const allowEverything: Permit = () => 'allowed';

/** Without these nothing can be restarted. */
const indispensable: readonly SyscallName[] = ['mmap', 'munmap', 'fcntl', 'execve'];

/** Reads the filters of a stopped tracee. Throws seccomp-forbids when a call that every restart needs is not allowed. */
export function readPermit(observed: Observed, tid: number): Permit {
  if (observed.status.seccomp === 0 || observed.status.seccomp === undefined) return allowEverything;
  if (observed.status.seccomp === 1)
    throw forbidden(observed, 'it runs in strict seccomp mode: only read, write and exit are allowed');
  const permit = permitOf(observed, tid);
  const missing = indispensable.filter((name) => permit(name) !== 'allowed');
  if (missing.length > 0) {
    const list = missing
      .map((name) => `${name} (${permit(name) === 'deadly' ? 'it would be killed' : 'refused'})`)
      .join(', ');
    throw forbidden(observed, `its seccomp filter forbids what a restart needs: ${list}`);
  }
  return permit;
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
      return permitUnread(observed, filter);
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
function permitUnread(observed: Observed, errno: number): Permit {
  const ownFilters = (observed.status.seccompFilters ?? 1) - (observed.target.spec?.seccomp === true ? 1 : 0);
  if (ownFilters > 0) {
    throw forbidden(
      observed,
      `it has a seccomp filter that cannot be read (${describeErrno(errno)}), so a call might kill it`,
      'run hotexec with CAP_SYS_ADMIN on a kernel with CONFIG_CHECKPOINT_RESTORE, so that it can read the filter',
    );
  }
  return (name) => (name === 'unshare' || name === 'set_mempolicy' ? 'refused' : 'allowed');
}

function forbidden(observed: Observed, why: string, hint: string | null = null): HotexecError {
  return new HotexecError({
    code: 'seccomp-forbids',
    message: `${observed.target.name}: ${why}. The process runs on unchanged.`,
    hint: hint ?? 'filters cannot be removed from a process; such a program needs a restart by its runtime',
  });
}

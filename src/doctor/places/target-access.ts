// Whether this user may trace the target: the reasons one by one (ptrace(2), "Ptrace access mode checking"), and last the
// kernel's own answer, got by opening /proc/PID/mem, which asks for the same right and touches nothing.
import { parseStatus, type ProcessStatus } from '../../procfs/status.ts';
import { blocked, no, unknown, yes, type Finding, type TargetPlace } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';
import { hasCapability, type Self } from '../self.ts';

export const targetAccess: TargetPlace = (machine, self, target) => {
  const text = valueOf(machine.readText(`/proc/${target.pid}/status`));
  if (text === null) return [unknown('access', 'its status cannot be read')];
  const status = parseStatus(text);
  const seen: Seen = { pid: target.pid, status, machine };
  return [sameUser(status, self), userNamespace(seen, self), ...dumpable(seen, self), access(seen)];
};

interface Seen {
  readonly pid: number;
  readonly status: ProcessStatus;
  readonly machine: Machine;
}

function sameUser({ uid, gid }: ProcessStatus, self: Self): Finding {
  const subject = 'same user';
  const isSame = isAll(uid, self.uid) && isAll(gid, self.gid);
  const owner = `uid ${uid?.[1] ?? '?'}, gid ${gid?.[1] ?? '?'}`;
  if (isSame) return yes(subject, `it runs as you, ${owner}`);
  if (hasCapability(self, 'CAP_SYS_PTRACE')) return yes(subject, `it runs as ${owner}; CAP_SYS_PTRACE reaches it`);
  return no(subject, `it runs as ${owner}, you as uid ${self.uid}, gid ${self.gid}`, 'sudo hotexec …');
}

/** Real, effective and saved; the file-system id does not count. */
function isAll(ids: ProcessStatus['uid'], wanted: number): boolean {
  return ids !== undefined && ids.slice(0, 3).every((id) => id === wanted);
}

function userNamespace({ pid, machine }: Seen, self: Self): Finding {
  const subject = 'user namespace';
  const own = valueOf(machine.readLink('/proc/self/ns/user'));
  const theirs = valueOf(machine.readLink(`/proc/${pid}/ns/user`));
  if (own === null || theirs === null) return unknown(subject, 'this user may not see in which one it is');
  if (own === theirs) return yes(subject, 'the same as ours');
  if (self.inInitialUserNamespace) return yes(subject, 'one of its own, below ours: our rights reach into it');
  return unknown(
    subject,
    'another one than ours: our rights reach it only if it is below ours',
    'run hotexec on the host',
  );
}

// The files of an undumpable process in /proc belong to root, whoever it runs as (proc(5), task_dump_owner).
function dumpable({ pid, status, machine }: Seen, self: Self): readonly Finding[] {
  const owner = valueOf(machine.stat(`/proc/${pid}/status`))?.uid;
  const effective = status.uid?.[1];
  if (owner === undefined || effective === undefined || owner === effective) return [];
  const meaning = 'it has set itself undumpable, or its file has special rights or cannot be read by its user';
  if (hasCapability(self, 'CAP_SYS_PTRACE')) return [yes('dumpable', `${meaning}; CAP_SYS_PTRACE reaches it`)];
  return [no('dumpable', meaning, 'sudo hotexec …')];
}

function access({ pid, machine }: Seen): Finding {
  const subject = 'access';
  const opened = machine.mayOpen(`/proc/${pid}/mem`);
  if (opened.kind === 'ok') return yes(subject, 'the kernel lets us trace it');
  if (opened.errno === 'EACCES' || opened.errno === 'EPERM') {
    return blocked(subject, 'the kernel does not let us trace it; the reasons are above', 'sudo hotexec …');
  }
  return unknown(subject, `opening /proc/${pid}/mem failed with ${opened.errno}`);
}

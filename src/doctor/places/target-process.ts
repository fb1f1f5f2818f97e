// The target as a process: is it still there, is it one that can be restarted at all, and does anything hold it.
import { INITIAL_PID_NAMESPACE_INODE, parseNamespaceLink } from '../../procfs/ns.ts';
import { isKernelThread, parseStat, type ProcessStat } from '../../procfs/stat.ts';
import { parseStatus } from '../../procfs/status.ts';
import { blocked, unknown, yes, type Finding, type TargetPlace } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';

export const targetProcess: TargetPlace = (machine, _self, target) => {
  const stat = statOf(target.pid, machine);
  if (stat === null || stat.startTicks !== target.startTicks) {
    return [blocked('process', `${target.name} (pid ${target.pid}) has ended`, 'hotexec ls')];
  }
  const kind = kindOf(stat, machine);
  return kind.blocking ? [kind] : [kind, tracer(target.pid, machine), program(target.pid, machine)];
};

function statOf(pid: number, machine: Machine): ProcessStat | null {
  const text = valueOf(machine.readText(`/proc/${pid}/stat`));
  return text === null ? null : parseStat(text);
}

function kindOf(stat: ProcessStat, machine: Machine): Finding {
  const subject = 'process';
  const name = `pid ${stat.pid}`;
  if (isKernelThread(stat)) return blocked(subject, `${name} is a kernel thread: it has no program`, 'name a process');
  if (stat.pid === 1 && inInitialPidNamespace(machine)) {
    return blocked(subject, 'pid 1 of the machine itself is never touched', "name a container's process");
  }
  if (stat.state === 'Z' && stat.numThreads <= 1) {
    return blocked(subject, `${name} has ended and waits for its parent`, `end or fix its parent, pid ${stat.ppid}`);
  }
  if (stat.state === 'T')
    return yes(
      subject,
      `${name} is stopped by a signal; the new program will be so too, until: kill -CONT ${stat.pid}`,
    );
  if (stat.state === 'D')
    return unknown(subject, `${name} is in an uninterruptible wait (state D); it can be held when that ends`);
  return yes(subject, `${name} is an ordinary process, with ${threads(stat.numThreads)}`);
}

function threads(count: number): string {
  return count === 1 ? 'one thread' : `${count} threads`;
}

function inInitialPidNamespace(machine: Machine): boolean {
  const link = valueOf(machine.readLink('/proc/self/ns/pid'));
  return link === null || parseNamespaceLink(link).inode === INITIAL_PID_NAMESPACE_INODE;
}

function tracer(pid: number, machine: Machine): Finding {
  const subject = 'tracer';
  const text = valueOf(machine.readText(`/proc/${pid}/status`));
  const tracerPid = text === null ? undefined : parseStatus(text).tracerPid;
  if (tracerPid === undefined) return unknown(subject, 'its status cannot be read');
  if (tracerPid === 0) return yes(subject, 'nobody traces it');
  const stat = statOf(tracerPid, machine);
  const who = stat === null ? `pid ${tracerPid}` : `${printable(stat.comm)} (pid ${tracerPid})`;
  return blocked(subject, `${who} traces it, and the kernel allows one tracer only`, `end ${who}`);
}

const elfMagic = Buffer.from('\x7fELF', 'latin1');
const elfClass64 = 2;
const machineX64 = 62;

/** e_ident and e_machine of the running file: an x32 program is x86-64 by its machine and 32-bit by its class. */
function program(pid: number, machine: Machine): Finding {
  const subject = 'its program';
  const head = valueOf(machine.readHead(`/proc/${pid}/exe`, 20));
  if (head === null || head.length < 20) return unknown(subject, 'this user may not read /proc/PID/exe');
  if (!head.subarray(0, 4).equals(elfMagic)) return unknown(subject, 'its file does not begin like ELF');
  const isSupported = head[4] === elfClass64 && head.readUInt16LE(18) === machineX64;
  if (isSupported) return yes(subject, 'a 64-bit x86 program');
  return blocked(subject, 'a 32-bit program, or one of another CPU: not supported', 'start it as a 64-bit program');
}

/** Names come from the target: nothing but plain characters may reach a terminal. */
function printable(comm: string): string {
  return comm.replaceAll(/[^\x21-\x7e]/g, '?');
}

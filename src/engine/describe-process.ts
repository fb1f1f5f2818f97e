// Descriptors, threads and namespaces in words, for inspect. A process may change while it is read: what is gone is left out.
import { readlinkSync } from 'node:fs';
import { syscallName } from '../arch/x64-names.ts';
import { readText } from '../procfs/read.ts';
import type { InspectedDescriptor, InspectedThread } from '../protocol/inspection.ts';
import { descriptorTarget, type Descriptor } from './descriptors.ts';
import type { Observed } from './observe.ts';
import { findSockets, socketInode } from './sockets.ts';

const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const;

export function describeDescriptors(tid: number, descriptors: readonly Descriptor[]): readonly InspectedDescriptor[] {
  const found = descriptors.map((descriptor) => ({ ...descriptor, target: descriptorTarget(tid, descriptor.fd) }));
  const inodes = found.flatMap(({ target }) => socketInode(target ?? '') ?? []);
  const sockets = findSockets(tid, new Set(inodes));
  return found.flatMap(({ fd, closeOnExec, nonBlocking, target }) => {
    if (target === null) return [];
    const inode = socketInode(target);
    return [{ fd, target, closeOnExec, nonBlocking, socket: inode === null ? null : (sockets.get(inode) ?? null) }];
  });
}

export function describeThreads(pid: number, threads: Observed['threads']): readonly InspectedThread[] {
  return threads.flatMap(({ tid, state }) => {
    const name = readText(`/proc/${pid}/task/${tid}/comm`);
    return name.kind === 'read' ? [{ tid, name: name.content.trim(), state, syscall: waitsIn(pid, tid) }] : [];
  });
}

/** /proc/PID/task/TID/syscall: number, arguments, sp, pc; `running`, or -1 outside of a call. */
function waitsIn(pid: number, tid: number): string | null {
  const text = readText(`/proc/${pid}/task/${tid}/syscall`);
  const number = text.kind === 'read' ? /^(\d+) /.exec(text.content)?.[1] : undefined;
  if (number === undefined) return null;
  return syscallName(Number(number)) ?? `syscall ${number}`;
}

export function namespacesOf(tid: number): Readonly<Record<string, string>> {
  return Object.fromEntries(namespaces.flatMap((name) => namespaceLink(tid, name)));
}

function namespaceLink(tid: number, name: string): readonly (readonly [string, string])[] {
  try {
    return [[name, readlinkSync(`/proc/${tid}/ns/${name}`)]];
  } catch {
    // Not a namespace of this kernel.
    return [];
  }
}

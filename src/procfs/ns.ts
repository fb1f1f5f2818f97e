// /proc/PID/ns/* (namespaces(7)): links like `pid:[4026531836]`. Two processes are in the same namespace when type and
// inode are equal.
import { parseInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

export interface Namespace {
  /** `pid`, `mnt`, `net`… For ns/pid_for_children it is `pid`. */
  readonly type: string;
  readonly inode: number;
}

/** PROC_PID_INIT_INO (include/linux/proc_ns.h): the host's own pid namespace. */
export const INITIAL_PID_NAMESPACE_INODE = 0xeffffffc;

/** Parses what readlink gives. Throws ParseError. */
export function parseNamespaceLink(link: string): Namespace {
  const [, type, inode] = /^([a-z_]+):\[(\d+)\]$/.exec(link) ?? [];
  if (type === undefined) throw new ParseError('ns', 'no namespace link', link);
  return { type, inode: parseInteger('ns', inode) };
}

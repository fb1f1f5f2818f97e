// fortio as a plain process, and whether somebody listens by now.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Words for a fortio that serves HTTP there and nothing else. */
export function fortioServer(address: string): readonly string[] {
  const off = ['-grpc-port', '-redirect-port', '-tcp-port', '-udp-port'].flatMap((flag) => [flag, 'disabled']);
  return ['server', '-http-port', address, ...off];
}

/** On any TCP port of IPv4. */
export function listens(pid: number): boolean {
  const inodes = readFileSync(`/proc/${pid}/net/tcp`, 'latin1').matchAll(/^ *\d+: \S+ \S+ 0A .*? (\d+) 1 /gm);
  const listening = new Set(Array.from(inodes, ([, inode = '']) => `socket:[${inode}]`));
  return readdirSync(`/proc/${pid}/fd`).some((fd) => listening.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
}

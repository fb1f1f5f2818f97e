// SHA-256, with node:crypto loaded only when there is something to digest: all of OpenSSL costs a fresh engine 10 ms (measured, Node 24).
import type { Hash } from 'node:crypto';

export function sha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}

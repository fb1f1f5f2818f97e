// Random bytes from getrandom(2): loading node:crypto (all of OpenSSL) for sixteen of them costs a fresh engine 10 ms (measured, Node 24).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

const staging = allocate(256);

/** At most 256, which the kernel always gives whole. */
export function randomBytes(sizeBytes: number): Buffer {
  if (sizeBytes > staging.bytes.length)
    throw new RangeError(`${sizeBytes} random bytes are more than ${staging.bytes.length}`);
  const given = syscall(arch.syscalls.getrandom, staging.address, sizeBytes, 0);
  if (given !== sizeBytes) throw new Error(`getrandom answered ${given}`);
  return Buffer.from(staging.bytes.subarray(0, sizeBytes));
}

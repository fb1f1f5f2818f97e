// Scratch memory in the target, and in it everything execve is given. The address is ours to choose (MAP_FIXED_NOREPLACE), so that a
// mender can look there: the nonce is present as long as the old program is.
import { readFileSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import { describeErrno, EEXIST } from '../native/errno.ts';
import { findGap } from '../procfs/gap.ts';
import { parseMaps } from '../procfs/maps.ts';
import { layOutScratch, scratchSizeBytes, type ExecArguments, type ScratchLayout } from '../remote/scratch.ts';
import type { Hold } from './hold.ts';

export const PROT_READ_WRITE = 3;
export const MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE: number = 0x02 | 0x20 | 0x10_0000;

export interface Scratch {
  readonly address: bigint;
  readonly layout: ScratchLayout;
}

/** 256 bytes for the structures of calls. */
export function roomIn({ address, layout }: Scratch): bigint {
  return address + BigInt(layout.room);
}

/** Chosen before the hold: the maps of a large program take long to read. */
export function chooseScratch(tid: number, program: ExecArguments): Scratch {
  const sizeBytes = scratchSizeBytes(program);
  const address = findGap(parseMaps(readFileSync(`/proc/${tid}/maps`, 'latin1')), sizeBytes);
  if (address === undefined) {
    throw new HotexecError({
      code: 'remote-call-failed',
      message: `the target has no free address range of ${sizeBytes} bytes. Nothing was touched.`,
      hint: null,
    });
  }
  return { address, layout: layOutScratch(program, address) };
}

/** Maps and fills it. The nonce is written first: from then on the mapping can be told from any other. */
export function mapScratch(held: Hold, scratch: Scratch): Disposable {
  const { address, layout } = scratch;
  const change = held.change({
    kind: 'mapping',
    address: `0x${address.toString(16)}`,
    sizeBytes: layout.sizeBytes,
    nonce: layout.nonce.toString('hex'),
  });
  const mapped = held.thread.call(
    'mmap',
    address,
    layout.sizeBytes,
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
    -1,
    0,
  );
  const written = mapped < 0 ? mapped : held.thread.write(address, layout.bytes);
  if (written >= 0) return change;
  change[Symbol.dispose]();
  throw new HotexecError({
    code: 'remote-call-failed',
    message: `scratch memory of ${layout.sizeBytes} bytes could not be had in the target: ${describeErrno(written)}. It runs on unchanged.`,
    hint:
      written === -EEXIST
        ? 'it mapped something there at that very moment: try again'
        : 'it may be at its memory limit',
  });
}

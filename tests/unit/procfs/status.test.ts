// Captured on Linux 6.18 (x86-64) and in gVisor.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { parseStatus, signalsIn } from '../../../src/procfs/status.ts';
import { findCrash } from './total.ts';

const CAT = `Name:	cat
Umask:	0022
State:	R (running)
Tgid:	4314
Ngid:	0
Pid:	4314
PPid:	4308
TracerPid:	0
Uid:	0	1	2	3
Gid:	100	101	102	103
FDSize:	256
Groups:	4 24 27 
NStgid:	4314	7
NSpid:	4314	7
NSpgid:	4308
NSsid:	3013
Kthread:	0
VmRSS:	    1768 kB
RssAnon:	     116 kB
VmSwap:	       0 kB
THP_enabled:	1
untag_mask:	0xffffffffffffffff
Threads:	1
SigQ:	0/96365
SigPnd:	0000000000000000
ShdPnd:	0000000000000100
SigBlk:	0000000000010000
SigIgn:	0000000000001000
SigCgt:	0000000180004002
CapInh:	0000000000000000
CapPrm:	000001fffeffffff
CapEff:	000001fffeffffff
CapBnd:	000001fffeffffff
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2
Seccomp_filters:	1
Speculation_Store_Bypass:	vulnerable
SpeculationIndirectBranch:	always enabled
Cpus_allowed:	3
Cpus_allowed_list:	0-1
`;
const GVISOR = `Name:	sleep
State:	S (sleeping)
Tgid:	2
Pid:	2
PPid:	1
TracerPid:	0
FDSize:	4
Threads:	1
CapInh:	0000000000000000
Seccomp:	0
`;

describe('parseStatus', () => {
  it('reads every line it knows', () => {
    expect(parseStatus(CAT)).toStrictEqual({
      name: 'cat',
      state: 'R (running)',
      pid: 4314,
      tgid: 4314,
      ngid: 0,
      ppid: 4308,
      tracerPid: 0,
      uid: [0, 1, 2, 3],
      gid: [100, 101, 102, 103],
      fdSize: 256,
      groups: [4, 24, 27],
      nsTgid: [4314, 7],
      nsPid: [4314, 7],
      kernelThread: false,
      threads: 1,
      sigQueue: { used: 0, limit: 96_365 },
      sigPnd: 0n,
      shdPnd: 0x100n,
      sigBlk: 0x1_0000n,
      sigIgn: 0x1000n,
      sigCgt: 0x1_8000_4002n,
      capInh: 0n,
      capPrm: 0x1ff_feff_ffffn,
      capEff: 0x1ff_feff_ffffn,
      capBnd: 0x1ff_feff_ffffn,
      capAmb: 0n,
      noNewPrivs: false,
      seccomp: 2,
      seccompFilters: 1,
      umask: 0o22,
      vmRssBytes: 1768 * 1024,
      rssAnonBytes: 116 * 1024,
      thpEnabled: true,
      speculationStoreBypass: 'vulnerable',
      speculationIndirectBranch: 'always enabled',
    });
  });

  it('leaves undefined what a kernel does not print', () => {
    const status = parseStatus(GVISOR);
    expect(status.pid).toBe(2);
    expect([status.umask, status.uid, status.seccompFilters, status.sigBlk, status.vmRssBytes]).toStrictEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('gives no groups for a process that has none', () => {
    expect(parseStatus(CAT.replace('4 24 27 ', ' ')).groups).toStrictEqual([]);
  });

  it('undoes the escapes in the name', () => {
    expect(parseStatus(CAT.replace('cat', String.raw`) R (x\n\\y`)).name).toBe(') R (x\n\\y');
    expect(parseStatus(CAT.replace('cat', String.raw`\\n`)).name).toBe(String.raw`\n`);
    expect(parseStatus(CAT.replace('cat', ' spaced ')).name).toBe(' spaced ');
  });

  it.each([
    ['no Pid', CAT.replace('\nPid:', '\nPidx:')],
    ['three uids', CAT.replace('0	1	2	3', '0	1	2')],
    ['a mask with a prefix', CAT.replace('0000000000000100', '0x100')],
    ['an umask that is not octal', CAT.replace('0022', '0892')],
    ['no text', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseStatus(text)).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseStatus, CAT)).toBeUndefined();
  });
});

describe('signalsIn', () => {
  it('numbers the bits from 1', () => {
    expect(signalsIn(0x1_8000_4002n)).toStrictEqual([2, 15, 32, 33]);
    expect(signalsIn(0n)).toStrictEqual([]);
    expect(signalsIn(1n << 63n)).toStrictEqual([64]);
  });

  it('is the reverse of setting bits', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 64 })), (signals) => {
        const mask = signals.reduce((sum, signal) => sum | (1n << BigInt(signal - 1)), 0n);
        expect(signalsIn(mask)).toStrictEqual(signals.toSorted((a, b) => a - b));
      }),
    );
  });
});

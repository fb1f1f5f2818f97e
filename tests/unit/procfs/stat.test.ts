// Captured on Linux 6.18 (x86-64).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { isKernelThread, parseStat } from '../../../src/procfs/stat.ts';
import { findCrash } from './total.ts';

const CAT =
  '4313 (cat) R 4308 4308 3013 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 163350 3133440 388 18446744073709551615 94208669511680 94208669531561 140729467428240 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 94208669547568 94208669549184 94209164357632 140729467431618 140729467431638 140729467431638 140729467432939 0\n';
// A process that calls itself `) R (x<line break>\y`.
const ODD_NAME = CAT.replace('(cat)', '() R (x\n\\y)');
const KTHREADD =
  '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 18446744073709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n';

describe('parseStat', () => {
  it('reads the fields by their numbers in proc_pid_stat(5)', () => {
    expect(parseStat(CAT)).toStrictEqual({
      pid: 4313,
      comm: 'cat',
      cpuTicks: 0,
      state: 'R',
      ppid: 4308,
      pgrp: 4308,
      session: 3013,
      ttyNr: 0,
      flags: 4_194_304,
      numThreads: 1,
      startTicks: 163_350,
      vsizeBytes: 3_133_440n,
      rssPages: 388,
      startCode: 94_208_669_511_680n,
      endCode: 94_208_669_531_561n,
      startStack: 140_729_467_428_240n,
      kstkeip: 0n,
      exitSignal: 17,
      startData: 94_208_669_547_568n,
      endData: 94_208_669_549_184n,
      startBrk: 94_209_164_357_632n,
      argStart: 140_729_467_431_618n,
      argEnd: 140_729_467_431_638n,
      envStart: 140_729_467_431_638n,
      envEnd: 140_729_467_432_939n,
    });
  });

  it('is not misled by parentheses, spaces and line breaks in the name', () => {
    expect(parseStat(ODD_NAME)).toStrictEqual({ ...parseStat(CAT), comm: ') R (x\n\\y' });
  });

  it('adds up the CPU time that was used in the program and in the kernel', () => {
    expect(parseStat(CAT.replace(' 102 0 0 0 0 0 ', ' 102 0 0 0 7 5 ')).cpuTicks).toBe(12);
  });

  it('gives any name back as it was', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15, unit: 'binary-ascii' }), (comm) => {
        expect(parseStat(CAT.replace('(cat)', () => `(${comm})`)).comm).toBe(comm);
      }),
    );
  });

  it('shows a state letter it does not know as ?', () => {
    expect(parseStat(CAT.replace(') R', ') Q')).state).toBe('?');
  });

  it.each([
    '',
    '4313 (cat',
    '4313 cat) R 1',
    '4313 (cat) R 1 2 3',
    CAT.replace('163350', 'x'),
    CAT.replace(') R', ') '),
  ])('refuses what no kernel writes: %j', (text) => {
    expect(() => parseStat(text)).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseStat, CAT)).toBeUndefined();
  });
});

describe('isKernelThread', () => {
  it('tells kernel threads from processes', () => {
    expect(isKernelThread(parseStat(KTHREADD))).toBe(true);
    expect(isKernelThread(parseStat(CAT))).toBe(false);
  });

  it('sees the flag also when the highest bit is set', () => {
    expect(isKernelThread({ flags: 0x8020_0000 })).toBe(true);
    expect(isKernelThread({ flags: 0x8000_0000 })).toBe(false);
  });
});

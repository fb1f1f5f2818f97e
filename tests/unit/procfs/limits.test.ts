// Captured on Linux 6.18.
import { describe, expect, it } from 'vitest';
import { limitNames, parseLimits } from '../../../src/procfs/limits.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             96365                96365                processes 
Max open files            20000                1048576              files     
Max locked memory         8388608              8388608              bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       96365                96365                signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`;

describe('parseLimits', () => {
  it('reads all sixteen, with the numbers prlimit(2) takes', () => {
    const limits = parseLimits(LIMITS);
    expect(limitNames.map((name) => limits[name]?.number)).toStrictEqual([...Array(16).keys()]);
    expect(limits.RLIMIT_STACK).toStrictEqual({ number: 3, soft: 8_388_608n, hard: 'unlimited' });
    expect(limits.RLIMIT_NOFILE).toStrictEqual({ number: 7, soft: 20_000n, hard: 1_048_576n });
    expect(limits.RLIMIT_NICE).toStrictEqual({ number: 13, soft: 0n, hard: 0n });
    expect(limits.RLIMIT_RTTIME).toStrictEqual({ number: 15, soft: 'unlimited', hard: 'unlimited' });
  });

  it('reads numbers that fill their column', () => {
    const text = LIMITS.replace('20000                1048576 ', '18446744073709551614 18446744073709551614 ');
    expect(parseLimits(text).RLIMIT_NOFILE?.hard).toBe(18_446_744_073_709_551_614n);
  });

  it('leaves out what is not printed', () => {
    expect(parseLimits('Limit  Soft Limit\nMax cpu time   1  2  seconds\nMax new thing  1 2 x\n')).toStrictEqual({
      RLIMIT_CPU: { number: 0, soft: 1n, hard: 2n },
    });
  });

  it('refuses a limit that is no number', () => {
    expect(() => parseLimits(LIMITS.replace('20000', 'many'))).toThrow(ParseError);
    expect(() => parseLimits(LIMITS.replace('20000', '-1'))).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseLimits, LIMITS)).toBeUndefined();
  });
});

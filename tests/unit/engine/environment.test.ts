import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf } from '../../../src/engine/program.ts';
import type { ProgramChange } from '../../../src/protocol/request.ts';
import { choose, environmentOf } from './choices.ts';
import { change, words } from './observed.ts';

describe('the environment', () => {
  const environ = words('A=1', 'B=2', 'A=again', 'C');
  const after = (env: Partial<ProgramChange['env']>): readonly string[] =>
    environmentOf(choose({ program: { environ } }, change({ env })));

  it('stays as it is, doubles and words without a value included', () => {
    expect(after({})).toStrictEqual(['A=1', 'B=2', 'A=again', 'C']);
  });

  it('loses every entry of a name that is unset', () => {
    expect(after({ unset: ['A', 'C', 'D'] })).toStrictEqual(['B=2']);
  });

  it('has what is set once, at the end', () => {
    expect(after({ set: [['A', '3']] })).toStrictEqual(['B=2', 'C', 'A=3']);
  });

  it('has the last of two values: --env over --env-file', () => {
    const set = [
      ['A', 'of the file'],
      ['D', 'of the file'],
      ['A', 'of the flag'],
    ] as const;
    expect(after({ set })).toStrictEqual(['B=2', 'C', 'A=of the flag', 'D=of the file']);
  });

  it('has what is set and unset', () => {
    expect(after({ set: [['A', '3']], unset: ['A'] })).toContain('A=3');
  });

  it('does not lose the names that only begin alike', () => {
    const similar = words('AB=1', 'A=1', '=A=1');
    const chosen = choose({ program: { environ: similar } }, change({ env: { unset: ['A'] } }));
    expect(environmentOf(chosen)).toStrictEqual(['AB=1', '=A=1']);
  });

  it('may be set to nothing, to a value with = and to several lines', () => {
    const set = [
      ['EMPTY', ''],
      ['X', 'a=b\nc'],
    ] as const;
    expect(after({ set, unset: ['A', 'B', 'C'] })).toStrictEqual(['EMPTY=', 'X=a=b\nc']);
  });
});

describe('bytes that are not UTF-8', () => {
  const bytes = fc.uint8Array({ min: 1, max: 255, maxLength: 40 }).map((array) => Buffer.from(array));

  it('stay as they are in arguments and environment', () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1 }), fc.array(bytes), (argv, environ) => {
        const { program } = choose({ program: { argv: words(...argv), environ: words(...environ) } });
        expect(program.argv).toStrictEqual(argv);
        expect(program.environment).toStrictEqual(environ);
      }),
    );
  });

  it('stay as they are in what a change of another variable leaves alone', () => {
    const entry = Buffer.from('58ff3dfe', 'hex');
    const chosen = choose({ program: { environ: words(entry, 'A=1') } }, change({ env: { set: [['A', '2']] } }));
    expect(chosen.program.environment).toStrictEqual([entry, Buffer.from('A=2')]);
  });

  it('stay as they are in the arguments of a script', () => {
    const odd = Buffer.of(0xff);
    const argv = words('/bin/sh', '/docker-entrypoint.sh', odd);
    const chosen = choose({ program: { execPath: '/docker-entrypoint.sh', exe: '/bin/sh', argv } });
    expect(chosen.program.argv).toStrictEqual([Buffer.from('/docker-entrypoint.sh'), odd]);
  });
});

describe('nameOf', () => {
  it.each([
    ['A=1', 'A'],
    ['A', 'A'],
    ['A=b=c', 'A'],
    ['=x', ''],
    ['', ''],
  ])('%j is named %j', (entry, name) => {
    expect(nameOf(Buffer.from(entry))).toBe(name);
  });
});

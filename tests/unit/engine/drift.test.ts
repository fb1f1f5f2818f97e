import { describe, expect, it } from 'vitest';
import { driftOf } from '../../../src/engine/drift.ts';
import type { Drift } from '../../../src/protocol/inspection.ts';
import { observedProcess, overwritten, words, type Differences } from './observed.ts';

function drift(differences: Differences, look: Partial<Parameters<typeof driftOf>[1]> = {}): readonly Drift[] {
  return driftOf(observedProcess(differences), { showEnvironment: false, exeStands: true, ...look });
}

it('is none in a freshly started container', () => {
  expect(drift({})).toStrictEqual([]);
});

describe('the executable', () => {
  it.each<[string, Differences, boolean, object]>([
    ['was replaced on disk', { program: { exeReplaced: true } }, true, { state: 'replaced', path: '/usr/sbin/nginx' }],
    ['was deleted', { program: { exeReplaced: true } }, false, { state: 'deleted', path: '/usr/sbin/nginx' }],
    [
      'is in memory',
      { program: { exe: '/memfd:nginx', exeReplaced: true } },
      false,
      { state: 'in-memory', path: '/memfd:nginx' },
    ],
    [
      'is another, with the words of the spec',
      { program: { execPath: '/opt/nginx', argv: words('/usr/sbin/nginx') }, spec: { args: ['/usr/sbin/nginx'] } },
      true,
      { state: 'other', path: '/opt/nginx' },
    ],
  ])('%s', (...[, differences, exeStands, expected]) => {
    expect(drift(differences, { exeStands })).toStrictEqual([{ kind: 'executable', ...expected }]);
  });

  it('is looked at without a spec too, and nothing else is', () => {
    expect(drift({ spec: null, program: { exeReplaced: true, cwd: '/tmp' } })).toMatchObject([{ kind: 'executable' }]);
    expect(drift({ spec: null, program: { cwd: '/tmp' } })).toStrictEqual([]);
  });
});

describe('the arguments', () => {
  it('are shown beside those of the spec where they differ', () => {
    expect(drift({ program: { argv: words('nginx', '-t') } })).toStrictEqual([
      { kind: 'arguments', running: ['nginx', '-t'], spec: ['nginx', '-g', 'daemon off;'] },
    ]);
  });

  it.each([
    ['a script', '/entry.sh', ['/entry.sh', 'x'], ['/bin/sh', '/entry.sh', 'x']],
    ['a script with an argument in its first line', '/entry.sh', ['/entry.sh'], ['/bin/sh', '-e', '/entry.sh']],
    ['a script found in the PATH', '/usr/bin/entry.sh', ['entry.sh', 'x'], ['/bin/sh', '/usr/bin/entry.sh', 'x']],
  ])(
    'of %s are those of the spec, although the kernel has put its interpreter before them',
    (...[, execPath, args, argv]) => {
      expect(drift({ program: { execPath, argv: words(...argv) }, spec: { args } })).toStrictEqual([]);
    },
  );

  it('are not compared where the process has overwritten them, or the spec does not tell', () => {
    expect(drift({ program: { argv: overwritten } })).toStrictEqual([]);
    expect(drift({ program: { argv: words('x') }, spec: { args: null } })).toStrictEqual([]);
  });
});

describe('the environment', () => {
  const spec = { env: ['PATH=/bin', 'A=1', 'GONE=secret'] };
  const program = { environ: words('PATH=/bin', 'A=secret', 'NEW=secret', 'HOME=/root') };

  it('is told by names, without values', () => {
    expect(drift({ program, spec })).toStrictEqual([
      { kind: 'environment', added: ['NEW'], removed: ['GONE'], changed: ['A'] },
    ]);
  });

  it('is told with values where they were asked for', () => {
    expect(drift({ program, spec }, { showEnvironment: true })).toStrictEqual([
      { kind: 'environment', added: ['NEW=secret'], removed: ['GONE=secret'], changed: ['A=secret'] },
    ]);
  });

  it('has what the runtime adds by itself, and that is no difference', () => {
    const environ = words('PATH=/bin', 'HOSTNAME=3f9a', 'TERM=xterm', 'HOME=/root');
    expect(drift({ program: { environ }, spec: { env: [], source: 'api' } })).toStrictEqual([]);
    expect(drift({ program: { environ }, spec: { env: [] } })).toMatchObject([{ added: ['PATH', 'HOSTNAME', 'TERM'] }]);
  });

  it('is not compared where the process has overwritten it', () => {
    expect(drift({ program: { environ: overwritten } })).toStrictEqual([]);
  });
});

it('the directory is compared where the spec has one', () => {
  expect(drift({ program: { cwd: '/tmp' }, spec: { cwd: '/srv' } })).toStrictEqual([
    { kind: 'directory', running: '/tmp', spec: '/srv' },
  ]);
  expect(drift({ program: { cwd: '/tmp' }, spec: { cwd: null } })).toStrictEqual([]);
});

import { expect, it } from 'vitest';
import { renderInspection } from '../../../src/cli/render/inspect-text.ts';
import { styleFor } from '../../../src/cli/render/style.ts';
import { inspection } from '../../support/samples.ts';

const plain = styleFor({ colours: false });

it('an inspection of what is not what the container was told to run', () => {
  const drift = [
    { kind: 'executable', state: 'in-memory', path: '/memfd:nginx' },
    { kind: 'arguments', running: ['nginx', '-t'], spec: ['nginx', '-g', 'daemon off;'] },
    { kind: 'environment', added: ['A', 'B'], removed: ['C'], changed: [] },
    { kind: 'directory', running: '/tmp', spec: '/' },
  ] as const;
  expect(renderInspection({ ...inspection, drift }, plain)).toContain(`
Drift
  executable         /memfd:nginx is in memory alone: a fresh start runs the file on disk
  arguments          nginx -t
                     the spec has nginx -g 'daemon off;'
  added variables    A B
  removed variables  C
  directory          /tmp, the spec has /

Memory
`);
});

it('an inspection shows changed values one on a line, escaped', () => {
  const drift = [{ kind: 'environment', added: ['A=x y', 'B=\u001b[m'], removed: [], changed: [] }] as const;
  expect(renderInspection({ ...inspection, drift }, plain)).toContain(
    'Drift\n  added variables  A=x y\n                   B=\\x1b[m\n',
  );
});

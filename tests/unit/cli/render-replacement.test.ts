import { describe, expect, it } from 'vitest';
import { renderPlan } from '../../../src/cli/render/plan-text.ts';
import { renderRestart } from '../../../src/cli/render/restart-text.ts';
import { styleFor } from '../../../src/cli/render/style.ts';
import { uploadMeter } from '../../../src/cli/render/upload.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { plan, restartResult } from '../../support/samples.ts';

const plain = styleFor({ colours: false });

describe('a replacement', () => {
  it('tells the files it has brought', () => {
    const files = [
      { path: '/usr/sbin/nginx', change: 'replaced', digest: 'ab', sizeBytes: 1_572_864, keptAs: '/usr/sbin/.old' },
      { path: '/etc/nginx/a b.conf', change: 'created', digest: 'cd', sizeBytes: 512, keptAs: null },
      { path: '/etc/nginx/old.conf', change: 'removed', digest: null, sizeBytes: 0, keptAs: '/etc/nginx/.old' },
    ] as const;
    const probation = { end: 'answered', ms: 1234 } as const;
    expect(renderRestart({ ...restartResult, files, probation, children: { killed: 0 } }, plain))
      .toBe(`docker/web restarted in place
  pid        4711, the same
  container  3f9a0c1d2e4b (web, docker), the same
  program    nginx -g 'daemon off;'
  replaced   /usr/sbin/nginx, 1.5 MiB, the old one is kept
  created    /etc/nginx/a b.conf, 512 B
  removed    /etc/nginx/old.conf
  finished   in 41.7 ms after SIGQUIT, exit code 0
  watched    1.23 s, until it answered the probe
  held       2.4 ms of 118 ms
`);
  });

  it('in memory says what differs', () => {
    const files = [
      { path: 'memfd:nginx', change: 'in-memory', digest: 'ab', sizeBytes: 2_097_152, keptAs: null },
    ] as const;
    expect(renderRestart({ ...restartResult, files }, plain)).toContain(
      '  in memory  memfd:nginx, 2.0 MiB; a fresh start runs the file on disk\n',
    );
  });

  it('of hundreds of files shows twenty', () => {
    const file = { change: 'created', digest: 'ab', sizeBytes: 1, keptAs: null } as const;
    const files = Array.from({ length: 300 }, (_, index) => ({ ...file, path: `/srv/${index}` }));
    const text = renderRestart({ ...restartResult, files }, plain);
    expect(text.match(/^ {2}created/gm)).toHaveLength(20);
    expect(text).toContain('  ...        280 files more (-o json has them all)\n');
  });

  it('that was rolled back tells how the new program ended, and what was put back', () => {
    const result: RestartResult = {
      ...restartResult,
      outcome: 'rolled-back',
      after: { exe: '/usr/sbin/nginx', argv: ['nginx', '-x'], cwd: '/' },
      files: [
        { path: '/usr/sbin/nginx', change: 'replaced', digest: 'ab', sizeBytes: 1, keptAs: null },
        { path: '/etc/new.conf', change: 'created', digest: 'ab', sizeBytes: 1, keptAs: null },
        { path: 'memfd:nginx', change: 'in-memory', digest: 'ab', sizeBytes: 1, keptAs: null },
      ],
      probation: { end: 'failed', ms: 311 },
      failed: { exitCode: 1, signal: null, reason: 'exit', afterMs: 310.4 },
      children: { killed: 0 },
    };
    expect(renderRestart(result, plain)).toBe(`docker/web is back on its previous program: the new one failed
  pid          4711, the same
  container    3f9a0c1d2e4b (web, docker), the same
  program      nginx -g 'daemon off;'
  put back     /usr/sbin/nginx
  removed      /etc/new.conf
  new program  exited with 1, 310 ms after its start
  finished     in 41.7 ms after SIGQUIT, exit code 0
  held         2.4 ms of 118 ms
`);
  });

  it.each([
    ['time', '  watched    2.00 s, and it runs\n'],
    ['ended', '  watched    2.00 s, until it had done its work and exited with 0\n'],
    ['cut-short', '  watched    2.00 s, then hotexec had to let it go\n'],
  ] as const)('whose probation ended by %s', (end, row) => {
    expect(renderRestart({ ...restartResult, probation: { end, ms: 2000 } }, plain)).toContain(row);
  });

  it('as a plan tells what it would bring', () => {
    const files = [
      { path: '/usr/sbin/nginx', change: 'replaced', sizeBytes: 1024, from: '/home/me/nginx' },
      { path: '/etc/nginx/nginx.conf', change: 'created', sizeBytes: 12, from: '/home/me/n.conf\u001b' },
    ] as const;
    expect(renderPlan({ ...plan, files, notFresh: [], warnings: [], steps: [] }, plain))
      .toBe(`docker/web can be restarted in place (nothing was touched)
  pid          4711
  container    3f9a0c1d2e4b (web, docker)
  before       nginx -g 'daemon off;'
  after        nginx -t
  directory    / -> /srv
  environment  PATH HOSTNAME NGINX_VERSION
  replaces     /usr/sbin/nginx, 1.0 KiB from /home/me/nginx
  creates      /etc/nginx/nginx.conf, 12 B from /home/me/n.conf\\x1b
  finishes     when it gets SIGQUIT; replaced by force after 10 s
  listener     tcp 0.0.0.0:80, will be handed over
  listener     unix-stream /run/\\x1b.sock, will not be handed over, as asked for
`);
  });
});

it('progress of a file says how much of it is there, and how fast', () => {
  const clock = { ms: 1000 };
  const meter = uploadMeter(() => clock.ms);
  const at = (ms: number, path: string, doneBytes: number): string => {
    clock.ms = ms;
    return meter({ kind: 'upload', path, doneBytes, totalBytes: 200_000_000 });
  };
  expect(at(1000, '/bin/app', 1_000_000)).toBe('bringing /bin/app into the container, 0 %');
  expect(at(1100, '/bin/app', 52_000_000)).toBe('bringing /bin/app into the container, 26 %, 510 MB/s');
  expect(at(1500, '/etc/\u001b', 201_000_000)).toBe(String.raw`bringing /etc/\x1b into the container, 100 %, 400 MB/s`);
});

it('progress of empty files is all there is', () => {
  const meter = uploadMeter(() => 0);
  expect(meter({ kind: 'upload', path: '/empty', doneBytes: 0, totalBytes: 0 })).toBe(
    'bringing /empty into the container, 100 %',
  );
});

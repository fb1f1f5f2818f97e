import { describe, expect, it } from 'vitest';
import { change, overwritten, words, type Differences } from './observed.ts';
import { choose, commandOf, containing, environmentOf } from './choices.ts';
import { refusal } from '../../support/refusal.ts';

const found = (command: readonly string[], differences: Differences = {}): string =>
  commandOf(choose(differences, change({ command })))[0] ?? '';

describe('the same program again', () => {
  it('has the path, the arguments and the environment it was started with, and warns of nothing', () => {
    expect(choose({})).toStrictEqual({
      program: {
        path: Buffer.from('/usr/sbin/nginx'),
        argv: [Buffer.from('nginx'), Buffer.from('-g'), Buffer.from('daemon off;')],
        environment: [Buffer.from('PATH=/usr/sbin:/usr/bin'), Buffer.from('HOSTNAME=3f9a0c1d2e4b')],
        cwd: '/',
        memory: null,
      },
      warnings: [],
    });
  });

  it('goes through the symlink that it was started by, not to what that meant then', () => {
    const chosen = choose(
      { program: { execPath: '/app/current/server', exe: '/app/v1/server', argv: words('server') } },
      change(),
      containing({ '/app/current/server': 'program', '/app/v1/server': 'program' }),
    );
    expect(commandOf(chosen)).toStrictEqual(['/app/current/server', 'server']);
  });

  it.each(['nginx', './nginx', '/proc/self/fd/7', '/proc/self/exe', '/dev/fd/7', null])(
    'is the running executable when it was started as %s',
    (execPath) => {
      expect(commandOf(choose({ program: { execPath } }))[0]).toBe('/usr/sbin/nginx');
    },
  );

  it('is the running executable when nothing stands any more where it was started from', () => {
    expect(commandOf(choose({ program: { execPath: '/mnt/gone/nginx' } }))[0]).toBe('/usr/sbin/nginx');
  });

  it('is the path it was started by when the running executable is gone as well', () => {
    const chosen = choose({ program: { execPath: '/mnt/gone/nginx', exe: '/mnt/gone/nginx-1.0' } });
    expect(commandOf(chosen)[0]).toBe('/mnt/gone/nginx');
  });

  it('tells when the file was replaced since the program started', () => {
    expect(choose({ program: { exeReplaced: true } }).warnings).toStrictEqual([
      '/usr/sbin/nginx was replaced on disk since the program started: the new file is started',
    ]);
  });

  it('starts in the directory that the container gives, or where the process is when no spec tells', () => {
    expect(choose({ program: { cwd: '/tmp' }, spec: { cwd: '/srv' } }).program.cwd).toBe('/srv');
    expect(choose({ program: { cwd: '/tmp' }, spec: null }).program.cwd).toBeNull();
    expect(choose({ spec: { cwd: '/srv' } }, change({ cwd: '/opt' })).program.cwd).toBe('/opt');
  });
});

describe('a script', () => {
  const script = { execPath: '/docker-entrypoint.sh', exe: '/bin/sh' };

  it.each([
    ['without an argument of its first line', ['/bin/sh', '/docker-entrypoint.sh', 'nginx', '-t']],
    ['with an argument of its first line', ['/bin/sh', '-eu', '/docker-entrypoint.sh', 'nginx', '-t']],
  ])('is started as a script again: %s', (_, argv) => {
    const chosen = choose({ program: { ...script, argv: words(...argv) } });
    expect(commandOf(chosen)).toStrictEqual(['/docker-entrypoint.sh', '/docker-entrypoint.sh', 'nginx', '-t']);
  });

  it('that has been put where a program was: its interpreter goes on with the arguments as they are', () => {
    const chosen = choose({ program: { ...script, argv: words('sh', '-c', 'exec nginx') } });
    expect(commandOf(chosen)).toStrictEqual(['/bin/sh', 'sh', '-c', 'exec nginx']);
  });

  it('that was started by a relative path runs by its interpreter, in the same words', () => {
    const chosen = choose({ program: { execPath: './run.sh', exe: '/bin/sh', argv: words('/bin/sh', './run.sh') } });
    expect(commandOf(chosen)).toStrictEqual(['/bin/sh', '/bin/sh', './run.sh']);
  });

  it.each(['/dev/fd/3', '/dev/fd/63', '/proc/self/fd/12'])('that came through %s is refused', (path) => {
    expect(refusal(() => choose({ program: { argv: words('bash', path, 'x') } }))).toStrictEqual({
      code: 'program-unknown',
      message: `docker/web: the program was given ${path}, a descriptor that a new program does not get. Nothing was touched.`,
      hint: 'name a command that can be started anew: hotexec restart TARGET -- COMMAND ARG...',
      details: {},
    });
  });

  it.each(['/dev/fd/0', '/dev/fd/2', '/dev/stdin', '/dev/fd/x', '/srv/dev/fd/3'])('may be given %s', (path) => {
    expect(commandOf(choose({ program: { argv: words('nginx', path) } }))).toContain(path);
  });
});

describe('a process that has overwritten its arguments', () => {
  const renamed: Differences = { program: { argv: overwritten } };

  it('is started as the spec says, found in the PATH of the container, and the user is told', () => {
    const chosen = choose({ ...renamed, spec: { args: ['nginx', '-q'] } });
    expect(commandOf(chosen)).toStrictEqual(['/usr/sbin/nginx', 'nginx', '-q']);
    expect(chosen.warnings).toStrictEqual([
      'the process has overwritten its arguments: they are taken from the container spec',
    ]);
  });

  it.each([null, { args: null }, { args: [] }])('is refused without a spec that tells (%j)', (spec) => {
    expect(refusal(() => choose({ ...renamed, spec }))).toStrictEqual({
      code: 'program-unknown',
      message:
        'docker/web: the process no longer tells its arguments (it does not end with a NUL) and there is no container spec to take them from. Nothing was touched.',
      hint: 'name the command: hotexec restart TARGET -- COMMAND ARG...',
      details: {},
    });
  });

  it('is refused with --from process although there is a spec', () => {
    expect(refusal(() => choose(renamed, change({ from: 'process' }))).code).toBe('program-unknown');
  });

  it('is started when the user names a command', () => {
    expect(commandOf(choose({ ...renamed, spec: null }, change({ command: ['/bin/sh'] })))).toStrictEqual([
      '/bin/sh',
      '/bin/sh',
    ]);
  });
});

describe('a process that has overwritten its environment', () => {
  const lost: Differences = { program: { environ: overwritten } };

  it('gets that of the spec, with HOME as the runtime adds it', () => {
    const container = containing({ '/usr/sbin/nginx': 'program' }, { 101: '/var/cache/nginx' });
    const user = { uid: 101, gid: 101, additionalGids: [], umask: null };
    const chosen = choose({ ...lost, spec: { env: ['A=1'], user } }, change(), container);
    expect(environmentOf(chosen)).toStrictEqual(['A=1', 'HOME=/var/cache/nginx']);
    expect(chosen.warnings).toStrictEqual([
      'the process has overwritten its environment: it is taken from the container spec',
    ]);
  });

  it("gets the spec's own HOME, and / where no user of that number is known", () => {
    expect(environmentOf(choose({ ...lost, spec: { env: ['HOME=/x'] } }))).toStrictEqual(['HOME=/x']);
    expect(environmentOf(choose({ ...lost, spec: { env: [] } }))).toStrictEqual(['HOME=/']);
  });

  it('is refused without a spec', () => {
    expect(refusal(() => choose({ ...lost, spec: null }))).toStrictEqual({
      code: 'program-unknown',
      message:
        'docker/web: the process no longer holds its environment (it does not end with a NUL) and there is no container spec to take it from. Nothing was touched.',
      hint: 'give the environment: hotexec restart TARGET --env-file FILE -- COMMAND ARG...',
      details: {},
    });
  });

  it('gets that of an environment file, which then is all of it', () => {
    const chosen = choose({ ...lost, spec: null }, change({ env: { standsAlone: true, set: [['A', '1']] } }));
    expect(environmentOf(chosen)).toStrictEqual(['A=1']);
  });
});

describe('--from', () => {
  it('spec takes arguments and environment of the spec although the process tells its own', () => {
    const chosen = choose(
      { spec: { args: ['/bin/sh', '-c', 'nginx'], env: ['HOME=/', 'A=1'] } },
      change({ from: 'spec' }),
    );
    expect(commandOf(chosen)).toStrictEqual(['/bin/sh', '/bin/sh', '-c', 'nginx']);
    expect(environmentOf(chosen)).toStrictEqual(['HOME=/', 'A=1']);
    expect(chosen.warnings).toStrictEqual([]);
  });

  it('spec is refused when there is none', () => {
    expect(refusal(() => choose({ spec: { args: null } }, change({ from: 'spec' }))).message).toBe(
      "docker/web: --from spec, but no runtime's spec with a command can be read for this process. Nothing was touched.",
    );
    expect(refusal(() => choose({ spec: { env: null } }, change({ from: 'spec' }))).code).toBe('program-unknown');
  });

  it('process takes what runs although the spec says otherwise', () => {
    const chosen = choose({ spec: { args: ['/bin/sh'], env: ['A=1'] } }, change({ from: 'process' }));
    expect(commandOf(chosen)).toStrictEqual(['/usr/sbin/nginx', 'nginx', '-g', 'daemon off;']);
    expect(environmentOf(chosen)).toStrictEqual(['PATH=/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b']);
  });
});

describe('-- COMMAND', () => {
  it('is looked for in the PATH of the program, and what is not executable is passed over', () => {
    const environ = words('PATH=/usr/local/bin:/nowhere:/usr/sbin:/usr/bin');
    expect(found(['nginx', '-t'], { program: { environ } })).toBe('/usr/sbin/nginx');
  });

  it('is looked for in the PATH that --env gives', () => {
    const wanted = change({ command: ['tool'], env: { set: [['PATH', '/opt']] } });
    expect(commandOf(choose({}, wanted))[0]).toBe('/opt/tool');
  });

  it('is looked for where runtimes look when the program has no PATH', () => {
    expect(found(['node'], { program: { environ: words('A=1') } })).toBe('/usr/bin/node');
  });

  it('is looked for in the working directory where the PATH has an empty entry', () => {
    expect(found(['tool'], { program: { environ: words('PATH=/nowhere:') }, spec: { cwd: '/srv' } })).toBe('/srv/tool');
  });

  it('is looked for in a directory below the working directory where the PATH has a relative entry', () => {
    const container = containing({ '/srv/bin/tool': 'program' });
    const wanted = change({ command: ['tool'], env: { set: [['PATH', 'bin']] } });
    expect(commandOf(choose({ spec: { cwd: '/srv' } }, wanted, container))[0]).toBe('/srv/bin/tool');
  });

  it('with a slash is a path: absolute, or from the working directory', () => {
    expect(found(['/nowhere/x'])).toBe('/nowhere/x');
    expect(found(['./tool'], { spec: { cwd: '/srv' } })).toBe('/srv/./tool');
    expect(found(['bin/tool'], { spec: { cwd: '/' } })).toBe('/bin/tool');
    expect(found(['bin/tool'], { spec: null, program: { cwd: '/opt' } })).toBe('/opt/bin/tool');
  });

  it.each(['ngnix', ''])('that is nowhere is refused: %j', (name) => {
    expect(refusal(() => found([name]))).toStrictEqual({
      code: 'program-not-startable',
      message: `${JSON.stringify(name)} is not in the PATH of the target (/usr/sbin:/usr/bin). Nothing was touched; the process runs on unchanged.`,
      hint: 'give the path of the program inside the container',
      details: {},
    });
  });

  it('keeps the environment of the process', () => {
    expect(environmentOf(choose({}, change({ command: ['nginx'] })))).toContain('HOSTNAME=3f9a0c1d2e4b');
  });

  it('says nothing about the old program having been replaced', () => {
    expect(choose({ program: { exeReplaced: true } }, change({ command: ['nginx'] })).warnings).toStrictEqual([]);
  });

  it('may not be given a descriptor other than the standard streams', () => {
    expect(refusal(() => found(['/bin/sh', '/dev/fd/3'])).code).toBe('program-unknown');
  });
});

describe('--exe', () => {
  it('starts another file with the same arguments', () => {
    expect(commandOf(choose({}, change({ exe: '/usr/sbin/nginx-debug' })))).toStrictEqual([
      '/usr/sbin/nginx-debug',
      'nginx',
      '-g',
      'daemon off;',
    ]);
  });

  it('starts another file with other arguments, which need not be in the PATH', () => {
    const chosen = choose({}, change({ exe: '/usr/sbin/nginx-debug', command: ['anything', '-t'] }));
    expect(commandOf(chosen)).toStrictEqual(['/usr/sbin/nginx-debug', 'anything', '-t']);
  });
});

describe('arguments alone (replace ... -- ARG...)', () => {
  it('come behind the old argv[0], and nothing else changes', () => {
    const chosen = choose({}, change({ args: ['-t', ''] }));
    expect(commandOf(chosen)).toStrictEqual(['/usr/sbin/nginx', 'nginx', '-t', '']);
    expect(chosen.warnings).toStrictEqual([]);
  });

  it('may be none', () => {
    expect(commandOf(choose({}, change({ args: [] })))).toStrictEqual(['/usr/sbin/nginx', 'nginx']);
  });

  it('come behind the path of a script, not behind its interpreter', () => {
    const argv = words('/bin/sh', '-eu', '/docker-entrypoint.sh', 'nginx');
    const script = { execPath: '/docker-entrypoint.sh', exe: '/bin/sh', argv };
    expect(commandOf(choose({ program: script }, change({ args: ['redis'] })))).toStrictEqual([
      '/docker-entrypoint.sh',
      '/docker-entrypoint.sh',
      'redis',
    ]);
  });

  it('come behind the path of the executable where the process has overwritten its own, whatever the spec starts', () => {
    const chosen = choose(
      { program: { argv: overwritten }, spec: { args: ['/docker-entrypoint.sh', 'nginx'] } },
      change({ args: ['-t'] }),
    );
    expect(commandOf(chosen)).toStrictEqual(['/usr/sbin/nginx', '/usr/sbin/nginx', '-t']);
    expect(chosen.warnings).toStrictEqual([
      'the process has overwritten its arguments: argv[0] is the path of its executable',
    ]);
  });

  it('come behind the argv[0] of the spec with --from spec', () => {
    const wanted = change({ args: ['-t'], from: 'spec' });
    expect(commandOf(choose({ spec: { args: ['/bin/sh', '-c', 'x'] } }, wanted))).toStrictEqual([
      '/bin/sh',
      '/bin/sh',
      '-t',
    ]);
  });

  it('are nothing beside a whole command', () => {
    expect(commandOf(choose({}, change({ args: ['-t'], command: ['/bin/sh'] })))).toStrictEqual(['/bin/sh', '/bin/sh']);
  });

  it('may not be a descriptor other than the standard streams', () => {
    expect(refusal(() => choose({}, change({ args: ['/dev/fd/9'] }))).code).toBe('program-unknown');
  });
});

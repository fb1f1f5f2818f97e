import { describe, expect, it } from 'vitest';
import { renderError } from '../../../src/cli/render/error-text.ts';
import { renderCall, showProgress } from '../../../src/cli/render/events.ts';
import { renderInspection } from '../../../src/cli/render/inspect-text.ts';
import { renderPlan } from '../../../src/cli/render/plan-text.ts';
import { renderRestart } from '../../../src/cli/render/restart-text.ts';
import { styleFor, wantsColours } from '../../../src/cli/render/style.ts';
import { formatBytes, formatMs } from '../../../src/cli/render/table.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import { inspection, plan, restartResult } from '../../support/samples.ts';

const proving: HotexecEvent = { kind: 'phase', phase: 'prove', atMs: 1 };
const plain = styleFor({ colours: false });
const notAsked = { signal: null, end: 'skipped', why: null, exitCode: null, endedBy: null, ms: 0 } as const;

describe('a restart', () => {
  it('that gave the same program again', () => {
    expect(renderRestart(restartResult, plain)).toBe(`docker/web restarted in place
  pid        4711, the same
  container  3f9a0c1d2e4b (web, docker), the same
  program    nginx -g 'daemon off;'
  finished   in 41.7 ms after SIGQUIT, exit code 0
  watched    12.5 ms, until it listened again
  held       2.4 ms of 118 ms
  children   2 child processes ended
`);
  });

  it('that gave another one, with all there is to say', () => {
    const result = {
      ...restartResult,
      container: null,
      after: { exe: '/usr/local/bin/app', argv: ['app', '--mode', 'a b'], cwd: '/srv' },
      drain: { ...restartResult.drain, exitCode: null, endedBy: 'SIGTERM' },
      listeners: [
        { protocol: 'tcp', address: '0.0.0.0:80', handedOver: true, why: null },
        { protocol: 'tcp', address: '0.0.0.0:80', handedOver: true, why: null },
        { protocol: 'udp', address: '0.0.0.0:53', handedOver: false, why: 'it was not claimed' },
        { protocol: 'unix-stream', address: '/run/a\u001b', handedOver: false, why: 'asked for' },
      ],
      timingsMs: { hold: 2.417, total: 118.201, drain: 41.7, gap: 3.21, toFirstListen: 12.4 },
      children: { killed: 1 },
      notFresh: plan.notFresh,
      warnings: plan.warnings,
    };
    expect(renderRestart(result, plain)).toBe(`docker/web restarted in place
  pid         4711, the same
  before      nginx -g 'daemon off;'
  after       app --mode 'a b'
  executable  /usr/sbin/nginx -> /usr/local/bin/app
  directory   / -> /srv
  finished    in 41.7 ms after SIGQUIT, ended by SIGTERM
  listener    tcp 0.0.0.0:80, handed over (2 sockets)
  listener    udp 0.0.0.0:53, not handed over: it was not claimed
  listener    unix-stream /run/a\\x1b, not handed over, as asked for
  gap         3.2 ms from the old program's end to the new one's start; it listened 12.4 ms after its start
  watched     12.5 ms, until it listened again
  held        2.4 ms of 118 ms
  children    1 child process ended
  not fresh   rlimit-nofile: stays at 1024, a fresh start would have 1048576
  warning     /usr/sbin/nginx was replaced since the start: the new file will run
`);
  });

  it('that failed', () => {
    const probation = { end: 'none', ms: 0 } as const;
    const unchanged = { ...restartResult, outcome: 'unchanged', after: null, children: { killed: 0 } } as const;
    const result = { ...unchanged, probation, drain: notAsked };
    expect(renderRestart(result, plain)).toBe(`docker/web is unchanged: the restart failed
  pid        4711
  container  3f9a0c1d2e4b (web, docker)
  program    nginx -g 'daemon off;'
  held       2.4 ms of 118 ms
`);
  });

  it.each([
    [
      { ...notAsked, why: 'it has no handler for SIGTERM' },
      '  finished   not asked to: it has no handler for SIGTERM\n',
    ],
    [{ ...notAsked, why: 'asked for' }, ''],
    [notAsked, ''],
    [
      { ...restartResult.drain, end: 'forced', exitCode: null, ms: 10_000 } as const,
      '  finished   replaced by force after 10.0 s\n',
    ],
  ])('whose old program finished so: %j', (drain, line) => {
    const text = renderRestart({ ...restartResult, drain }, plain);
    expect(text).toContain(`  program    nginx -g 'daemon off;'\n${line}  watched`);
  });

  it('that was not asked to finish, and listens again', () => {
    const timingsMs = { ...restartResult.timingsMs, toFirstListen: 12.4 };
    expect(renderRestart({ ...restartResult, timingsMs }, plain)).toContain(
      '  gap        it listened 12.4 ms after its start\n',
    );
  });

  it('of a program with a hostile name shows the name and does not obey it', () => {
    const argv = ['\u001b[2Jnginx', 'a\nhotexec: all is well'];
    const text = renderRestart({ ...restartResult, before: { ...restartResult.before, argv }, after: null }, plain);
    expect(text).toContain(String.raw`program    $'\x1b[2Jnginx' $'a\nhotexec: all is well'`);
    expect(text).not.toContain('\u001b');
  });
});

it('a plan', () => {
  expect(renderPlan(plan, plain)).toBe(`docker/web can be restarted in place (nothing was touched)
  pid          4711
  container    3f9a0c1d2e4b (web, docker)
  before       nginx -g 'daemon off;'
  after        nginx -t
  directory    / -> /srv
  environment  PATH HOSTNAME NGINX_VERSION
  finishes     when it gets SIGQUIT; replaced by force after 10 s
  listener     tcp 0.0.0.0:80, will be handed over
  listener     unix-stream /run/\\x1b.sock, will not be handed over, as asked for
  not fresh    rlimit-nofile: stays at 1024, a fresh start would have 1048576
  warning      /usr/sbin/nginx was replaced since the start: the new file will run

 1. Hold: stop the one thread
     hotexec  ptrace(PTRACE_SEIZE, 4711, 0, PTRACE_O_TRACEEXEC)
 2. Swap: start the program
     target   close_range(3, ~0, CLOSE_RANGE_CLOEXEC)  descriptors above 2 are open
     target   execve("/usr/sbin/nginx", ["nginx", "-t"], 3 variables)
`);
});

it('a plan that is not possible', () => {
  const refusals = [{ code: 'target-traced', message: 'strace (pid 12) traces it.', hint: 'End strace.' }] as const;
  const refused = { ...plan, possible: false, refusals, after: null, steps: [], notFresh: [], warnings: [] };
  expect(renderPlan(refused, plain)).toBe(`docker/web cannot be restarted (nothing was touched)
  pid        4711
  container  3f9a0c1d2e4b (web, docker)
  program    nginx -g 'daemon off;'

error: strace (pid 12) traces it.
hint: End strace.
`);
});

it('an inspection', () => {
  expect(renderInspection(inspection, plain)).toBe(`docker/web
  pid        4711
  started    429055 ticks after boot
  container  3f9a0c1d2e4b (web, docker)
  id         3f9a0c1d2e4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeef

Program
  executable   /usr/sbin/nginx
  started as   /docker-entrypoint.sh
  arguments    'nginx: master process nginx -g daemon off;' (overwritten by the process)
  spec         /docker-entrypoint.sh nginx -g 'daemon off;'
  directory    /
  environment  PATH HOSTNAME NGINX_VERSION

Memory
  resident  7.0 MiB
  headroom  58.0 MiB under the limit
  argv      0x7ffde1c74aa0-0x7ffde1c74aab
  environ   0x7ffde1c74aab-0x7ffde1c74fe9
  stack     0x7ffde1c73310

Descriptors
  0   /dev/null
  3   /var/log/nginx/access.log  close-on-exec
  10  socket:[81]  tcp 0.0.0.0:80 LISTEN  non-blocking

Threads (1)
  4711  nginx  S  in rt_sigsuspend

Children
  4750  nginx  S
  4790  sh  S  will be left alone

Credentials
  uid                0
  gid                0 101 0 0
  groups             0 101
  capabilities       00000000a80425fb
  bounding           00000000a80425fb
  no new privileges  no
  seccomp            filter (1 filter)

Signals
  ignored  SIGPIPE
  caught   SIGHUP SIGTERM

Limits
  RLIMIT_NOFILE  1024 (hard: 1048576)
  RLIMIT_CORE    unlimited

Namespaces
  pid  pid:[4026532290]

It can be restarted in place.
  finishes   not asked to: it has no handler for SIGTERM
  listener   tcp 0.0.0.0:80, will be handed over
  not fresh  rlimit-nofile: stays at 1024, a fresh start would have 1048576
  warning    its arguments were overwritten: the spec is the source
`);
});

it('an inspection with the values of the environment, of a thousand threads, that says no', () => {
  const thread = { tid: 1, name: 'worker', state: 'S', syscall: null };
  const text = renderInspection(
    {
      ...inspection,
      program: { ...inspection.program, environment: ['A=1', 'B=x\u001b[m'], environmentIntact: false },
      threads: Array.from({ length: 1000 }, (_, index) => ({ ...thread, tid: 4711 + index })),
      verdict: {
        possible: false,
        refusals: [{ code: 'target-frozen', message: 'It is paused.', hint: null }],
        notFresh: [],
        warnings: [],
        drain: { signal: null, gracePeriodMs: null, why: 'it is stopped' },
        listeners: [],
      },
    },
    plain,
  );
  expect(text).toContain(
    '  environment  A=1\n               B=x\\x1b[m\n               (overwritten by the process)\n',
  );
  expect(text).toContain('Threads (1000)\n');
  expect(text).toContain('  ...   980 more (-o json has them all)\n');
  expect(text).toMatch(/It cannot be restarted here\.\nerror: It is paused\.\n$/);
});

describe('an error', () => {
  it('is one line, whatever it quotes, and a hint', () => {
    const text = renderError({ code: 'exec-refused', message: 'exec of "a\nb" failed.', hint: 'Look\u001b[m.' }, plain);
    expect(text).toBe('error: exec of "a\\nb" failed.\nhint: Look\\x1b[m.\n');
  });

  it('keeps the lines of a stack trace when it is a bug', () => {
    expect(renderError({ code: 'bug', message: 'Oh.\n    at here\u0007', hint: null }, plain)).toBe(
      'error: Oh.\n    at here\\x07\n',
    );
  });
});

it('a system call of the target, as --verbose prints it', () => {
  const event = {
    kind: 'remote-call',
    tid: 4711,
    call: 'dup3',
    args: '7, 3, 0',
    result: '3',
    durationUs: 31.2,
  } as const;
  const output = { write: () => {}, isTerminal: false, colours: false };
  expect(renderCall(event, output)).toBe('4711 dup3(7, 3, 0) = 3  31 us\n');
});

describe('progress', () => {
  it('is never written to what is no terminal', async () => {
    expect(await progressOn(false, 600)).toBe('');
  });

  it('does not flicker when all is done at once', async () => {
    expect(await progressOn(true, 50)).toBe('');
  });

  it.each<[HotexecEvent, string]>([
    [
      { kind: 'upload', path: '/bin/app', doneBytes: 3, totalBytes: 4 },
      'bringing /bin/app into the container, 75 % ...',
    ],
    [
      { kind: 'failed', end: { exitCode: null, signal: 'SIGABRT', reason: 'signal', afterMs: 5 } },
      'it was ended by SIGABRT, 5 ms after its start ...',
    ],
  ])('tells of %j', async (event, text) => {
    expect(await progressOn(true, 600, event)).toContain(`docker/web: ${text}`);
  });

  it('says what is being done, and wipes it away', async () => {
    const text = await progressOn(true, 600);
    expect(text).toContain('docker/web: trying the new program in a child ...');
    expect(text.endsWith('\r\u001b[2K')).toBe(true);
  });
});

async function progressOn(isTerminal: boolean, forMs: number, event: HotexecEvent = proving): Promise<string> {
  const written: string[] = [];
  const output = { write: (text: string) => void written.push(text), isTerminal, colours: false };
  const progress = showProgress('docker/web', output, new AbortController().signal);
  progress.onEvent(event);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, forMs);
  await promise;
  progress[Symbol.dispose]();
  return written.join('');
}

it.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
])('colours on a terminal (%s) with %j: %s', (isTerminal, env, expected) => {
  expect(wantsColours(isTerminal, env)).toBe(expected);
});

it('numbers for people', () => {
  expect([0.04, 2.417, 118.2, 1_234, 65_000].map(formatMs)).toEqual(['0.0 ms', '2.4 ms', '118 ms', '1.23 s', '65.0 s']);
  expect([512, 1536, 7_340_032, 3 * 1024 ** 4].map(formatBytes)).toEqual(['512 B', '1.5 KiB', '7.0 MiB', '3.0 TiB']);
});

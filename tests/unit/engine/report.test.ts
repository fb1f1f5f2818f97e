import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeCall, RestartReport } from '../../../src/engine/report.ts';
import { HotexecError } from '../../../src/errors.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import { newProgramFailed } from '../../../src/protocol/program-end.ts';
import type { TargetProcess } from '../../../src/protocol/request.ts';
import { StopTimeout, TraceeGone } from '../../../src/tracer/errors.ts';
import { targetProcess } from '../../support/samples.ts';
import { restartRequest, unplanned } from './observed.ts';

const { startTicks } = parseStat(readFileSync('/proc/self/stat', 'utf8'));
/** A target that lives, and one whose pid has a new owner. */
const living: TargetProcess = { ...targetProcess, pid: process.pid, startTicks };
const gone: TargetProcess = { ...living, startTicks: startTicks - 1 };

const old = { exe: '/bin/old', argv: ['old'], cwd: '/' };
const next = { exe: '/bin/new', argv: ['new'], cwd: '/srv' };

function report(target = living): RestartReport {
  const begun = new RestartReport(restartRequest(target));
  begun.planned(old, next, unplanned);
  return begun;
}

function afterFailure(error: unknown, target = living): ReturnType<RestartReport['result']> {
  const failed = report(target);
  failed.failed(error);
  return failed.result();
}

const refused = new HotexecError({ code: 'exec-refused', message: 'no.', hint: 'look' });

describe('a restart that went well', () => {
  it('tells of both programs', () => {
    expect(report().result()).toMatchObject({
      apiVersion: 'hotexec/v1',
      kind: 'Restart',
      operationId: '0b9d7a52-5c39-4c2f-8a52-5a3a5f6f7a11',
      outcome: 'restarted',
      target: 'docker/web',
      pid: process.pid,
      startTicks,
      before: old,
      after: next,
      children: { killed: 0 },
      notFresh: [],
      warnings: [],
      error: null,
    });
  });

  it('tells what runs now as the kernel shows it', () => {
    const done = report();
    done.verified({ exe: '/bin/busybox', warnings: ['careful'] }, true);
    expect(done.result()).toMatchObject({ after: { ...next, exe: '/bin/busybox' }, warnings: ['careful'] });
  });

  it('does not tell of one that runs where it has ended and was to serve', () => {
    const done = report();
    done.verified({ exe: null, warnings: [] }, true);
    expect(done.result()).toMatchObject({ outcome: 'lost', error: { code: 'target-lost' } });
  });

  it('adds up the holds and the children, and passes over warnings that are none', () => {
    const done = report();
    done.hold(1.0004);
    done.hold(2);
    done.timing('observe', 0.12345);
    done.warn(null, 'first', null, 'second');
    const left = { pid: 77, pidInside: 7, ppid: 1, comm: 'stuck', state: 'D', spared: false };
    done.children({ killed: 2, left: [] });
    done.children({ killed: 1, left: [left] });
    const { timingsMs, warnings, children } = done.result();
    expect(timingsMs).toMatchObject({ hold: 3, observe: 0.123 });
    expect(children).toStrictEqual({ killed: 3 });
    expect(warnings).toStrictEqual([
      'first',
      'second',
      'child 77 (stuck) of the old program did not end within 2 s (state D)',
    ]);
  });

  it('names each attribute that is not fresh once, as it was first told', () => {
    const done = report();
    done.notFresh({ attribute: 'uid', message: 'first' });
    done.notFresh({ attribute: 'uid', message: 'second' }, { attribute: 'gid', message: 'third' });
    expect(done.result().notFresh).toStrictEqual([
      { attribute: 'uid', message: 'first' },
      { attribute: 'gid', message: 'third' },
    ]);
  });
});

describe('a restart that failed before the point of no return', () => {
  it('leaves the old program unchanged, and has no new one and nothing that is not fresh', () => {
    const failed = report();
    failed.notFresh({ attribute: 'uid', message: 'x' });
    failed.failed(refused);
    expect(failed.result()).toMatchObject({
      outcome: 'unchanged',
      before: old,
      after: null,
      notFresh: [],
      error: { code: 'exec-refused', message: 'no.', hint: 'look' },
    });
  });

  it('was stopped by somebody else', () => {
    const stopped = new HotexecError({ code: 'stopped-by-other', message: 'somebody', hint: null });
    expect(afterFailure(stopped)).toMatchObject({ outcome: 'stopped', error: { code: 'stopped-by-other' } });
  });

  it('could not stop a thread', () => {
    expect(afterFailure(new StopTimeout('thread 7 is in state D'))).toMatchObject({
      outcome: 'unchanged',
      error: {
        code: 'hold-timeout',
        message:
          'docker/web: not every thread could be stopped within 1 s: thread 7 is in state D. All threads run again, unchanged.',
      },
    });
  });

  it('is a bug when nobody knows the error', () => {
    expect(afterFailure(new TypeError('x is not a function'))).toMatchObject({
      outcome: 'unchanged',
      error: { code: 'bug', hint: 'please report this' },
    });
  });

  it('lost the process: told with what went wrong first', () => {
    expect(afterFailure(new TraceeGone(4711, 'was killed by SIGKILL'), gone)).toMatchObject({
      outcome: 'lost',
      after: null,
      error: {
        code: 'target-lost',
        message: `docker/web: process ${process.pid} ended while it was held: thread 4711 was killed by SIGKILL.`,
      },
    });
    const both = new SuppressedError(
      new Error('later'),
      new SuppressedError(new Error('between'), new TraceeGone(1, 'ended first')),
    );
    expect(afterFailure(both, gone).error?.message).toBe(
      `docker/web: process ${process.pid} ended while it was held: thread 1 ended first.`,
    );
  });

  it('and could not be undone: that is a mender to tell', () => {
    const both = new SuppressedError(new Error('undoing'), refused);
    expect(() => report().failed(both)).toThrow(both);
  });
});

describe('a restart that failed after the point of no return', () => {
  it('is a mender to finish while the process is there', () => {
    const failed = report();
    failed.pointOfNoReturn();
    expect(() => failed.failed(refused)).toThrow(refused);
  });

  it('lost the process', () => {
    const failed = report(gone);
    failed.pointOfNoReturn();
    failed.failed(refused);
    expect(failed.result()).toMatchObject({
      outcome: 'lost',
      error: { message: `docker/web: process ${process.pid} ended while it was being given the new program.` },
    });
  });
});

describe('a new program that failed', () => {
  it('is told as the front tells it, and the previous one runs', () => {
    const end = { exitCode: 1, signal: null, reason: 'exit', afterMs: 310.4 } as const;
    const failed = report();
    failed.rollingBack(end);
    failed.rolledBack();
    expect(failed.result()).toMatchObject({
      outcome: 'rolled-back',
      after: old,
      failed: end,
      error: newProgramFailed('docker/web', end),
    });
  });

  it('and the previous one could not be started: that is said with it', () => {
    const failed = report();
    failed.rollingBack({ exitCode: null, signal: 'SIGSEGV', reason: 'signal', afterMs: 1500 });
    failed.failed(refused);
    expect(failed.result()).toMatchObject({
      outcome: 'lost',
      error: {
        code: 'target-lost',
        message:
          'docker/web: the new program was ended by SIGSEGV, 1.5 s after its start, and the previous one could not be started again: no. The process ends as it would have.',
      },
    });
  });
});

describe('a remote call reads as strace prints it', () => {
  it.each([
    [
      { name: 'fcntl', args: [3, 2, 1], result: 0 },
      { call: 'fcntl', args: '3, 2, 1', result: '0' },
    ],
    [
      { name: 'openat2', args: [-1, 0x7f00_0000_1000n], result: -2 },
      { call: 'openat2', args: '-1, 0x7f0000001000', result: '-2' },
    ],
    [
      { name: 'mmap', args: [0xffff_ffff, 0x1_0000_0000n], result: 0x7f00_0000_1000 },
      { call: 'mmap', args: '4294967295, 0x100000000', result: '0x7f0000001000' },
    ],
  ])('%o', (call, printed) => {
    expect(describeCall({ ...call, tid: 1, durationUs: 0 })).toStrictEqual(printed);
  });
});

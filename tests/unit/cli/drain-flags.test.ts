import { describe, expect, it, vi } from 'vitest';
import { defaultRestartOptions } from '../../../src/protocol/request.ts';
import { runCli } from '../../support/cli.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('how the old program finishes', () => {
  it.each([
    [[], {}],
    [['--no-drain'], { drain: false }],
    [['--no-handover'], { handover: false }],
    [['--grace-period', '1m30s'], { gracePeriodMs: 90_000 }],
    [['--grace-period', '0'], { gracePeriodMs: 0 }],
    [['--signal', 'QUIT', '--grace-period', '500ms'], { signal: 'QUIT', gracePeriodMs: 500 }],
    [['--signal', 'SIGRTMIN+3'], { signal: 'SIGRTMIN+3' }],
    [['--signal', '15'], { signal: '15' }],
  ])('%j', async (flags, options) => {
    const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
    const { requests } = await runCli(['restart', '77', ...flags], { engines: ['works'], proc });
    expect(requests).toMatchObject([{ options: { ...defaultRestartOptions, ...options } }]);
  });

  it('is asked of a plan as well', async () => {
    const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
    const setting = { engines: ['works'], proc };
    const { requests } = await runCli(['plan', 'restart', '77', '--signal', 'INT', '--no-handover'], setting);
    expect(requests).toMatchObject([{ kind: 'plan', options: { signal: 'INT', handover: false } }]);
  });

  const signalWants = 'For example: QUIT, SIGUSR1, 15, RTMIN+3';

  it.each([
    [['--signal', 'SIGNOT'], '--signal "SIGNOT" is not a signal.', signalWants],
    [['--signal', '65'], '--signal "65" is not a signal.', signalWants],
    [['--signal', ''], '--signal "" is not a signal.', signalWants],
    [['--grace-period', '10'], '--grace-period "10" is not a duration.', 'For example: 10s, 1m30s, 500ms'],
    [['--grace-period', '25h'], '--grace-period 25h is out of range: 0 to 24h.', null],
    [
      ['--no-drain', '--signal', 'QUIT'],
      '--signal and --grace-period say how the old program is asked to finish, and --no-drain does not ask it.',
      null,
    ],
    [
      ['--no-drain', '--grace-period', '1s'],
      '--signal and --grace-period say how the old program is asked to finish, and --no-drain does not ask it.',
      null,
    ],
  ])('%j is bad usage, before an engine is asked', async (flags, message, hint) => {
    for (const command of ['restart', 'rollback']) {
      const run = await runCli([command, '77', ...flags]);
      expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
      expect(run.stderr).toContain(`error: ${message}\n${hint === null ? '' : `hint: ${hint}\n`}`);
    }
  });
});

// The loop, with pods that behave as told. Real pods: tests/cluster/rollout.test.ts.
import { describe, expect, it } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import { exitCodeOfList } from '../../../src/rollout/result.ts';
import { restartResult } from '../../support/samples.ts';
import { rolloutPod } from './pods.ts';
import { good, refused, rolledBack, Setting, type Fate } from './setting.ts';

const three = ['web-2', 'web-1', 'web-0'].map((name) => rolloutPod(name));

describe('pods', () => {
  it('are restarted one after another, and all is in one document', async () => {
    const setting = new Setting(three);
    const list = await setting.run();
    expect(setting.began).toEqual(['web-2', 'web-1', 'web-0']);
    expect(setting.mostBusy).toBe(1);
    expect(list).toMatchObject({
      apiVersion: 'hotexec/v1',
      kind: 'List',
      target: 'deployment/web',
      items: [{ target: 'pod/web-2', outcome: 'restarted' }, { target: 'pod/web-1' }, { target: 'pod/web-0' }],
      untouched: [],
      skipped: [],
      appeared: [],
    });
    expect(exitCodeOfList(list)).toBe(0);
  });

  it('are restarted as many at a time as is asked for', async () => {
    const setting = new Setting(three);
    await setting.run({ atOnce: 2 });
    expect(setting.mostBusy).toBe(2);
  });

  it('are restarted with a pause between', async () => {
    const setting = new Setting(three);
    await setting.run({ pauseMs: 700 });
    expect([...setting.atMs.values()]).toEqual([0, 700, 1_400]);
  });

  it('count as available when minReadySeconds are over since the exec', async () => {
    const setting = new Setting(three);
    await setting.run({}, 3_000);
    expect([...setting.atMs.values()]).toEqual([0, 3_000, 6_000]);
  });

  it('tell what they are at', async () => {
    const setting = new Setting(three.slice(0, 1));
    await setting.run();
    expect(setting.events.map((event) => (event.kind === 'pod' ? event.state : event.kind))).toEqual([
      'rollout',
      'restarting',
      'in-pod',
      'settling',
      'restarted',
    ]);
  });
});

describe('a failure', () => {
  it('leaves all that follow untouched', async () => {
    const setting = new Setting(three, { 'web-2': rolledBack });
    const list = await setting.run();
    expect(setting.began).toEqual(['web-2']);
    expect(list.untouched).toEqual(['pod/web-1', 'pod/web-0']);
    expect(exitCodeOfList(list)).toBe(3);
  });

  it('after others were restarted is 7', async () => {
    const setting = new Setting(three, { 'web-1': rolledBack });
    const list = await setting.run();
    expect(list.items.map(({ outcome }) => outcome)).toEqual(['restarted', 'rolled-back']);
    expect(list.untouched).toEqual(['pod/web-0']);
    expect(exitCodeOfList(list)).toBe(7);
  });

  it('does not end it with --continue-on-error', async () => {
    const setting = new Setting(three, { 'web-2': rolledBack, 'web-1': refused('not-permitted') });
    const list = await setting.run({ continueOnError: true });
    expect(list.items.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['Restart', 'rolled-back'],
      ['Error', null],
      ['Restart', 'restarted'],
    ]);
    expect(list.untouched).toEqual([]);
    expect(exitCodeOfList(list)).toBe(7);
  });

  it('that is a refusal is the exit code, for nothing was touched', async () => {
    const list = await new Setting(three, { 'web-2': refused('liveness-budget') }).run();
    expect(exitCodeOfList(list)).toBe(5);
    expect(list.items[0]).toMatchObject({ kind: 'Error', target: 'pod/web-2', error: { code: 'liveness-budget' } });
  });

  it('is a pod that does not become ready', async () => {
    const unready: Fate = (pod, listening) => {
      setting.change(pod.name, { ready: false });
      return good(pod, listening);
    };
    const setting = new Setting(three, { 'web-2': unready });
    const list = await setting.run();
    expect(setting.now).toBeGreaterThanOrEqual(5_000);
    expect(list.items[0]).toMatchObject({ outcome: 'restarted', error: { code: 'not-ready' } });
    expect(list.untouched).toHaveLength(2);
    expect(exitCodeOfList(list)).toBe(7);
  });

  it('is a pod that becomes worse while others are restarted', async () => {
    const worse: Fate = (pod, listening) => {
      setting.change('web-2', { restarts: 1 });
      return good(pod, listening);
    };
    const setting = new Setting(three, { 'web-1': worse });
    const list = await setting.run();
    expect(list.items[0]).toMatchObject({ target: 'pod/web-2', error: { code: 'not-ready' } });
    expect(list.untouched).toEqual(['pod/web-0']);
  });

  it('is an API server that does not come back', async () => {
    const setting = new Setting(three);
    setting.unreachable = 1_000_000;
    const list = await setting.run();
    expect(setting.began).toEqual([]);
    expect(list.items).toHaveLength(1);
    expect(list.untouched).toHaveLength(2);
    expect(list.warnings[0]).toMatch(/^whether pods have appeared is not known/);
    expect(setting.now).toBeGreaterThan(60_000);
  });

  it('is none if the API server comes back within a minute', async () => {
    const setting = new Setting(three);
    setting.unreachable = 20;
    expect((await setting.run()).items).toHaveLength(3);
  });
});

describe('a pod that', () => {
  it('is deleted before its turn is skipped', async () => {
    const setting = new Setting(three, {
      'web-2': (pod, listening) => {
        setting.remove('web-1');
        return good(pod, listening);
      },
    });
    const list = await setting.run();
    expect(setting.began).toEqual(['web-2', 'web-0']);
    expect(list.skipped).toEqual([{ target: 'pod/web-1', why: 'it was deleted' }]);
    expect(exitCodeOfList(list)).toBe(0);
  });

  it('is deleted and made again is skipped, and named as new', async () => {
    const setting = new Setting(three, {
      'web-2': (pod, listening) => {
        setting.change('web-1', { uid: 'another' });
        return good(pod, listening);
      },
    });
    const list = await setting.run();
    expect(list.skipped).toEqual([{ target: 'pod/web-1', why: 'it was deleted, and there is a new one of that name' }]);
    expect(list.appeared).toEqual(['pod/web-1']);
  });

  it('is deleted in the middle of its restart is skipped, and nobody failed', async () => {
    const setting = new Setting(three, {
      'web-2': (pod) => {
        setting.change(pod.name, { state: 'deleting' });
        return {
          ...restartResult,
          target: 'pod/web-2',
          outcome: 'stopped',
          error: { code: 'stopped-by-other', message: 'it was stopped', hint: null },
        };
      },
    });
    const list = await setting.run();
    expect(list.skipped).toEqual([{ target: 'pod/web-2', why: 'it was deleted meanwhile' }]);
    expect(list.items).toHaveLength(2);
    expect(exitCodeOfList(list)).toBe(0);
  });

  it('appears meanwhile is named at the end', async () => {
    const setting = new Setting(three, {
      'web-0': (pod, listening) => {
        setting.pods = [...setting.pods, rolloutPod('web-3')];
        return good(pod, listening);
      },
    });
    expect((await setting.run()).appeared).toEqual(['pod/web-3']);
  });

  it('does not run is skipped, and if that is all of them nothing was found', async () => {
    const setting = new Setting([rolloutPod('web-0', { state: 'stopped' })]);
    const list = await setting.run();
    expect(list.skipped[0]?.why).toBe('its container does not run');
    expect(exitCodeOfList(list)).toBe(5);
  });
});

describe('Ctrl-C', () => {
  it('lets the pod that is under way decide, and begins no other', async () => {
    const setting = new Setting(three, {
      'web-2': () => {
        setting.controller.abort();
        throw new HotexecError({ code: 'cancelled', message: 'Cancelled.', hint: null });
      },
    });
    const list = await setting.run();
    expect(list.items[0]).toMatchObject({ error: { code: 'cancelled' } });
    expect(list.untouched).toHaveLength(2);
    expect(exitCodeOfList(list)).toBe(130);
  });

  it('ends a pause', async () => {
    const setting = new Setting(three, {
      'web-2': (pod, listening) => {
        setImmediate(() => setting.controller.abort());
        return good(pod, listening);
      },
    });
    const list = await setting.run({ pauseMs: 2_000_000 });
    expect(list.items).toHaveLength(1);
    expect(exitCodeOfList(list)).toBe(7);
  });
});

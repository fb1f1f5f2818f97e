import { describe, expect, it } from 'vitest';
import { rolloutPolicy } from '../../../src/cli/rollout-flags.ts';
import { renderBegin, renderPod, renderSkipped, renderSummary } from '../../../src/cli/render/rollout-text.ts';
import { styleFor } from '../../../src/cli/render/style.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import type { FailedPod, RestartList } from '../../../src/protocol/list.ts';
import { combine, untouchedList } from '../../../src/rollout/result.ts';
import { refusal } from '../../support/refusal.ts';
import { restartResult } from '../../support/samples.ts';

const style = styleFor({ colours: false });
const handed = { protocol: 'tcp', address: '0.0.0.0:80', handedOver: true, why: null };
const good: RestartResult = {
  ...restartResult,
  target: 'pod/web-2',
  listeners: [handed, { ...handed, handedOver: false }],
};
const failed: RestartResult = {
  ...good,
  target: 'pod/web-1',
  outcome: 'rolled-back',
  error: { code: 'new-program-failed', message: 'it exited with 1', hint: null },
};
const refused: FailedPod = {
  apiVersion: 'hotexec/v1',
  kind: 'Error',
  target: 'pod/web-0',
  outcome: null,
  error: { code: 'not-permitted', message: 'no', hint: null },
};
const list: RestartList = {
  apiVersion: 'hotexec/v1',
  kind: 'List',
  target: 'statefulset/web',
  items: [good, failed],
  untouched: ['pod/web-0'],
  skipped: [{ target: 'pod/web-\u001b', why: 'it was deleted' }],
  appeared: ['pod/web-3'],
  warnings: ['the API server is away'],
  timingsMs: { total: 10 },
};

describe('the flags', () => {
  it('are one pod after another by default', () => {
    expect(rolloutPolicy({})(10)).toEqual({ atOnce: 1, pauseMs: 0, continueOnError: false });
  });

  it('say how many, how slowly, and when it is over', () => {
    const policy = rolloutPolicy({ maxUnavailable: '25%', pause: '1m30s', continueOnError: true });
    expect(policy(10)).toEqual({ atOnce: 2, pauseMs: 90_000, continueOnError: true });
  });

  it.each([{ maxUnavailable: '0' }, { maxUnavailable: 'some' }, { pause: '5' }, { pause: '25h' }])(
    'are refused where they make no sense: %j',
    (flags) => {
      expect(refusal(() => rolloutPolicy(flags)).code).toBe('usage');
    },
  );
});

it('many pods as text', () => {
  const begin = { target: 'statefulset/web', pods: ['pod/web-2', 'pod/web-1'], atOnce: 1 };
  const text = [
    renderBegin(begin, style),
    renderBegin({ ...begin, atOnce: 5 }, style),
    renderPod(good, style),
    renderPod(failed, style),
    renderPod(refused, style),
    renderPod({ ...good, error: { code: 'not-ready', message: '', hint: null } }, style),
    ...list.skipped.map((skipped) => renderSkipped(skipped, style)),
    renderSummary(list, style),
  ];
  expect(text.join('')).toBe(`statefulset/web: 2 pods, one after another
statefulset/web: 2 pods, 2 at a time
pod/web-2 restarted in place: held 2.4 ms of 118 ms, 1 listener handed over
pod/web-1 is back on its previous program: new-program-failed
pod/web-0 was not touched: not-permitted
pod/web-2 restarted in place, and not available: not-ready
pod/web-\\x1b skipped: it was deleted
statefulset/web: 1 of 4 pods restarted in place
  untouched: pod/web-0
  new meanwhile, with the program of their image: pod/web-3
  warning: the API server is away
`);
});

it('several workloads are one document', () => {
  const other = untouchedList('deployment/api', ['pod/api-0']);
  expect(combine('deployment -l app=web', [list])).toBe(list);
  expect(combine('deployment -l app=web', [list, other])).toMatchObject({
    target: 'deployment -l app=web',
    items: [good, failed],
    untouched: ['pod/web-0', 'pod/api-0'],
  });
});

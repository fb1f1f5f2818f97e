import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gracePeriodIn, imageStopSignal, parseContainerInfo } from '../../../src/targets/cri/info.ts';
import { ociConfig } from '../../support/bundle.ts';

it('reads pid and spec of what containerd and CRI-O tell', () => {
  const { pid, spec } = parseContainerInfo(JSON.stringify({ sandboxID: 'x', pid: 4711, runtimeSpec: ociConfig }));
  expect(pid).toBe(4711);
  expect(spec).toMatchObject({ source: 'api', args: ociConfig.process.args, cwd: '/srv' });
});

it('knows nothing of what another runtime tells, and fails on nothing', () => {
  expect(parseContainerInfo(null)).toEqual({ pid: null, spec: null });
  expect(parseContainerInfo('{"pid":0}')).toEqual({ pid: null, spec: null });
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      parseContainerInfo(text);
      imageStopSignal(text);
    }),
  );
});

it('reads the stop signal of an image', () => {
  expect(imageStopSignal('{"imageSpec":{"config":{"StopSignal":"SIGQUIT"}}}')).toBe('SIGQUIT');
  expect(imageStopSignal('{"imageSpec":{"config":{}}}')).toBeNull();
});

it('reads the grace period that the kubelet notes down', () => {
  expect(gracePeriodIn({ 'io.kubernetes.pod.terminationGracePeriod': '30' })).toBe(30);
  expect(gracePeriodIn({ 'io.kubernetes.pod.terminationGracePeriod': 'soon' })).toBeNull();
  expect(gracePeriodIn({})).toBeNull();
});

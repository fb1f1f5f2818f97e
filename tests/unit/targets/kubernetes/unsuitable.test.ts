// Nodes and runtimes that no machine of the tests has, as the API server would tell them.
import { describe, expect, it } from 'vitest';
import { sandboxOf, unsuitable } from '../../../../src/targets/kubernetes/unsuitable.ts';
import { podOf } from './pods.ts';

const linux = { architecture: 'amd64', operatingSystem: 'linux' };
const nothing = { node: null, handler: null };
const careful = { force: false };

describe('a pod that hotexec cannot work on', () => {
  it.each([
    [{ os: { name: 'windows' } }, nothing, /^pod\/web-0 runs on Windows, and hotexec is for Linux\. Nothing/],
    [{ nodeSelector: { 'kubernetes.io/os': 'windows' } }, nothing, /runs on Windows/],
    [{}, { ...nothing, node: { architecture: 'amd64', operatingSystem: 'windows' } }, /runs on Windows/],
    [
      { nodeName: 'n7' },
      { ...nothing, node: { ...linux, architecture: 'arm64' } },
      /: node n7 is of architecture arm64, and hotexec is for amd64\. Nothing/,
    ],
    [{ nodeSelector: { 'kubernetes.io/arch': 's390x' } }, nothing, /its node is of architecture s390x/],
  ])('%j beside %j', (spec, surroundings, message) => {
    const told = { code: 'architecture-unsupported', message: expect.stringMatching(message) as string };
    expect(unsuitable(podOf({ spec }), surroundings, careful)).toMatchObject(told);
    // No insisting makes another machine of it.
    expect(unsuitable(podOf({ spec }), surroundings, { force: true })).toMatchObject(told);
  });

  it.each([
    ['sandboxed', 'runsc', /in a sandbox \(gVisor\), as the handler runsc of its RuntimeClass says/],
    ['gvisor', null, /in a sandbox \(gVisor\), as its RuntimeClass gvisor says/],
    ['kata-qemu', null, /in a sandbox \(Kata Containers\), as its RuntimeClass kata-qemu says/],
  ])('by its RuntimeClass %s with the handler %s, unless it is tried', (runtimeClassName, handler, message) => {
    const pod = podOf({ spec: { runtimeClassName } });
    const told = { code: 'runtime-unsupported', message: expect.stringMatching(message) as string };
    expect(unsuitable(pod, { node: linux, handler }, careful)).toMatchObject(told);
    expect(unsuitable(pod, { node: linux, handler }, { force: true })).toBeNull();
  });

  it.each([
    [{}, nothing],
    [
      { os: { name: 'linux' }, nodeSelector: { 'kubernetes.io/arch': 'amd64' } },
      { node: linux, handler: null },
    ],
    [{ runtimeClassName: 'nvidia' }, { node: linux, handler: 'nvidia' }],
    // A name says nothing where the handler is known.
    [{ runtimeClassName: 'kata' }, { node: linux, handler: 'runc' }],
  ])('is not %j beside %j', (spec, surroundings) => {
    expect(unsuitable(podOf({ spec }), surroundings, careful)).toBeNull();
  });
});

it.each([
  ['runsc', 'gVisor'],
  ['gvisor', 'gVisor'],
  ['kata', 'Kata Containers'],
  ['kata-clh', 'Kata Containers'],
  ['kata-qemu-coco-dev-runtime-rs', 'Kata Containers'],
  ['runc', null],
  ['crun', null],
  ['katana', null],
])('a runtime of the name %s is the sandbox %s', (runtime, sandbox) => {
  expect(sandboxOf(runtime)).toBe(sandbox);
});

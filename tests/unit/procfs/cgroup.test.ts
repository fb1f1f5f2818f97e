import { describe, expect, it } from 'vitest';
import { containerIdIn, parseCgroup } from '../../../src/procfs/cgroup.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const HYBRID = `9:name=systemd:/
4:memory:/docker/x
2:cpu,cpuacct:/a:b
0::/../init.scope
`;
const ID = '0123456789abcdef'.repeat(4);
const OUTER = 'fedcba9876543210'.repeat(4);

describe('parseCgroup', () => {
  it('reads v1 and v2 lines', () => {
    expect(parseCgroup(HYBRID)).toStrictEqual([
      { hierarchy: 9, controllers: ['name=systemd'], path: '/' },
      { hierarchy: 4, controllers: ['memory'], path: '/docker/x' },
      { hierarchy: 2, controllers: ['cpu', 'cpuacct'], path: '/a:b' },
      { hierarchy: 0, controllers: [], path: '/../init.scope' },
    ]);
  });

  it('refuses a line without its two colons', () => {
    expect(() => parseCgroup('0:/')).toThrow(ParseError);
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseCgroup, HYBRID)).toBeUndefined();
  });
});

describe('containerIdIn', () => {
  it.each([
    `/docker/${ID}`,
    `/system.slice/docker-${ID}.scope`,
    `/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`,
    `/kubepods/burstable/pod5f0d3a8e-1b1c-4d4e-9a55-d0d9c0a7a3c1/${ID}`,
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod5f0d3a8e_1b1c.slice/cri-containerd-${ID}.scope`,
    `/system.slice/containerd.service/kubepods-besteffort-pod5f0d.slice:cri-containerd:${ID}`,
    `/kubepods.slice/kubepods-pod5f0d.slice/crio-${ID}.scope/container`,
    `/kubepods/pod5f0d/crio-${ID}`,
    `/machine.slice/libpod-${ID}.scope/container`,
    `/libpod_parent/libpod-${ID}`,
    `/default/${ID}`,
    `/../${ID}`,
    `/docker/${ID}/init.scope`,
  ])('finds the id in %s', (path) => {
    expect(containerIdIn([path])).toBe(ID);
  });

  it('takes the inner one of nested containers', () => {
    expect(containerIdIn([`/docker/${OUTER}/kubepods/besteffort/pod1/${ID}`])).toBe(ID);
  });

  it('looks at every path', () => {
    expect(containerIdIn(['/', '/init.scope', `/docker/${ID}`])).toBe(ID);
  });

  it.each([
    '/',
    '',
    '/user.slice/session-1.scope',
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/x/${ID}0`,
    `/x/${ID.slice(1)}`,
  ])('finds none in %j', (path) => {
    expect(containerIdIn([path])).toBeUndefined();
  });
});

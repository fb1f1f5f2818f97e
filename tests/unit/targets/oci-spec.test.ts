import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseOciSpec } from '../../../src/targets/oci-spec.ts';
import { ociConfig } from '../../support/bundle.ts';

it('reads what a fresh start is made of', () => {
  expect(parseOciSpec(JSON.stringify(ociConfig))).toEqual({
    source: 'bundle',
    args: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
    env: ['PATH=/usr/local/sbin:/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b', 'PASSWORD=secret'],
    cwd: '/srv',
    user: { uid: 101, gid: 101, additionalGids: [101, 10], umask: null },
    terminal: false,
    noNewPrivileges: false,
    oomScoreAdj: -500,
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN', 'CAP_KILL'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      inheritable: [],
      ambient: [],
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1_048_576, soft: 1024 }],
    seccomp: true,
    personality: null,
    stopSignal: null,
    stopTimeoutSeconds: null,
  });
});

it('knows a personality, and that there is no seccomp filter', () => {
  const config = { process: { cwd: '/' }, linux: { personality: { domain: 'LINUX32' } } };
  expect(parseOciSpec(JSON.stringify(config))).toMatchObject({ personality: 'LINUX32', seccomp: false, args: null });
});

it('has no spec for what is none, and never throws', () => {
  expect(parseOciSpec('')).toBeNull();
  expect(parseOciSpec('{}')).toBeNull();
  fc.assert(fc.property(fc.json(), (text) => void parseOciSpec(text)));
});

// A config.json as containerd's shim finds it for a Docker container: the parts hotexec reads, and some that it does not.
export const ociConfig = {
  ociVersion: '1.2.1',
  process: {
    user: { uid: 101, gid: 101, additionalGids: [101, 10] },
    args: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
    env: ['PATH=/usr/local/sbin:/usr/sbin:/usr/bin', 'HOSTNAME=3f9a0c1d2e4b', 'PASSWORD=secret'],
    cwd: '/srv',
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN', 'CAP_KILL'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1_048_576, soft: 1024 }],
    apparmorProfile: 'docker-default',
    oomScoreAdj: -500,
  },
  root: { path: '/var/lib/docker/overlay2/x/merged' },
  hostname: '3f9a0c1d2e4b',
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }],
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'mount' }],
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [] },
  },
} as const;

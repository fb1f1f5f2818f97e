// What this machine lacks for a cluster; scripts/setup-machine.sh cluster gets it.
import { existsSync } from 'node:fs';
import { apiServer, controllers, etcd, kubelet } from './components.ts';
import { containerd } from './runtime.ts';

/** Empty: a cluster can be started here. */
export function missingParts(): string[] {
  if (process.getuid?.() !== 0) return ['not root'];
  const programs = [etcd, containerd, apiServer, kubelet, ...controllers].map(({ program }) => program);
  return [...programs, '/usr/lib/cni/bridge', '/usr/bin/openssl']
    .filter((path) => !existsSync(path))
    .map((path) => `no ${path}`);
}

// The processes of a pod as an agent in it finds them in /proc.
import type { AgentTarget } from '../../src/protocol/agent.ts';
import { containerId } from './samples.ts';
import type { FakeProcess } from './proc-tree.ts';

const podUid = '5a1f0a4e-8f6c-4f53-9d0f-3c7b6a0e1d22';
const agentId = 'a'.repeat(64);
const sandboxId = 'b'.repeat(64);

export const agentTarget: AgentTarget = {
  name: 'pod/web-0',
  pod: { namespace: 'default', name: 'web-0', uid: podUid },
  container: { name: 'app', id: containerId, runtime: 'containerd' },
  startedAt: null,
  spec: null,
};

/** What the kubelet mounts into a container. */
export function mountsOf(name: string, uid: string = podUid): string {
  return [
    '1 0 0:50 / / rw - overlay overlay rw',
    `2 1 254:0 /var/lib/kubelet/pods/${uid}/etc-hosts /etc/hosts rw,relatime - ext4 /dev/vda rw`,
    `3 1 254:0 /var/lib/kubelet/pods/${uid}/containers/${name}/1a2b3c4d /dev/termination-log rw - ext4 /dev/vda rw`,
    '',
  ].join('\n');
}

function cgroupOf(id: string): string {
  return `0::/../cri-containerd-${id}.scope`;
}

export const app: FakeProcess = {
  pid: 1,
  comm: 'app',
  ppid: 0,
  startTicks: 5000,
  cgroup: cgroupOf(containerId),
  mountinfo: mountsOf('app'),
};
export const pause: FakeProcess = {
  pid: 1,
  comm: 'pause',
  ppid: 0,
  startTicks: 4000,
  cgroup: cgroupOf(sandboxId),
  exe: '/pause',
  mountinfo: '1 0 0:49 / / ro - overlay overlay ro\n',
};
export const agent: FakeProcess = {
  pid: 20,
  comm: 'node',
  ppid: 0,
  startTicks: 9000,
  cgroup: cgroupOf(agentId),
  mountinfo: mountsOf('hotexec-agent-1'),
};
export const otherApp: FakeProcess = {
  ...app,
  pid: 9,
  cgroup: cgroupOf('c'.repeat(64)),
  mountinfo: mountsOf('sidecar'),
};

/** The same with a file system in memory there; `device` tells one from another. */
export function withMemory(process: FakeProcess, memory: string, device = '0:60'): FakeProcess {
  const mount = `9 1 ${device} / ${memory} rw,nosuid,nodev,noexec - tmpfs shm rw,size=65536k\n`;
  return { ...process, mountinfo: `${process.mountinfo ?? ''}${mount}` };
}

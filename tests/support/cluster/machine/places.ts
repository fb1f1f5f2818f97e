// Where the cluster of this machine keeps what it consists of, and the addresses that it uses. There is one cluster a machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../docker/cache.ts';

const goMod = readFileSync(join(import.meta.dirname, '../../../../scripts/kubernetes/go.mod'), 'utf8');

/** `v1.34.2`; scripts/kubernetes/go.mod names it. */
export const kubernetesVersion: string = /^require k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1] ?? 'unknown';

/** scripts/setup-machine.sh cluster puts there what it has built. */
export const programsDirectory: string = join(cacheDirectory, `kubernetes-${kubernetesVersion}`);

/** Pids, logs, sockets, certificates. It exists while the cluster does. */
export const runDirectory = '/run/hotexec-test/cluster';

/** Images, containers, volumes, etcd's data. Gone with the cluster. */
export const dataDirectory = '/var/lib/hotexec-test-cluster';

/** Of somebody who may do everything. */
export const kubeconfigPath: string = join(runDirectory, 'admin.kubeconfig');

export const runtimeSocket: string = join(runDirectory, 'containerd/containerd.sock');

/** The kubelet starts what lies there without asking the API server. */
export const staticPodsDirectory: string = join(runDirectory, 'static-pods');

export const nodeName = 'hotexec-node';

// Pods, the node and the API server are on one bridge. The API server has the address that Services get for it, for nothing
// here gives an address to a Service (kube-proxy): so a pod finds it as in any cluster.
export const bridge = 'hotexec-k8s0';
export const podSubnet = '10.213.98.0/24';
export const nodeAddress = '10.213.98.1';
export const serviceSubnet = '10.213.99.0/24';
export const apiAddress = '10.213.99.1';
export const apiPort = 443;

export const etcdUrl = 'http://127.0.0.1:23790';

export const sandboxImage = 'localhost/hotexec-test/pause:1';

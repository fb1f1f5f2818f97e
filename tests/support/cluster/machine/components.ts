// What a cluster of one node consists of besides its container runtime, with the command line of each.
import { join } from 'node:path';
import { certificate, kubeconfigOf } from './certificates.ts';
import type { Daemon } from './daemons.ts';
import { kubeletConfigFile, kubeletDirectory, volumePluginsDirectory } from './kubelet-config.ts';
import {
  apiAddress,
  apiPort,
  dataDirectory,
  etcdUrl,
  nodeAddress,
  nodeName,
  programsDirectory,
  serviceSubnet,
} from './places.ts';

const etcdPeerUrl = 'http://127.0.0.1:23800';

export const etcd: Daemon = {
  name: 'etcd',
  program: join(programsDirectory, 'etcd'),
  args: flags({
    name: 'hotexec-test',
    'data-dir': join(dataDirectory, 'etcd'),
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': etcdPeerUrl,
    'initial-advertise-peer-urls': etcdPeerUrl,
    'initial-cluster': `hotexec-test=${etcdPeerUrl}`,
    'log-level': 'warn',
    // Its data need not survive this machine.
    'unsafe-no-fsync': 'true',
    // How soon after its start an API server knows that it has seen all.
    'watch-progress-notify-interval': '5s',
  }),
};

export const apiServer: Daemon = {
  name: 'kube-apiserver',
  program: join(programsDirectory, 'kube-apiserver'),
  args: flags({
    'bind-address': apiAddress,
    'advertise-address': apiAddress,
    'secure-port': String(apiPort),
    'service-cluster-ip-range': serviceSubnet,
    'etcd-servers': etcdUrl,
    'allow-privileged': 'true',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'client-ca-file': certificate('ca.crt'),
    'tls-cert-file': certificate('api-server.crt'),
    'tls-private-key-file': certificate('api-server.key'),
    'kubelet-client-certificate': certificate('api-server-to-kubelet.crt'),
    'kubelet-client-key': certificate('api-server-to-kubelet.key'),
    // The name of the node is known to no resolver.
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': certificate('service-accounts.pub'),
    'service-account-signing-key-file': certificate('service-accounts.key'),
  }),
};

const controllerManager: Daemon = {
  name: 'kube-controller-manager',
  program: join(programsDirectory, 'kube-controller-manager'),
  args: flags({
    'bind-address': '127.0.0.1',
    kubeconfig: kubeconfigOf('controller-manager'),
    'leader-elect': 'false',
    'root-ca-file': certificate('ca.crt'),
    'service-account-private-key-file': certificate('service-accounts.key'),
    'use-service-account-credentials': 'true',
    'flex-volume-plugin-dir': volumePluginsDirectory,
  }),
};

const scheduler: Daemon = {
  name: 'kube-scheduler',
  program: join(programsDirectory, 'kube-scheduler'),
  args: flags({ 'bind-address': '127.0.0.1', kubeconfig: kubeconfigOf('scheduler'), 'leader-elect': 'false' }),
};

export const kubelet: Daemon = {
  name: 'kubelet',
  program: join(programsDirectory, 'kubelet'),
  args: flags({
    config: kubeletConfigFile,
    kubeconfig: kubeconfigOf('kubelet'),
    'root-dir': kubeletDirectory,
    'cert-dir': join(kubeletDirectory, 'pki'),
    'hostname-override': nodeName,
    'node-ip': nodeAddress,
  }),
};

/** They need the API server, and nobody needs them to be started. */
export const controllers: readonly Daemon[] = [controllerManager, scheduler];

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

// The two libraries that reach a cluster. They are large and loaded together, late, and for targets in a cluster alone; scripts/build.ts makes one
// file of them. Of the Kubernetes client only its kubeconfig is taken: who asks, and how that is proved.
export { KubeConfig } from '@kubernetes/client-node/dist/config.js';
export { WebSocket } from 'ws';

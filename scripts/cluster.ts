// npm run cluster -- start [PID] | stop [PID] | kubeconfig: the Kubernetes of the tests, on this machine, of one node.
// PID is the process that needs it; without it the cluster stays until `stop` is called without one, and nobody needs it.
import { leaveCluster, nobody, useCluster } from '../tests/support/cluster/machine/cluster.ts';
import { kubeconfigPath } from '../tests/support/cluster/machine/places.ts';

const [command = '', pid = String(nobody)] = process.argv.slice(2);
const user = Number(pid);
if (!['start', 'stop', 'kubeconfig'].includes(command) || !Number.isInteger(user) || user < 1) {
  console.error('usage: npm run cluster -- start [PID] | stop [PID] | kubeconfig');
  process.exit(2);
}
if (command === 'start') await useCluster(user);
if (command === 'stop') await leaveCluster(user);
else console.log(kubeconfigPath);

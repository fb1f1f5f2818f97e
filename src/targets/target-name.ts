// Targets as the compiler tells them apart by their first word; parseTarget reads the same.
import type { Target } from './target.ts';

type Deployment = 'deployment' | 'deployments' | 'deploy' | 'deployment.apps' | 'deployments.apps';
type StatefulSet = 'statefulset' | 'statefulsets' | 'sts' | 'statefulset.apps' | 'statefulsets.apps';
type DaemonSet = 'daemonset' | 'daemonsets' | 'ds' | 'daemonset.apps' | 'daemonsets.apps';
type One = 'pid' | 'docker' | 'cri' | 'containerd' | 'pod' | 'pods' | 'po';

type ManyPods = 'workload' | 'selected';

/** `deployment/web`, or labels: as many pods as it has. */
export type WorkloadTarget =
  | `${Deployment | StatefulSet | DaemonSet}/${string}`
  | Extract<Target, { readonly kind: ManyPods }>;

/** `docker/web`, `pod/web-0`, `1234`. */
export type SingleTarget = `${One}/${string}` | `${number}` | Exclude<Target, { readonly kind: ManyPods }>;

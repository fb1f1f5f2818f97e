// A pod of a workload, as far as a rollout looks at it.

export interface RolloutPod {
  readonly name: string;
  /** A pod of a StatefulSet that is made again has the same name and another uid. */
  readonly uid: string;
  /** `stopped`: it has no container that could be restarted. */
  readonly state: 'running' | 'deleting' | 'stopped';
  /** As the API has it; it may be late. */
  readonly ready: boolean;
  /** ms since 1970. */
  readonly createdMs: number;
  /** Of its annotation `controller.kubernetes.io/pod-deletion-cost`; 0 without it. */
  readonly deletionCost: number;
  /** How often the kubelet has started the container again. */
  readonly restarts: number;
}

/** `pod/web-0` */
export function targetName({ name }: Pick<RolloutPod, 'name'>): string {
  return `pod/${name}`;
}

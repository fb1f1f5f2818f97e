// A pod as the API server tells it, as far as hotexec looks at one. Unknown fields are passed over: the API grows. What is absent is null or empty.
import * as v from 'valibot';
import { hookSchema, portsSchema, probeSchema } from './probes/schema.ts';
import type { ContainerPort, HookSpec, ProbeSpec } from './probes/spec.ts';

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  readonly creationTimestamp: string | null;
  readonly deletionTimestamp: string | null;
  readonly generation: number | null;
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeName: string | null;
    readonly containers: readonly Container[];
    readonly initContainers: readonly Container[];
    readonly ephemeralContainers: readonly Container[];
    readonly nodeSelector: Readonly<Record<string, string>>;
    readonly os: { readonly name: string } | null;
    readonly runtimeClassName: string | null;
    /** False: it has a user namespace of its own. */
    readonly hostUsers: boolean | null;
    readonly restartPolicy: string;
    readonly terminationGracePeriodSeconds: number | null;
    /** Of the pod as a whole; Kubernetes 1.34. */
    readonly resources: Resources | null;
    readonly securityContext: SecurityContext | null;
  };
  readonly status: PodStatus;
}

export interface PodStatus {
  readonly phase: string;
  readonly reason: string | null;
  readonly message: string | null;
  readonly podIP: string | null;
  readonly conditions: readonly PodCondition[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly ephemeralContainerStatuses: readonly ContainerStatus[];
}

export interface PodCondition {
  readonly type: string;
  /** `True`, `False`, `Unknown` */
  readonly status: string;
  readonly lastTransitionTime: string | null;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string | null;
  readonly env: readonly {
    readonly name: string;
    readonly value: string | null;
    /** The value stands elsewhere. */
    readonly valueFrom: object | null;
  }[];
  readonly tty: boolean;
  readonly resources: Resources | null;
  readonly ports: readonly ContainerPort[];
  readonly livenessProbe: ProbeSpec | null;
  readonly readinessProbe: ProbeSpec | null;
  readonly startupProbe: ProbeSpec | null;
  readonly lifecycle: {
    readonly stopSignal: string | null;
    readonly preStop: HookSpec | null;
    readonly postStart: HookSpec | null;
  } | null;
  readonly securityContext: SecurityContext | null;
  /** Of an init container: `Always` makes it one that runs beside the others. */
  readonly restartPolicy: string | null;
  /** Of an ephemeral one. */
  readonly targetContainerName: string | null;
}

interface Resources {
  readonly limits: Readonly<Record<string, string | number>>;
}

export interface SecurityContext {
  readonly runAsUser: number | null;
  readonly runAsGroup: number | null;
  readonly privileged: boolean | null;
  readonly allowPrivilegeEscalation: boolean | null;
  readonly seccompProfile: { readonly type: string } | null;
  /** As they are: the agent gets the same. */
  readonly appArmorProfile: object | null;
  readonly seLinuxOptions: object | null;
  readonly capabilities: { readonly add: readonly string[] } | null;
}

export interface ContainerStatus {
  readonly name: string;
  /** `containerd://0123…` */
  readonly containerID: string | null;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: {
    readonly running: { readonly startedAt: string | null } | null;
    readonly waiting: { readonly reason: string; readonly message: string } | null;
    readonly terminated: Terminated | null;
  };
  /** Of the run before. */
  readonly lastState: { readonly terminated: Terminated | null };
  /** What it really was started as; Kubernetes 1.33, and a runtime that tells it. */
  readonly user: {
    readonly linux: {
      readonly uid: number;
      readonly gid: number;
      readonly supplementalGroups: readonly number[];
    } | null;
  } | null;
}

export interface Terminated {
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled` */
  readonly reason: string;
  readonly message: string;
  /** `containerd://0123…` */
  readonly containerID: string | null;
}

type Schema<Output> = v.GenericSchema<unknown, Output>;

const text: Schema<string | null> = v.nullish(v.string(), null);
const emptyText: Schema<string> = v.nullish(v.string(), '');
const number: Schema<number | null> = v.nullish(v.number(), null);
const flag: Schema<boolean | null> = v.nullish(v.boolean(), null);
const words: Schema<readonly string[]> = v.nullish(v.array(v.string()), []);
const names: Schema<Readonly<Record<string, string>>> = v.nullish(v.record(v.string(), v.string()), {});
const anything: Schema<object | null> = v.nullish(v.looseObject({}), null);

export const metadataSchema: Schema<Metadata> = v.object({
  name: v.string(),
  namespace: v.nullish(v.string(), 'default'),
  uid: v.string(),
  labels: names,
  annotations: names,
  ownerReferences: v.nullish(v.array(v.object({ kind: v.string(), name: v.string(), uid: v.string() })), []),
  creationTimestamp: text,
  deletionTimestamp: text,
  generation: number,
});

const resources: Schema<Resources | null> = v.nullish(
  v.object({ limits: v.nullish(v.record(v.string(), v.union([v.string(), v.number()])), {}) }),
  null,
);

const securityContext: Schema<SecurityContext | null> = v.nullish(
  v.object({
    runAsUser: number,
    runAsGroup: number,
    privileged: flag,
    allowPrivilegeEscalation: flag,
    seccompProfile: v.nullish(v.object({ type: v.string() }), null),
    appArmorProfile: anything,
    seLinuxOptions: anything,
    capabilities: v.nullish(v.object({ add: words }), null),
  }),
  null,
);

const container: Schema<Container> = v.object({
  name: v.string(),
  image: emptyText,
  command: words,
  args: words,
  workingDir: text,
  env: v.nullish(v.array(v.object({ name: v.string(), value: text, valueFrom: anything })), []),
  tty: v.nullish(v.boolean(), false),
  resources,
  ports: portsSchema,
  livenessProbe: probeSchema,
  readinessProbe: probeSchema,
  startupProbe: probeSchema,
  lifecycle: v.nullish(v.object({ stopSignal: text, preStop: hookSchema, postStart: hookSchema }), null),
  securityContext,
  restartPolicy: text,
  targetContainerName: text,
});

const terminated: Schema<Terminated | null> = v.nullish(
  v.object({ exitCode: v.nullish(v.number(), 0), reason: emptyText, message: emptyText, containerID: text }),
  null,
);

const containerStatus: Schema<ContainerStatus> = v.object({
  name: v.string(),
  containerID: text,
  restartCount: v.nullish(v.number(), 0),
  ready: v.nullish(v.boolean(), false),
  state: v.nullish(
    v.object({
      running: v.nullish(v.object({ startedAt: text }), null),
      waiting: v.nullish(v.object({ reason: emptyText, message: emptyText }), null),
      terminated,
    }),
    { running: null, waiting: null, terminated: null },
  ),
  lastState: v.nullish(v.object({ terminated }), { terminated: null }),
  user: v.nullish(
    v.object({
      linux: v.nullish(
        v.object({ uid: v.number(), gid: v.number(), supplementalGroups: v.nullish(v.array(v.number()), []) }),
        null,
      ),
    }),
    null,
  ),
});

const containers: Schema<readonly Container[]> = v.nullish(v.array(container), []);
const containerStatuses: Schema<readonly ContainerStatus[]> = v.nullish(v.array(containerStatus), []);

const statusSchema: Schema<PodStatus> = v.object({
  phase: v.nullish(v.string(), 'Unknown'),
  reason: text,
  message: text,
  podIP: text,
  conditions: v.nullish(v.array(v.object({ type: v.string(), status: v.string(), lastTransitionTime: text })), []),
  containerStatuses,
  initContainerStatuses: containerStatuses,
  ephemeralContainerStatuses: containerStatuses,
});

export const podSchema: Schema<Pod> = v.object({
  metadata: metadataSchema,
  spec: v.object({
    nodeName: text,
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    nodeSelector: names,
    os: v.nullish(v.object({ name: v.string() }), null),
    runtimeClassName: text,
    hostUsers: flag,
    restartPolicy: v.nullish(v.string(), 'Always'),
    terminationGracePeriodSeconds: number,
    resources,
    securityContext,
  }),
  status: statusSchema,
});

export const podListSchema: Schema<{ readonly items: readonly Pod[] }> = v.object({ items: v.array(podSchema) });

/** What runs as long as the pod does: its containers, and the init containers that run beside them. */
export function mainContainers({ spec }: Pod): readonly Container[] {
  return [...spec.containers, ...spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
}

export function statusOf(name: string, { status }: Pod): ContainerStatus | undefined {
  const { containerStatuses: main, initContainerStatuses: init, ephemeralContainerStatuses: ephemeral } = status;
  return [...main, ...init, ...ephemeral].find((one) => one.name === name);
}

/** As it is printed. */
export function podName({ metadata }: Pod): string {
  return `pod/${metadata.name}`;
}

// What a runtime tells of a container and its image when it is asked to be verbose: JSON that CRI does not define. containerd and CRI-O
// have the parts below in common; of another runtime nothing is known.
import * as v from 'valibot';
import type { ProgramSpec } from '../../protocol/request.ts';
import { parseOciSpec } from '../oci-spec.ts';
import { parseJson } from '../parse-json.ts';

export interface ContainerInfo {
  /** Of its first process; null: not told. */
  readonly pid: number | null;
  readonly spec: ProgramSpec | null;
}

const containerInfo = v.object({ pid: v.nullish(v.number()), runtimeSpec: v.nullish(v.looseObject({})) });

export function parseContainerInfo(text: string | null): ContainerInfo {
  const parsed = v.safeParse(containerInfo, parseJson(text));
  if (!parsed.success) return { pid: null, spec: null };
  const { pid, runtimeSpec } = parsed.output;
  const spec = runtimeSpec ? parseOciSpec(JSON.stringify(runtimeSpec)) : null;
  return { pid: pid ? pid : null, spec: spec === null ? null : { ...spec, source: 'api' } };
}

const imageInfo = v.object({
  imageSpec: v.object({ config: v.nullish(v.object({ StopSignal: v.nullish(v.string()) })) }),
});

/** Null: the image names none, and SIGTERM is meant. */
export function imageStopSignal(text: string | null): string | null {
  const parsed = v.safeParse(imageInfo, parseJson(text));
  return (parsed.success ? parsed.output.imageSpec.config?.StopSignal : null) || null;
}

// The kubelet's own annotation (pkg/kubelet/kuberuntime/labels.go), which it reads back itself.
const gracePeriod = 'io.kubernetes.pod.terminationGracePeriod';

/** In seconds; null: not told. */
export function gracePeriodIn(annotations: Readonly<Record<string, string>>): number | null {
  const text = annotations[gracePeriod] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

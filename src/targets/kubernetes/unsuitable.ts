// What a pod runs on that hotexec cannot work on: another system or CPU, a runtime that is a sandbox. Pure.
import type { ErrorData } from '../../errors.ts';
import { podName, type Pod } from './pod.ts';
import type { Node } from './surroundings.ts';

/** As far as it may be read. */
export interface Surroundings {
  readonly node: Node | null;
  /** Of the pod's RuntimeClass. */
  readonly handler: string | null;
}

/** Null: nothing that is known is against it. `force`: a sandbox is tried. */
export function unsuitable(
  pod: Pod,
  { node, handler }: Surroundings,
  { force }: { readonly force: boolean },
): ErrorData | null {
  const name = podName(pod);
  const { nodeName, runtimeClassName } = pod.spec;
  const system = systemOf(pod, node);
  if (system !== 'linux') return refusal(`${name} runs on ${systemNames[system] ?? system}, and hotexec is for Linux.`);
  const architecture = architectureOf(pod, node);
  if (architecture !== supported)
    return refusal(
      `${name}: ${nodeName === null ? 'its node' : `node ${nodeName}`} is of architecture ${architecture}, and hotexec is for ${supported}.`,
    );
  const sandbox = force || runtimeClassName === null ? null : sandboxOf(handler ?? runtimeClassName);
  if (sandbox === null) return null;
  const what = handler === null ? 'its RuntimeClass' : `the handler ${handler} of its RuntimeClass`;
  return {
    code: 'runtime-unsupported',
    message: `${name} runs in a sandbox (${sandbox}), as ${what} ${handler === null ? `${runtimeClassName} ` : ''}says: such a runtime does not let the agent see the program. Nothing was touched.`,
    hint: '--force tries it: the agent is put into the pod, and refuses where it cannot see the program.',
  };
}

const supported = 'amd64';
const systemNames: Readonly<Record<string, string>> = { windows: 'Windows' };

/** What its node says goes before what the pod asks for. */
function systemOf({ spec }: Pod, node: Node | null): string {
  return node?.operatingSystem || spec.os?.name || spec.nodeSelector['kubernetes.io/os'] || 'linux';
}

function architectureOf({ spec }: Pod, node: Node | null): string {
  return node?.architecture || spec.nodeSelector['kubernetes.io/arch'] || supported;
}

/**
 * By the handler of a RuntimeClass, or where that may not be read by the name of the class: `runsc` and `gvisor` (gvisor.dev), `kata` and
 * `kata-qemu` (kata-deploy's runtimeclasses). Null: none that is known.
 */
export function sandboxOf(runtime: string): 'gVisor' | 'Kata Containers' | null {
  if (/^(?:gvisor|runsc)(?:-|$)/i.test(runtime)) return 'gVisor';
  return /^kata(?:-|$)/i.test(runtime) ? 'Kata Containers' : null;
}

function refusal(message: string): ErrorData {
  return { code: 'architecture-unsupported', message: `${message} Nothing was touched.`, hint: null };
}

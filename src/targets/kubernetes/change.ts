// The annotation hotexec.io/CONTAINER: that the program in a container is not the one that the kubelet has started. It names the container as the
// runtime knows it: one that the kubelet starts anew has another id, and the program of its image again.
import * as v from 'valibot';
import { parseJson } from '../parse-json.ts';
import { statusOf, type Container, type Pod } from './pod.ts';

export interface Change {
  readonly verb: string;
  /** ISO 8601, by the clock of whoever did it. */
  readonly at: string;
  readonly operationId: string;
  /** Its id, without its runtime; null: not known. */
  readonly container: string | null;
}

export function changeKey(container: string): string {
  return `hotexec.io/${container}`;
}

const schema = v.object({
  verb: v.string(),
  at: v.string(),
  operationId: v.string(),
  container: v.nullish(v.string(), null),
});

/** What was changed in the container that runs now; null: nothing, as far as the pod tells. */
export function changeOf(pod: Pod, { name }: Pick<Container, 'name'>): Change | null {
  const text = pod.metadata.annotations[changeKey(name)];
  const parsed = text === undefined ? null : v.safeParse(schema, parseJson(text));
  if (parsed?.success !== true) return null;
  const { container } = parsed.output;
  const isThis = container !== null && statusOf(name, pod)?.containerID?.endsWith(`://${container}`) === true;
  return isThis ? parsed.output : null;
}

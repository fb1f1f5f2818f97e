// The containers that containerd itself knows, by namespace. Three calls for each namespace that is looked at.
import type { RuntimeApi, Task } from '../runtime/api.ts';
import type { NamedContainer } from './choose.ts';

/** `only`: one namespace, whether or not it is there; null: all that are. */
export async function containersOf(api: RuntimeApi, only: string | null): Promise<readonly NamedContainer[]> {
  const namespaces = only === null ? await api.namespaces() : [only];
  const listed = await Promise.all(
    namespaces.map(async (namespace) =>
      (await api.containersIn(namespace)).map(({ id, labels, spec }) => ({ id, labels, spec, api, namespace })),
    ),
  );
  return listed.flat();
}

/** Null: the container exists, and nothing runs in it. */
export async function taskOf({ api, namespace, id }: NamedContainer): Promise<Task | null> {
  const tasks = await api.tasksIn(namespace);
  return tasks.find(({ containerId }) => containerId === id) ?? null;
}

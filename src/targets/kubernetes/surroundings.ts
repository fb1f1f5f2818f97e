// What a pod stands on: its node, its RuntimeClass. Whoever has the least Role may read neither.
import * as v from 'valibot';
import { ApiError, apiPath, type ClusterApi } from './api.ts';

export interface Node {
  /** As Go has it: `amd64`. */
  readonly architecture: string;
  readonly operatingSystem: string;
}

const nodeSchema = v.object({
  status: v.object({
    nodeInfo: v.object({ architecture: v.nullish(v.string(), ''), operatingSystem: v.nullish(v.string(), '') }),
  }),
});

/** Null: it may not be read. */
export async function readNode(name: string, api: ClusterApi): Promise<Node | null> {
  return (await orNull(api.get(apiPath(['api', 'v1', 'nodes', name]), nodeSchema)))?.status.nodeInfo ?? null;
}

/** The handler of a RuntimeClass: `runsc`; null: it may not be read. */
export async function runtimeHandler(name: string, api: ClusterApi): Promise<string | null> {
  const path = apiPath(['apis', 'node.k8s.io', 'v1', 'runtimeclasses', name]);
  return (await orNull(api.get(path, v.object({ handler: v.string() }))))?.handler ?? null;
}

/** Of what may not be read. */
export async function orNull<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

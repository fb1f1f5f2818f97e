// A namespace as the API server tells it. Whoever has the least Role may not read it.
import * as v from 'valibot';
import { ApiError, apiPath, type ClusterApi } from './api.ts';

export type Namespace =
  | { readonly kind: 'labelled'; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' };

const labelled = v.object({
  metadata: v.object({ labels: v.nullish(v.record(v.string(), v.string()), {}) }),
});

/** That of `api`. */
export async function readNamespace(api: ClusterApi): Promise<Namespace> {
  try {
    const { metadata } = await api.get(apiPath(['api', 'v1', 'namespaces', api.cluster.namespace]), labelled);
    return { kind: 'labelled', labels: metadata.labels };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { kind: error.status === 404 ? 'absent' : 'unreadable' };
  }
}

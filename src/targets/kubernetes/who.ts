// Who is asking, and what they may do, as the API server itself answers it. All may ask that of themselves (ClusterRole system:basic-user), and
// nothing is stored.
import * as v from 'valibot';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { isImpersonation } from './refusal.ts';
import type { Right } from './role.ts';

export interface Who {
  readonly user: string;
  readonly groups: readonly string[];
}

const review = v.object({
  status: v.object({
    userInfo: v.object({ username: v.string(), groups: v.nullish(v.array(v.string()), []) }),
  }),
});

/** Null: the server does not serve it (before Kubernetes 1.28), or does not tell. Rejects as ClusterApi does where the login or `--as` is refused. */
export async function whoAmI(api: ClusterApi): Promise<Who | null> {
  const apiVersion = 'authentication.k8s.io/v1';
  try {
    const { status } = await api.send(
      {
        method: 'POST',
        path: apiPath(['apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews']),
        contentType: 'application/json',
        body: { apiVersion, kind: 'SelfSubjectReview' },
      },
      review,
    );
    return { user: status.userInfo.username, groups: status.userInfo.groups };
  } catch (error) {
    if (error instanceof ApiError && error.status !== 401 && !isImpersonation(error)) return null;
    throw error;
  }
}

/** A right on the namespace of `api`, or on one object there. */
export interface AskedRight extends Pick<Right, 'group' | 'resource' | 'verb'> {
  /** Null: any object. */
  readonly name: string | null;
}

/** `unknown`: the server does not tell. */
export type Allowed = 'yes' | 'no' | 'unknown';

const accessReview = v.object({ status: v.object({ allowed: v.boolean() }) });

export async function mayI({ group, resource, verb, name }: AskedRight, api: ClusterApi): Promise<Allowed> {
  const [plain = '', subresource = ''] = resource.split('/');
  const { namespace } = api.cluster;
  const resourceAttributes = { namespace, verb, group, resource: plain, subresource, name: name ?? '' };
  try {
    const { status } = await api.send(
      {
        method: 'POST',
        path: apiPath(['apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews']),
        contentType: 'application/json',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        },
      },
      accessReview,
    );
    return status.allowed ? 'yes' : 'no';
  } catch (error) {
    if (error instanceof ApiError) return 'unknown';
    throw error;
  }
}

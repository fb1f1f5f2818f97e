// The API server: its version, and whether it has ephemeral containers. Both are told to everybody who is logged in (system:discovery).
import * as v from 'valibot';
import { apiPath, type ClusterApi } from './api.ts';
import { orNull } from './surroundings.ts';

export interface Server {
  /** Null: it is not told. */
  readonly version: ServerVersion | null;
  /** `pods/ephemeralcontainers` takes a pod, as since Kubernetes 1.23; null: that is not told. */
  readonly hasEphemeralContainers: boolean | null;
}

export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  /** As it says it of itself: `v1.34.2`. */
  readonly text: string;
}

// Of a provider the minor version may be `27+`.
const leadingNumber = v.pipe(
  v.string(),
  v.transform((text) => Number.parseInt(text, 10)),
);

const versionSchema = v.object({ major: leadingNumber, minor: leadingNumber, gitVersion: v.string() });

const discovery = v.object({ resources: v.array(v.object({ name: v.string(), kind: v.string() })) });

/** Rejects with HotexecError where there is no answer. */
export async function readServer(api: ClusterApi): Promise<Server> {
  const [version, resources] = await Promise.all([
    orNull(api.get(apiPath(['version']), versionSchema)),
    orNull(api.get(apiPath(['api', 'v1']), discovery)),
  ]);
  const ephemeral = resources?.resources.some(
    ({ name, kind }) => name === 'pods/ephemeralcontainers' && kind === 'Pod',
  );
  return {
    version: version === null ? null : { major: version.major, minor: version.minor, text: version.gitVersion },
    hasEphemeralContainers: ephemeral ?? null,
  };
}

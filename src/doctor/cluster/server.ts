// The API server: which one, and whether it has what the agent is: ephemeral containers.
import type { Server, ServerVersion } from '../../targets/kubernetes/server.ts';
import { blocked, unknown, yes, type Finding } from '../finding.ts';
import type { ClusterPlace } from './seen.ts';

export const apiServer: ClusterPlace = ({ api, server }) => [
  reached(new URL(api.cluster.server).host, server.version),
  ephemeralContainers(server),
];

function reached(host: string, version: ServerVersion | null): Finding {
  const subject = 'API server';
  if (version === null) return yes(subject, `${host} answers; it does not tell its version`);
  return yes(subject, `Kubernetes ${version.text} at ${host}`);
}

const subject = 'ephemeral containers';
const remedy = 'a newer cluster; or on the node, as root: hotexec restart PID';

/** Pure. On by default since 1.23 (beta), for good since 1.25 (KEP-277); before, their API was another one. */
export function ephemeralContainers({ version, hasEphemeralContainers }: Server): Finding {
  const name = version === null ? 'this cluster' : `Kubernetes ${version.text}`;
  if (hasEphemeralContainers === false) {
    const why = isBefore(version, 25)
      ? 'they are switched on by default from 1.23 on, and always there from 1.25 on'
      : 'its API server does not serve them';
    return blocked(subject, `${name} has none: ${why}`, remedy);
  }
  if (isBefore(version, 23)) return blocked(subject, `${name} has not those that hotexec uses: 1.25 has`, remedy);
  if (isBefore(version, 25))
    return unknown(subject, `in ${name} they are beta, and may be switched off; hotexec is made for 1.25 and newer`);
  if (hasEphemeralContainers === null && version === null) return unknown(subject, 'the API server does not tell');
  return yes(subject, 'the agent can be one');
}

export function isBefore(version: ServerVersion | null, minor: number): boolean {
  return version !== null && (version.major < 1 || (version.major === 1 && version.minor < minor));
}

// Who the API server takes us for.
import { unknown, yes, no } from '../finding.ts';
import type { ClusterPlace } from './seen.ts';

const subject = 'who asks';

export const identity: ClusterPlace = ({ who }) => {
  if (who === null)
    return [unknown(subject, 'this API server does not tell (Kubernetes 1.28 does)', 'kubectl auth whoami')];
  const { user, groups } = who;
  if (user === 'system:anonymous')
    return [
      no(
        subject,
        'the API server takes you for nobody (system:anonymous)',
        'log in; kubectl config view shows as whom',
      ),
    ];
  const others = groups.filter((group) => group !== 'system:authenticated');
  return [yes(subject, others.length === 0 ? user : `${user}, of ${others.join(', ')}`)];
};

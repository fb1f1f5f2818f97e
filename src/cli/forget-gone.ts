// Records of Docker's containers that have been removed since. Whatever stands against forgetting them waits until the next time.
import type { Target } from '../targets/target.ts';
import type { CliContext } from './context.ts';

/** `rarely`: at most once a day, for a command that has no need of it itself. */
export async function forgetGone(
  target: Target,
  { env, host, proc, signal }: Pick<CliContext, 'env' | 'host' | 'proc' | 'signal'>,
  how: { readonly rarely?: boolean } = {},
): Promise<void> {
  if (target.kind !== 'docker') return;
  const { forgetGoneContainers } = await import('../targets/docker/forget.ts');
  await forgetGoneContainers({ env, uid: host.uid, proc, signal, ...how });
}

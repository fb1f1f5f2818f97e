// hotexec replace TARGET --with FILE [flags] [-- ARG...], and plan replace: a restart whose program is a file from here.
import type { CliContext } from './context.ts';
import type { ReplaceCommandFlags } from './flags.ts';
import type { RestartInvocation } from './restart.ts';

export interface ReplaceInvocation {
  readonly words: readonly string[];
  readonly flags: ReplaceCommandFlags;
  /** What stands behind `--`: the arguments after argv[0]. */
  readonly command: readonly string[] | null;
}

export async function runReplace(invocation: ReplaceInvocation, context: CliContext): Promise<number> {
  const { runRestart } = await import('./restart.ts');
  return runRestart(asRestart(invocation), context);
}

export async function planReplace(invocation: ReplaceInvocation, context: CliContext): Promise<number> {
  const { runPlan } = await import('./plan.ts');
  return runPlan(asRestart(invocation), context);
}

function asRestart({ words, flags, command }: ReplaceInvocation): RestartInvocation {
  return { words, flags, command, replacement: flags };
}

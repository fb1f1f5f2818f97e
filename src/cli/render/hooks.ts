// The lifecycle hooks of a container: what became of them, and which would be run.
import type { HookResult } from '../../protocol/hook.ts';
import type { PlannedHook } from '../../protocol/plan.ts';
import { escapeText } from './escape.ts';
import { formatMs, type Row } from './table.ts';

/** Those that did not succeed are among the warnings, too. */
export function hookRows(hooks: readonly HookResult[]): readonly Row[] {
  return hooks.map(({ hook, program, action, end, why, ms }) => {
    const how = end === 'succeeded' ? `has succeeded in ${formatMs(ms)}` : (why ?? end);
    const whose = program === 'previous' ? ', of the previous program' : '';
    return ['hook', escapeText(`${hook} (${action})${whose}: ${how}`)];
  });
}

export function plannedHookRows(hooks: readonly PlannedHook[]): readonly Row[] {
  return hooks.map(({ hook, action, withinMs }) => [
    'hook',
    `${hook} (${action}) will be run, and waited for ${withinMs / 1000} s at most`,
  ]);
}

// Many pods as text: a line a pod, and a few about all of them.
import type { PodState, RolloutEvent } from '../../rollout/event.ts';
import type { FailedPod, RestartList } from '../../protocol/list.ts';
import { isGood } from '../../rollout/result.ts';
import type { RestartResult } from '../../protocol/result.ts';
import { escapeText } from './escape.ts';
import type { Style } from './style.ts';
import { count, formatMs } from './table.ts';

type Begun = Extract<RolloutEvent, { readonly kind: 'rollout' }>;

/** `statefulset/web: 3 pods, one after another` */
export function renderBegin({ target, pods, atOnce }: Omit<Begun, 'kind'>, style: Style): string {
  const how =
    pods.length < 2 ? '' : atOnce === 1 ? ', one after another' : `, ${Math.min(atOnce, pods.length)} at a time`;
  return `${style.bold(escapeText(target))}: ${count(pods.length, 'pod')}${how}\n`;
}

/** A pod whose turn is over. */
export function renderPod(item: RestartResult | FailedPod, style: Style): string {
  const name = style.bold(escapeText(item.target));
  const how = item.kind === 'Restart' && isGood(item) ? facts(item) : item.error === null ? '' : `: ${item.error.code}`;
  return `${name} ${headline(item, style)}${how}\n`;
}

function headline({ outcome, error }: RestartResult | FailedPod, style: Style): string {
  switch (outcome) {
    case null:
      return style.yellow(error?.code === 'outcome-unknown' ? 'may have been changed' : 'was not touched');
    case 'restarted':
      return error === null ? style.green('restarted in place') : style.yellow('restarted in place, and not available');
    case 'unchanged':
      return style.yellow('is unchanged');
    case 'rolled-back':
      return style.yellow('is back on its previous program');
    case 'stopped':
      return style.yellow('was stopped by somebody else meanwhile');
    case 'lost':
      return style.red('has ended');
  }
}

/** `: held 2.4 ms of 118 ms, 1 listener handed over` */
function facts({ timingsMs, listeners }: RestartResult): string {
  const handed = listeners.filter(({ handedOver }) => handedOver).length;
  const held = `held ${formatMs(timingsMs.hold)} of ${formatMs(timingsMs.total)}`;
  return `: ${held}${handed === 0 ? '' : `, ${count(handed, 'listener')} handed over`}`;
}

/** What is said of a pod without a result. */
export function renderSkipped(
  { target, why }: { readonly target: string; readonly why: string },
  style: Style,
): string {
  return `${style.bold(escapeText(target))} skipped: ${escapeText(why)}\n`;
}

/** `deployment/web: 2 of 3 pods restarted in place` and whatever else there is to know. */
export function renderSummary(list: RestartList, style: Style): string {
  const { target, items, untouched, appeared, skipped } = list;
  const good = items.filter(isGood).length;
  const all = items.length + untouched.length + skipped.length;
  const paint = good === items.length && untouched.length === 0 ? style.green : style.yellow;
  const lines = [
    `${style.bold(escapeText(target))}: ${paint(`${good} of ${count(all, 'pod')} restarted in place`)}`,
    ...(untouched.length === 0 ? [] : [`  untouched: ${names(untouched)}`]),
    ...(appeared.length === 0 ? [] : [`  new meanwhile, with the program of their image: ${names(appeared)}`]),
    ...list.warnings.map((warning) => `  ${style.yellow('warning:')} ${escapeText(warning)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function names(targets: readonly string[]): string {
  return targets.map(escapeText).join(', ');
}

export const stateWords: Readonly<Record<PodState, string>> = {
  restarting: 'reaching it',
  settling: 'waiting until it counts as available',
  restarted: 'restarted in place',
  failed: 'failed',
  skipped: 'skipped',
  untouched: 'untouched',
};

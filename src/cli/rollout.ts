// Many pods from the command line: what is shown meanwhile and at the end, and the exit code.
import type { RolloutEvent } from '../rollout/event.ts';
import { openRollouts } from '../rollout/cluster.ts';
import { describeHook } from '../protocol/hook.ts';
import type { RestartList } from '../protocol/list.ts';
import { exitCodeOfList } from '../rollout/result.ts';
import { runRollouts } from '../rollout/run.ts';
import type { ProgramChange, RestartOptions } from '../protocol/request.ts';
import type { ClusterTarget } from '../targets/target.ts';
import { clusterOptions, type ClusterFlags } from './cluster-flags.ts';
import { rolloutPolicy, type RolloutFlags } from './rollout-flags.ts';
import type { TimelineFlags } from './timeline-file.ts';
import { usageError } from './usage.ts';
import type { CliContext, Output } from './context.ts';
import { renderError } from './render/error-text.ts';
import { printableJson } from './render/escape.ts';
import { renderCall, renderWarning } from './render/events.ts';
import { renderBegin, renderPod, renderSkipped, renderSummary } from './render/rollout-text.ts';
import type { RolloutTasks } from './render/rollout-tasks.ts';
import { styleFor } from './render/style.ts';

export interface RolloutInvocation {
  readonly target: ClusterTarget;
  readonly program: ProgramChange;
  readonly options: RestartOptions;
  readonly flags: RolloutFlags & ClusterFlags & TimelineFlags & ShowingFlags;
}

interface ShowingFlags {
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet?: true | undefined;
  readonly verbose?: true | undefined;
}

/** All pods of a target, one after another. Returns the exit code. */
export async function runRollout(invocation: RolloutInvocation, context: CliContext): Promise<number> {
  const { target, options, flags } = invocation;
  if (flags.timeline !== undefined)
    throw usageError('--timeline draws the restart of one target.', 'Name one pod: pod/NAME.');
  const policyFor = rolloutPolicy(flags);
  const { output, quiet = false, verbose = false } = flags;
  const cluster = clusterOptions(flags, { target, env: context.env, ...options });
  using found = await openRollouts(target, { ...context, cluster, restart: options, onProgress: () => {} });
  const report = await openRolloutReport({ output, quiet, verbose }, context);
  try {
    const { program } = invocation;
    const { signal } = context;
    const list = await runRollouts(found, { target, program, options, policyFor }, { signal, onEvent: report.onEvent });
    await report.print(list);
    return exitCodeOfList(list);
  } finally {
    await report.end();
  }
}

interface RolloutShowing {
  readonly output: 'text' | 'json' | 'jsonl';
  readonly quiet: boolean;
  readonly verbose: boolean;
}

interface RolloutReport {
  readonly onEvent: (event: RolloutEvent) => void;
  readonly print: (list: RestartList) => Promise<void>;
  readonly end: () => Promise<void>;
}

async function openRolloutReport(showing: RolloutShowing, context: CliContext): Promise<RolloutReport> {
  const { stdout, stderr } = context;
  const tasks = await openTasks(showing, stderr);
  const warned = new Set<string>();
  const held: (() => void)[] = [];
  // What is drawn on the terminal would be torn by lines between it: those come after it.
  const later = (write: () => void): void => {
    if (tasks === null) write();
    else held.push(write);
  };
  return {
    onEvent: (event) => {
      tasks?.onEvent(event);
      if (showing.output === 'jsonl' && event.kind !== 'doing') stdout.write(`${printableJson(flat(event))}\n`);
      if (event.kind === 'in-pod') later(() => showInPod(event, { warned, showing, stderr }));
      else if (event.kind !== 'doing' && showing.output === 'text' && !showing.quiet)
        later(() => showStep(event, stdout));
    },
    print: async (list) => {
      await tasks?.end();
      for (const write of held.splice(0)) write();
      printList(list, showing, context);
    },
    end: async () => tasks?.end(),
  };
}

async function openTasks({ quiet, verbose }: RolloutShowing, { terminal }: Output): Promise<RolloutTasks | null> {
  if (quiet || verbose || terminal === undefined) return null;
  const { showTasks } = await import('./render/rollout-tasks.ts');
  return showTasks(terminal);
}

/** One line of jsonl: what happens in a pod is as for one target alone, with the name of the pod. */
function flat(event: RolloutEvent): object {
  return event.kind === 'in-pod' ? { target: event.target, ...event.event } : event;
}

type InPod = Extract<RolloutEvent, { readonly kind: 'in-pod' }>;
type Step = Extract<RolloutEvent, { readonly kind: 'rollout' | 'pod' }>;

interface Showing {
  readonly warned: Set<string>;
  readonly showing: RolloutShowing;
  readonly stderr: Output;
}

/** All pods of a workload have the same to warn of: it is said once. */
function showInPod({ target, event }: InPod, { warned, showing, stderr }: Showing): void {
  if (showing.quiet) return;
  if (event.kind === 'remote-call' && showing.output !== 'jsonl') stderr.write(renderCall(event, stderr));
  const message = warningIn(event);
  if (message === null || warned.has(message)) return;
  warned.add(message);
  stderr.write(renderWarning({ kind: 'warning', message: `${target}: ${message}` }, stderr));
}

/** What one target alone would have among the warnings of its result. */
function warningIn(event: InPod['event']): string | null {
  if (event.kind === 'warning') return event.message;
  return event.kind === 'hook-ended' && event.result.end !== 'succeeded' ? describeHook(event.result) : null;
}

/** The results of pods are printed at the end of their turn, by `print` where a library draws. */
function showStep(event: Step, stdout: Output): void {
  const style = styleFor(stdout);
  if (event.kind === 'rollout') stdout.write(renderBegin(event, style));
  else if (event.state === 'skipped')
    stdout.write(renderSkipped({ target: event.target, why: event.why ?? '' }, style));
  else if (event.result !== null) stdout.write(renderPod(event.result, style));
}

function printList(list: RestartList, { output, quiet }: RolloutShowing, { stdout, stderr }: CliContext): void {
  if (output !== 'text') stdout.write(`${printableJson(list, output === 'json' ? 2 : undefined)}\n`);
  else if (!quiet) stdout.write(renderSummary(list, styleFor(stdout)));
  for (const { error } of list.items) if (error !== null) stderr.write(renderError(error, styleFor(stderr)));
}

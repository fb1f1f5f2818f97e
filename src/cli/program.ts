// The command tree: what there is to type, and which file does it. Commands are loaded when they are called.
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from './context.ts';
import { programName } from './context.ts';
import { doctorCommand, inspectCommand, lsCommand, replaceCommand, restartCommand, rollbackCommand } from './flags.ts';
import { formatHelp, type CommandText } from './help.ts';
import { inCluster, texts } from './texts.ts';
import { timelineOption } from './timeline-file.ts';
import { usageError } from './usage.ts';

export interface Invocation {
  readonly context: CliContext;
  /** What stands behind `--`. */
  readonly command: readonly string[] | null;
  readonly exitWith: (code: number) => void;
}

export function buildProgram({ context, command, exitWith }: Invocation): CommandUnknownOpts {
  const root = new Command(programName(context));
  const documented = (child: CommandUnknownOpts, text: CommandText): CommandUnknownOpts =>
    child.configureHelp({
      formatHelp: (current, help) => formatHelp(current, context.program === 'hotexec' ? text : inCluster(text), help),
    });
  documented(root, texts.root).option('--version', 'print the version of hotexec').helpOption('-h, --help', helpWords);
  // commander's own errors are thrown, and reported by run.ts like all others.
  root.exitOverride().configureOutput({ writeOut: context.stdout.write, writeErr: () => {}, outputError: () => {} });
  const add = (parent: CommandUnknownOpts, child: CommandUnknownOpts, text: CommandText): void => {
    parent.addCommand(documented(child.copyInheritedSettings(root), text).helpOption('-h, --help', helpWords));
  };

  const restart = restartCommand(async (words, flags) => {
    const { runRestart } = await import('./restart.ts');
    exitWith(await runRestart({ words, flags, command, replacement: null }, context));
  });
  add(root, restart.summary("restart a container's main process in place"), texts.restart);

  const replace = replaceCommand(async (words, flags) => {
    const { runReplace } = await import('./replace.ts');
    exitWith(await runReplace({ words, flags, command }, context));
  });
  add(root, replace.summary('start a file from here as the main process, in place of the old one'), texts.replace);

  const inspect = inspectCommand(async (words, flags) => {
    refuseCommand(command, 'inspect');
    const { runInspect } = await import('./inspect.ts');
    exitWith(await runInspect({ words, flags }, context));
  });
  add(root, inspect.summary('show what runs there, and whether it can be restarted here'), texts.inspect);

  const rollback = rollbackCommand(async (words, flags) => {
    refuseCommand(command, 'rollback');
    const { runRollback } = await import('./rollback.ts');
    exitWith(await runRollback({ words, flags }, context));
  });
  add(root, rollback.summary('go back to a program that ran there before, with the files it had'), texts.rollback);

  const plan = new Command('plan').action(() => {
    throw usageError('plan wants to know what to plan.', `${programName(context)} plan restart TARGET`);
  });
  add(root, plan.summary('show every step that would be taken, and change nothing'), texts.plan);
  const planRestart = restartCommand(async (words, flags) => {
    const { runPlan } = await import('./plan.ts');
    exitWith(await runPlan({ words, flags, command, replacement: null }, context));
  });
  add(plan, planRestart.summary('plan a restart'), texts.planRestart);

  const planOfReplace = replaceCommand(async (words, flags) => {
    const { planReplace } = await import('./replace.ts');
    exitWith(await planReplace({ words, flags, command }, context));
  });
  add(plan, planOfReplace.summary('plan a replacement'), texts.planReplace);
  plan
    .command('rollback', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(() => {
      throw usageError('plan is of restart and replace.', `${programName(context)} rollback TARGET --dry-run`);
    });

  const doctor = doctorCommand(async (words, flags) => {
    refuseCommand(command, 'doctor');
    const { runDiagnosis } = await import('./doctor.ts');
    exitWith(await runDiagnosis({ words, flags }, context));
  });
  add(root, doctor.summary('show what this machine or a cluster allows, and what to do about a no'), texts.doctor);

  const ls = lsCommand(async (words, flags) => {
    refuseCommand(command, 'ls');
    const { runLs } = await import('./ls.ts');
    exitWith(await runLs({ words, flags }, context));
  });
  add(root, ls.summary('list what can be restarted on this machine, or in a namespace'), texts.ls);

  const demo = new Command('demo').addOption(timelineOption).action(async (flags) => {
    refuseCommand(command, 'demo');
    const { demoCommand } = await import('./demo.ts');
    exitWith(await demoCommand(flags, context));
  });
  add(root, demo.summary('show it all on this machine, needing nothing'), texts.demo);

  // It is what hotexec starts in a pod.
  const agent = new Command('agent').action(() => {
    throw usageError('agent wants to know what to do.', `${programName(context)} agent serve`);
  });
  root.addCommand(agent.copyInheritedSettings(root), { hidden: true });
  const serve = new Command('serve').option('--ttl <duration>', '', defaultAgentTtl).action(async (flags) => {
    refuseCommand(command, 'agent');
    const { runAgent } = await import('./agent.ts');
    exitWith(await runAgent({ flags }, context));
  });
  agent.addCommand(serve.copyInheritedSettings(root));
  return root;
}

/** Without use, the agent in a pod ends. */
const defaultAgentTtl = '15m';

const helpWords = 'print this help';

function refuseCommand(command: readonly string[] | null, name: string): void {
  if (command !== null) throw usageError(`${name} takes no command after --.`);
}

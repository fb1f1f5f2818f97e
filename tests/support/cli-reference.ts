// docs/cli.md, from the help of every command.
import { programName, type CliContext } from '../../src/cli/context.ts';
import { runCli } from './cli.ts';

const commands = [
  'restart',
  'replace',
  'rollback',
  'inspect',
  'plan',
  'plan restart',
  'plan replace',
  'doctor',
  'ls',
  'demo',
];

/** What is another thing where the program is a plugin of kubectl. */
const commandsInCluster = ['doctor', 'ls'];

export async function cliReference(): Promise<string> {
  const root = await runCli(['--help']);
  const sections = await Promise.all(commands.map(async (name) => section(name, 'hotexec')));
  const inCluster = await Promise.all(commandsInCluster.map(async (name) => section(name, 'kubectl-hotexec')));
  return `${[opening, block('hotexec', root.stdout), ...sections, ...inCluster, closing].join('\n\n')}\n`;
}

const opening = `# Command line

This page is made from \`hotexec --help\` and checked by \`tests/unit/cli/help.test.ts\` (\`npx vitest run -u\` writes it).`;

async function section(name: string, program: CliContext['program']): Promise<string> {
  const { stdout } = await runCli([...name.split(' '), '--help'], { program });
  return block(`${programName({ program })} ${name}`, stdout);
}

function block(title: string, help: string): string {
  return `## ${title}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\``;
}

const closing = `## Output

Results go to standard output, everything else to standard error. With \`-o json\` standard output is one JSON document and
nothing else; with \`-o jsonl\` each event is a line, and the result is the last. An error before there is a result is a
document too: \`{"apiVersion": "hotexec/v1", "kind": "Error", "outcome": null, "error": {"code", "message", "hint", "details"}}\`.
Within \`hotexec/v1\` fields are only added. [errors.md](errors.md) has every code.

Colours and progress appear on a terminal only; \`NO_COLOR\` and \`FORCE_COLOR\` are respected. What comes from a target
(arguments, names, paths) is escaped: it cannot speak to your terminal.

## Interrupting

Ctrl-C (and SIGTERM, SIGHUP) asks the engine to stop. Before the point of no return it does, the old program runs on, and the
exit code is 130; after it the restart is finished and reported. Once the old program has been told to finish it is too late:
its own shutdown cannot be taken back, so that is said, and the new program is started. Whoever presses it three times leaves
without an answer (exit code 6), but with the id of the operation: the engine finishes or undoes what it has begun by itself, as it does
when hotexec is killed, and \`hotexec inspect pod/NAME --operation ID\` tells later what came of it.

## Environment

| variable | meaning |
|---|---|
| \`DOCKER_HOST\`, \`DOCKER_CONTEXT\`, \`DOCKER_CONFIG\`, \`DOCKER_TLS_VERIFY\`, \`DOCKER_CERT_PATH\` | where Docker is, as the docker command reads them |
| \`NO_COLOR\`, \`FORCE_COLOR\` | colours never, or always |
| \`HOTEXEC_STATE_DIR\` | where the records of the programs that ran are kept; else \`/var/lib/hotexec\` (root), \`$XDG_STATE_HOME/hotexec\`, \`~/.local/state/hotexec\` |

\`--env-file\` has the form of docker's: \`NAME=VALUE\` lines, values as they stand, \`#\` comments, a bare \`NAME\` taken from
hotexec's own environment. It adds to the environment that the program has; where a process has overwritten its own and no
runtime's specification tells it, the file is the whole environment.`;

// One command line, from argv to the exit code. Nothing here exits or throws: what goes wrong is printed.
import { CommanderError } from '@commander-js/extra-typings';
import { errorData, exitCodes, HotexecError } from '../errors.ts';
import { jsonFormat, splitArgv } from './arguments.ts';
import { programName, type CliContext } from './context.ts';
import { buildProgram } from './program.ts';
import { renderError } from './render/error-text.ts';
import { printableJson } from './render/escape.ts';
import { styleFor } from './render/style.ts';
import { errorDocument } from './report.ts';
import { usageError } from './usage.ts';

export async function run(context: CliContext): Promise<number> {
  try {
    return await parseAndRun(context);
  } catch (error) {
    if (isHelp(error)) return 0;
    return reportError(error instanceof CommanderError ? usageOf(error, context) : error, context);
  }
}

async function parseAndRun(context: CliContext): Promise<number> {
  const { own, command } = splitArgv(context.argv);
  let exitCode = 0;
  const program = buildProgram({ context, command, exitWith: (code) => (exitCode = code) });
  if (own.length === 0) {
    program.outputHelp();
    return 0;
  }
  await program.parseAsync(own, { from: 'user' });
  return exitCode;
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

function usageOf({ message }: CommanderError, context: CliContext): HotexecError {
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const [verb = ''] = context.argv;
  const isKnown = /^[a-z]+$/.test(verb) && !what.startsWith('unknown command');
  const name = isKnown ? `${programName(context)} ${verb}` : programName(context);
  const advice = suggestion?.replace(/^\((.*)\)$/, '$1 ') ?? '';
  return usageError(`${capitalized(what).replace(/\.$/, '')}.`, `${advice}${name} --help shows what there is.`);
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function reportError(error: unknown, { argv, stdout, stderr }: CliContext): number {
  const data = errorData(error);
  const result = error instanceof HotexecError ? error.result : null;
  const format = jsonFormat(argv);
  if (format !== null) {
    stdout.write(`${printableJson(result ?? errorDocument(data), format === 'json' ? 2 : undefined)}\n`);
  }
  stderr.write(renderError(data, styleFor(stderr)));
  return exitCodes[data.code];
}

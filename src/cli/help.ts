// Help as kubectl prints it: what it does, examples, commands, flags, usage.
import type { CommandUnknownOpts, Help } from '@commander-js/extra-typings';

export interface CommandText {
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly examples: readonly (readonly [comment: string, command: string])[];
  /** Behind the command's name. */
  readonly usage: string;
  readonly more?: readonly string[];
  /** As a plugin of kubectl, where it is another thing. */
  readonly inCluster?: Pick<CommandText, 'about' | 'examples' | 'usage'>;
}

const columns = 110;

export function formatHelp(command: CommandUnknownOpts, text: CommandText, help: Help): string {
  const [program = '', ...parents] = path(command);
  const commands = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const options = help.visibleOptions(command);
  const headings = [...new Set(options.flatMap(({ helpGroupHeading }) => helpGroupHeading ?? []))];
  const sections = [
    text.about.map((paragraph) => wrap(paragraph, '')).join('\n\n'),
    section('Examples', text.examples.map(([comment, line]) => `  # ${comment}\n  ${program} ${line}`).join('\n\n')),
    section('Commands', table(commands.map((child) => [child.name(), child.summary()]))),
    section('Flags', optionTable(options.filter(({ helpGroupHeading }) => helpGroupHeading === undefined))),
    ...headings.map((heading) =>
      section(heading, optionTable(options.filter((option) => option.helpGroupHeading === heading))),
    ),
    section('Usage', `  ${[program, ...parents, text.usage].join(' ')}`.trimEnd()),
    ...(text.more ?? []),
    commands.length === 0 ? '' : `Use "${[program, ...parents].join(' ')} COMMAND --help" for more about a command.`,
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

function optionTable(options: readonly (DescribedOption & { readonly flags: string })[]): string {
  return table(options.map((option) => [option.flags, describe(option)]));
}

/** The names that lead to a command, the program's first. */
function path(command: CommandUnknownOpts): readonly string[] {
  return command.parent === null ? [command.name()] : [...path(command.parent), command.name()];
}

interface DescribedOption {
  readonly description: string;
  readonly negate: boolean;
  readonly defaultValue?: unknown;
}

function describe({ description, negate, defaultValue }: DescribedOption): string {
  return typeof defaultValue === 'string' && !negate ? `${description} (default ${defaultValue})` : description;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `${title}:\n${body}`;
}

function table(rows: readonly (readonly [term: string, description: string])[]): string {
  const width = Math.max(0, ...rows.map(([term]) => term.length)) + 4;
  return rows
    .map(([term, description]) => `  ${term.padEnd(width - 2)}${wrap(description, ' '.repeat(width))}`)
    .join('\n');
}

function wrap(text: string, indent: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

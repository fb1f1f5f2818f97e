// The diagnosis as text of at most 80 columns: a line for each finding, with the way out under each no. Pure.
import type { Diagnosis } from './diagnose.ts';
import type { Finding, Verdict } from './finding.ts';
import type { Paint } from './paint.ts';

const width = 80;
const verdictWidth = 9;
const subjectWidth = 21;
const indent = verdictWidth + subjectWidth;

export function renderDiagnosis(diagnosis: Diagnosis, paint: Paint): string {
  const sections = diagnosis.sections.map(
    ({ title, findings }) =>
      `${paint.bold(title)}\n${findings.map((finding) => renderFinding(finding, paint)).join('')}`,
  );
  return [...sections, renderVerdict(diagnosis, paint)].join('\n');
}

function renderFinding({ subject, verdict, meaning, remedy }: Finding, paint: Paint): string {
  const [first = '', ...rest] = wrap(meaning, width - indent);
  const colour = { yes: paint.green, no: paint.red, unknown: paint.yellow } satisfies Record<Verdict, unknown>;
  const head = `${colour[verdict](verdict.padEnd(verdictWidth))}${subject.padEnd(subjectWidth)}${first}`;
  const wayOut = remedy === null ? [] : wrap(`-> ${remedy}`, width - indent).map((line) => paint.cyan(line));
  return [head, ...[...rest, ...wayOut].map((line) => `${' '.repeat(indent)}${line}`)]
    .map((line) => `${line}\n`)
    .join('');
}

function renderVerdict({ possible, target, sections }: Diagnosis, paint: Paint): string {
  const what = target === null ? 'Restarts are' : `A restart of ${target.name} is`;
  if (possible)
    return `${paint.green(`${what} possible here.`)}${target === null ? '' : `\nWhat it would change: hotexec plan restart ${target.name}`}\n`;
  const reasons = sections
    .flatMap(({ findings }) => findings.filter(({ blocking }) => blocking))
    .map(({ subject }) => subject);
  return `${paint.red(`${what} not possible here:`)} ${reasons.join(', ')}\n`;
}

/** Breaks between words; a word that is too long keeps its line to itself. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

// The diagnosis as text of at most 80 columns: a line for each finding, with the way out under each no. Pure.
import type { DiagnosedCluster, DiagnosedTarget, Diagnosis } from './diagnosis.ts';
import type { Finding, Verdict } from './finding.ts';
import type { Paint } from './paint.ts';

const width = 80;
const verdictWidth = 9;
const subjectWidth = 21;
const indent = verdictWidth + subjectWidth;

export interface Looks {
  readonly paint: Paint;
  readonly program: string;
  readonly printable: (text: string) => string;
}

export function renderDiagnosis(diagnosis: Diagnosis, looks: Looks): string {
  const sections = diagnosis.sections.map(
    ({ title, findings }) =>
      `${looks.paint.bold(looks.printable(title))}\n${findings.map((finding) => renderFinding(finding, looks)).join('')}`,
  );
  return [...sections, renderVerdict(diagnosis, looks), ...renderRole(diagnosis, looks)].join('\n');
}

function renderFinding({ subject, verdict, meaning, remedy }: Finding, { paint, printable }: Looks): string {
  const colour = { yes: paint.green, no: paint.red, unknown: paint.yellow } satisfies Record<Verdict, unknown>;
  const said = wrap(printable(meaning), width - indent);
  const wayOut = remedy === null ? [] : wrap(`-> ${printable(remedy)}`, width - indent).map((line) => paint.cyan(line));
  const name = printable(subject);
  // What is too long for its column has the line to itself.
  const [first = '', ...rest] = name.length < subjectWidth ? said : ['', ...said];
  const head = `${colour[verdict](verdict.padEnd(verdictWidth))}${name.padEnd(subjectWidth)}${first}`.trimEnd();
  return [head, ...[...rest, ...wayOut].map((line) => `${' '.repeat(indent)}${line}`)]
    .map((line) => `${line}\n`)
    .join('');
}

function renderVerdict(
  { possible, target, cluster, sections }: Diagnosis,
  { paint, program, printable }: Looks,
): string {
  const where = cluster === null ? 'here' : `in namespace ${cluster.namespace}`;
  const what = target === null ? 'Restarts are' : `A restart of ${printable(target.name)} is`;
  if (possible)
    return `${paint.green(`${what} possible ${where}.`)}${target === null ? '' : `\n${renderNext(target, cluster, program)}`}\n`;
  const reasons = sections
    .flatMap(({ findings }) => findings.filter(({ blocking }) => blocking))
    .map(({ subject }) => printable(subject));
  return `${paint.red(`${what} not possible ${where}:`)} ${[...new Set(reasons)].join(', ')}\n`;
}

function renderNext({ name }: DiagnosedTarget, cluster: DiagnosedCluster | null, program: string): string {
  const namespace = cluster === null ? '' : ` -n ${cluster.namespace}`;
  return `What it would change: ${program} plan restart ${name}${namespace}`;
}

/** It stands at the margin and is the last: so it can be copied as it is. */
function renderRole({ cluster }: Diagnosis, { paint, printable }: Looks): readonly string[] {
  const role = cluster?.role ?? null;
  if (role === null) return [];
  const lines = role.split('\n').map(printable).join('\n');
  return [`${paint.bold('The Role')}, for whoever may give it: kubectl apply -f FILE\n`, `${lines}\n`];
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

// An inspection: sections of aligned lines, the verdict last.
import type { InspectedDescriptor, InspectedThread, Inspection } from '../../protocol/inspection.ts';
import { driftRows } from './drift.ts';
import { plannedDrainRow, plannedListenerRows } from './drain.ts';
import { renderError } from './error-text.ts';
import { escapeText, quoteWords } from './escape.ts';
import type { Style } from './style.ts';
import { formatContainer, notFreshRows, warningRows } from './subject.ts';
import { count, formatBytes, listRows, rows, type Row } from './table.ts';

export function renderInspection(inspection: Inspection, style: Style): string {
  const { descriptors, threads, children } = inspection;
  const section = (title: string, all: readonly Row[]): string =>
    all.length === 0 ? '' : `${style.bold(title)}\n${rows(all)}\n`;
  return [
    `${style.bold(escapeText(inspection.target))}\n${rows(subjectRows(inspection))}\n`,
    section('Program', programRows(inspection)),
    section('Drift', driftRows(inspection.drift)),
    section('Memory', memoryRows(inspection)),
    section('Descriptors', descriptors.toSorted((a, b) => a.fd - b.fd).map(descriptorRow)),
    section(`Threads (${threads.length})`, threadRows(threads)),
    section('Children', children.map(childRow)),
    section('Credentials', credentialRows(inspection)),
    section('Signals', signalRows(inspection)),
    section(
      'Limits',
      Object.entries(inspection.limits).map(([name, { soft, hard }]) => [escapeText(name), limit(soft, hard)]),
    ),
    section(
      'Namespaces',
      Object.entries(inspection.namespaces).map(([name, id]) => [escapeText(name), escapeText(id)]),
    ),
    verdict(inspection, style),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function subjectRows({ pid, startTicks, container }: Inspection): readonly Row[] {
  return [
    ['pid', String(pid)],
    ['started', `${startTicks} ticks after boot`],
    ['container', container === null ? 'none' : formatContainer(container)],
    ...(container === null ? [] : [['id', escapeText(container.id)] as const]),
  ];
}

const overwritten = '(overwritten by the process)';

function programRows({ program }: Inspection): readonly Row[] {
  const { exe, exeReplaced, execPath, argv, argvIntact, cwd, root, spec } = program;
  return [
    ['executable', `${escapeText(exe)}${exeReplaced ? ' (replaced since the start: the new file will run)' : ''}`],
    ...(execPath === null || execPath === exe ? [] : [['started as', escapeText(execPath)] as const]),
    ['arguments', [...(argv.length === 0 ? [] : [quoteWords(argv)]), ...(argvIntact ? [] : [overwritten])].join(' ')],
    ...(spec?.argv ? [['spec', quoteWords(spec.argv)] as const] : []),
    ['directory', escapeText(cwd)],
    ...(root === '/' ? [] : [['root', escapeText(root)] as const]),
    ...environmentRows(program),
  ];
}

function environmentRows({ environment, environmentNames, environmentIntact }: Inspection['program']): readonly Row[] {
  if (environmentNames.length === 0 && !environmentIntact) return [['environment', overwritten]];
  const doubt: readonly Row[] = environmentIntact ? [] : [['', overwritten]];
  if (environment === null) return [...listRows('environment', environmentNames.map(escapeText)), ...doubt];
  return [...environment.map((entry, index): Row => [index === 0 ? 'environment' : '', escapeText(entry)]), ...doubt];
}

function memoryRows({ memory }: Inspection): readonly Row[] {
  const { headroomBytes } = memory;
  return [
    ['resident', formatBytes(memory.residentBytes)],
    [
      'headroom',
      headroomBytes === null ? 'no limit that can be seen' : `${formatBytes(headroomBytes)} under the limit`,
    ],
    ['argv', `${memory.argStart}-${memory.argEnd}`],
    ['environ', `${memory.envStart}-${memory.envEnd}`],
    ['stack', memory.stackStart],
  ];
}

function descriptorRow({ fd, target, socket, closeOnExec, nonBlocking }: InspectedDescriptor): Row {
  const flags = [...(closeOnExec ? ['close-on-exec'] : []), ...(nonBlocking ? ['non-blocking'] : [])];
  const about = socket === null ? '' : `  ${socketText(socket)}`;
  return [String(fd), `${escapeText(target)}${about}${flags.length === 0 ? '' : `  ${flags.join(', ')}`}`];
}

function socketText({ protocol, local, remote, state }: NonNullable<InspectedDescriptor['socket']>): string {
  const peer = remote === null ? '' : ` -> ${remote}`;
  return escapeText(`${protocol} ${local}${peer} ${state}`);
}

const shownThreads = 20;

function threadRows(threads: readonly InspectedThread[]): readonly Row[] {
  const shown = threads.slice(0, shownThreads).map(({ tid, name, state, syscall }): Row => {
    const wait = syscall === null ? '' : `  in ${escapeText(syscall)}`;
    return [String(tid), `${escapeText(name)}  ${escapeText(state)}${wait}`];
  });
  const rest = threads.length - shown.length;
  return rest > 0 ? [...shown, ['...', `${rest} more (-o json has them all)`]] : shown;
}

function childRow({ pid, comm, state, spared }: Inspection['children'][number]): Row {
  return [String(pid), `${escapeText(comm)}  ${escapeText(state)}${spared ? '  will be left alone' : ''}`];
}

function credentialRows({ credentials, seccomp }: Inspection): readonly Row[] {
  const { uid, gid, groups, capabilities, noNewPrivileges } = credentials;
  const filters = seccomp.filters === null ? '' : ` (${count(seccomp.filters, 'filter')})`;
  return [
    ['uid', ids(uid)],
    ['gid', ids(gid)],
    ...listRows('groups', groups.map(String)),
    ['capabilities', escapeText(capabilities.effective)],
    ['bounding', escapeText(capabilities.bounding)],
    ['no new privileges', noNewPrivileges ? 'yes' : 'no'],
    ['seccomp', `${seccomp.mode}${seccomp.mode === 'filter' ? filters : ''}`],
  ];
}

/** Four times the same is the rule; only what differs needs all four. */
function ids(all: readonly number[]): string {
  return new Set(all).size === 1 ? String(all[0]) : all.join(' ');
}

function signalRows({ signals }: Inspection): readonly Row[] {
  return Object.entries(signals)
    .filter(([, names]) => names.length > 0)
    .flatMap(([what, names]) => listRows(what, names.map(escapeText)));
}

function limit(soft: string, hard: string): string {
  return escapeText(soft === hard ? soft : `${soft} (hard: ${hard})`);
}

function verdict({ verdict: { possible, refusals, ...rest } }: Inspection, style: Style): string {
  const headline = possible
    ? style.green(style.bold('It can be restarted in place.'))
    : style.red(style.bold('It cannot be restarted here.'));
  const notes = [
    ...(possible ? [plannedDrainRow(rest.drain), ...plannedListenerRows(rest.listeners)] : []),
    ...notFreshRows(rest.notFresh),
    ...warningRows(rest.warnings),
  ];
  const body = notes.length === 0 ? '' : `${rows(notes)}\n`;
  return `${headline}\n${body}${refusals.map((refusal) => renderError(refusal, style)).join('')}`;
}

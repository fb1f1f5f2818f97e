// What execve lets through, and a restart must put back: every attribute that /proc shows of a process, in a form that
// is equal for two freshly started containers of one image. What /proc does not show, tests/fixtures/servers/odd-state.c does.
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Container } from './container.ts';
import { childrenOf, descriptorsOf, nameOf, statField, statusOf } from './proc.ts';

const execute = promisify(execFile);

/** Attribute → its lines, sorted; the names are those of `notFresh` where it has one. */
export type Attributes = ReadonlyMap<string, readonly string[]>;

export interface Difference {
  readonly attribute: string;
  /** Lines that only a fresh process has. */
  readonly missing: readonly string[];
  /** Lines that it does not have. */
  readonly additional: readonly string[];
}

export async function attributesOf(container: Container, options: FreshnessOptions): Promise<Attributes> {
  const { pid } = container;
  const groups = await Promise.all([
    fromStatus(pid),
    fromStat(pid),
    fromLimits(pid),
    fromSmallFiles(pid),
    fromLinks(pid),
    descriptorAttributes(pid, options),
    childAttributes(pid),
    memoryAttributes(pid, options),
  ]);
  const hideId = (value: string): string =>
    value.replaceAll(container.id, 'ID').replaceAll(container.id.slice(0, 12), 'ID');
  return new Map(
    groups
      .flatMap((group) => Object.entries(group))
      .map(([name, value]) => [name, hideId(value).split('\n').toSorted()] as const),
  );
}

export interface FreshnessOptions {
  /** Number of threads, numbers of descriptors and mappings are always the same after a start. */
  readonly isDeterministic: boolean;
}

export function differences(fresh: Attributes, found: Attributes): Difference[] {
  const names = [...new Set([...fresh.keys(), ...found.keys()])];
  return names
    .map((attribute) => difference(attribute, fresh.get(attribute) ?? [], found.get(attribute) ?? []))
    .filter(({ missing, additional }) => missing.length + additional.length > 0);
}

// A line may be there several times: each of one side takes one of the other away.
function difference(attribute: string, fresh: readonly string[], found: readonly string[]): Difference {
  const additional = [...found];
  const missing = fresh.filter((line) => {
    const index = additional.indexOf(line);
    if (index >= 0) additional.splice(index, 1);
    return index < 0;
  });
  return { attribute, missing, additional };
}

type Group = Readonly<Record<string, string>>;

const statusNames: readonly (readonly [attribute: string, field: string])[] = [
  ['uid', 'Uid'],
  ['gid', 'Gid'],
  ['groups', 'Groups'],
  ['umask', 'Umask'],
  ['tracer', 'TracerPid'],
  ['signals-pending-thread', 'SigPnd'],
  ['signals-pending', 'ShdPnd'],
  ['signals-blocked', 'SigBlk'],
  ['signals-ignored', 'SigIgn'],
  ['signals-caught', 'SigCgt'],
  ['capabilities-inheritable', 'CapInh'],
  ['capabilities-permitted', 'CapPrm'],
  ['capabilities-effective', 'CapEff'],
  ['capabilities-bounding', 'CapBnd'],
  ['capabilities-ambient', 'CapAmb'],
  ['no-new-privileges', 'NoNewPrivs'],
  ['seccomp', 'Seccomp'],
  ['seccomp-filters', 'Seccomp_filters'],
  ['speculation-store-bypass', 'Speculation_Store_Bypass'],
  ['speculation-indirect-branch', 'SpeculationIndirectBranch'],
  ['thp', 'THP_enabled'],
  ['cpu-affinity', 'Cpus_allowed_list'],
  ['memory-nodes', 'Mems_allowed_list'],
  ['locked-memory', 'VmLck'],
  ['pinned-memory', 'VmPin'],
  ['session', 'NSsid'],
  ['process-group', 'NSpgid'],
];

async function fromStatus(pid: number): Promise<Group> {
  const status = await statusOf(pid);
  const values = statusNames.map(
    ([attribute, field]) => [attribute, innermost(field, status.get(field) ?? 'none')] as const,
  );
  return { ...Object.fromEntries(values), stopped: String(/^[tT]/.test(status.get('State') ?? '')) };
}

// The outer namespaces' numbers are others in each container.
function innermost(field: string, value: string): string {
  return field.startsWith('NS') ? (value.split(/\s+/).at(-1) ?? '') : value;
}

async function fromStat(pid: number): Promise<Group> {
  const field = async (number: number): Promise<string> => await statField(pid, number);
  return {
    terminal: (await field(7)) === '0' ? 'none' : 'a terminal',
    nice: await field(19),
    'interval-timer': await field(21),
    'exit-signal': await field(38),
    'rt-priority': await field(40),
    'scheduling-policy': await field(41),
    'io-priority': (await execute('ionice', ['-p', String(pid)])).stdout.trim(),
  };
}

// The lines of the file are in the order of the numbers of RLIMIT_*.
const limitNames = `cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime`;

async function fromLimits(pid: number): Promise<Group> {
  const [, ...lines] = (await readFile(`/proc/${pid}/limits`, 'utf8')).trimEnd().split('\n');
  const names = limitNames.split(' ');
  return Object.fromEntries(
    lines.map((line, index) => [`rlimit-${names[index]}`, line.slice(26).replaceAll(/ +/g, ' ')]),
  );
}

const smallFiles: readonly (readonly [attribute: string, file: string])[] = [
  ['arguments', 'cmdline'],
  ['environment', 'environ'],
  ['name', 'comm'],
  ['oom-score-adj', 'oom_score_adj'],
  ['coredump-filter', 'coredump_filter'],
  ['timer-slack', 'timerslack_ns'],
  ['personality', 'personality'],
  ['posix-timers', 'timers'],
  ['security-label', 'attr/current'],
  ['login-uid', 'loginuid'],
  ['cgroups', 'cgroup'],
  ['uid-map', 'uid_map'],
];

async function fromSmallFiles(pid: number): Promise<Group> {
  const values = smallFiles.map(
    async ([attribute, file]) => [attribute, await contentOf(`/proc/${pid}/${file}`)] as const,
  );
  return Object.fromEntries(await Promise.all(values));
}

async function contentOf(path: string): Promise<string> {
  return await readFile(path, 'latin1').then(
    (content) => content.trimEnd().replaceAll('\0', ' '),
    // A kernel without it has nothing to restore either.
    () => 'not readable',
  );
}

async function fromLinks(pid: number): Promise<Group> {
  const names = ['exe', 'cwd', 'root'] as const;
  const values = names.map(async (name) => [name, await readlink(`/proc/${pid}/${name}`)] as const);
  return Object.fromEntries(await Promise.all(values));
}

async function descriptorAttributes(pid: number, { isDeterministic }: FreshnessOptions): Promise<Group> {
  const links = [...(await descriptorsOf(pid))].filter(([, link]) => link !== '');
  const shown = links.map(async ([fd, link]) => {
    const kind = link.replace(/\[\d+\]$/, '').replace(/\/pts\/\d+$/, '/pts');
    const number = isDeterministic || fd <= 2 ? fd : 'N';
    return `${number} ${kind} ${await descriptorFlags(pid, fd)}`;
  });
  return { descriptors: (await Promise.all(shown)).join('\n') };
}

// Octal as open(2) has them: O_NONBLOCK is 04000, O_CLOEXEC 02000000.
async function descriptorFlags(pid: number, fd: number): Promise<string> {
  return /flags:\s+(\d+)/.exec(await contentOf(`/proc/${pid}/fdinfo/${fd}`))?.[1] ?? 'gone';
}

async function childAttributes(pid: number): Promise<Group> {
  const children = (await childrenOf(pid)).map(async (child) => {
    const state = (await statusOf(child)).get('State')?.slice(0, 1) === 'Z' ? ' (zombie)' : '';
    return `${await nameOf(child)}${state}`;
  });
  return { children: (await Promise.all(children)).join('\n') };
}

async function memoryAttributes(pid: number, { isDeterministic }: FreshnessOptions): Promise<Group> {
  const maps = (await readFile(`/proc/${pid}/maps`, 'utf8')).trimEnd().split('\n').map(parseMapping);
  const numaPolicies = new Set(
    (await contentOf(`/proc/${pid}/numa_maps`)).split('\n').map((line) => line.split(' ')[1]),
  );
  const threads = await readdir(`/proc/${pid}/task`);
  const files = [...new Set(maps.map(({ path }) => path))].filter((path) => path.startsWith('/'));
  const shared = { 'numa-policy': [...numaPolicies].join(', ') };
  if (!isDeterministic) return { ...shared, 'mapped-files': files.join('\n') };
  const mappings = maps.map(({ permissions, size, path }) => `${permissions} ${size} ${path}`);
  return { ...shared, threads: String(threads.length), mappings: mappings.join('\n') };
}

interface Mapping {
  readonly permissions: string;
  readonly size: string;
  readonly path: string;
}

// Heap and stack begin at a random place in their first page, so that their size varies by one.
function parseMapping(line: string): Mapping {
  const [, from = '', to = '', permissions = '', path = ''] = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
  const size = path === '[heap]' || path === '[stack]' ? 'some' : String(BigInt(`0x${to}`) - BigInt(`0x${from}`));
  return { permissions, size, path };
}

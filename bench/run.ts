// npm run bench [-- --quick] [-- --readme]: hotexec beside a C program that makes the same system calls, beside gdb, beside `docker restart`.
// Writes bench/results/DATE-CPU.{md,json}; --readme puts the short table into README.md too. --quick tells whether it runs, not how fast, and
// writes nothing. Needs root, gcc, gdb and Docker; touches no process but its own. Exit code 1: a limit is missed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, homedir, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAll } from './measure.ts';
import { Programs } from './programs.ts';
import { fullReport, isKept, shortTable, type Results } from './report.ts';

const root = join(import.meta.dirname, '..');
const { values: flags } = parseArgs({ options: { quick: { type: 'boolean' }, readme: { type: 'boolean' } } });
const quick = flags.quick === true;

// Where scripts/setup-machine.sh puts what it builds.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
process.env['PATH'] = `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}`;

setUp(process.execPath, join(root, 'scripts/build.ts'), '--fast');
setUp(join(root, 'scripts/setup-machine.sh'), 'start', String(process.pid));
try {
  const results = await measure();
  console.log(fullReport(results));
  if (!quick) keep(results);
  if (flags.readme === true) intoReadme(results);
  if (results.comparisons.some((one) => one.limits.some((limit) => !isKept(one, limit)))) process.exitCode = 1;
} finally {
  setUp(join(root, 'scripts/setup-machine.sh'), 'stop', String(process.pid));
}

async function measure(): Promise<Results> {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const loadAtStart = loadavg()[0] ?? 0;
  using programs = new Programs();
  const comparisons = await measureAll(programs, quick ? { many: 5, few: 3 } : { many: 31, few: 15 });
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu,
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
      loadAtStart,
      loadAtEnd: loadavg()[0] ?? 0,
    },
    comparisons,
  };
}

function keep(results: Results): void {
  const kind = results.machine.cpu
    .toLowerCase()
    .replaceAll(/\([^)]*\)|@.*/g, '')
    .match(/[a-z\d]+/g) ?? ['cpu'];
  const path = join(import.meta.dirname, 'results', `${results.date}-${kind.join('-')}`);
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  writeFileSync(`${path}.md`, fullReport(results));
  writeFileSync(`${path}.json`, `${JSON.stringify(results, null, 2)}\n`);
}

function intoReadme(results: Results): void {
  const path = join(root, 'README.md');
  const text = readFileSync(path, 'utf8');
  const [before, after] = [/^[^]*<!-- bench -->\n/.exec(text)?.[0], /<!-- \/bench -->[^]*$/.exec(text)?.[0]];
  if (before === undefined || after === undefined) throw new Error('README.md has no place for the table');
  writeFileSync(path, `${before}\n${shortTable(results)}\n\n${after}`);
}

function setUp(command: string, ...args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { writeProc } from '../../../support/proc-tree.ts';
import { expectWellFormed } from '../../../support/svg.ts';
import { tempDirectory } from '../../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

const process = (): string => writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);

it.each([
  [['restart', '77'], 0],
  [['rollback', '77'], 0],
])('%j asks for what is needed and draws it', async (words, exitCode) => {
  const cwd = tempDirectory();
  const run = await runCli([...words, '--timeline', 'a.svg'], { engines: ['works'], proc: process(), cwd });
  expect(run).toMatchObject({ exitCode, stderr: '', requests: [{ options: { timeline: true } }] });
  const picture = readFileSync(join(cwd, 'a.svg'), 'utf8');
  expectWellFormed(picture);
  expect(picture).toContain('>docker/web<');
});

it('draws a rollback too', async () => {
  const cwd = tempDirectory();
  const setting = { engines: ['rolls back'], proc: process(), cwd };
  expect(await runCli(['restart', '77', '--timeline', 'a.svg'], setting)).toMatchObject({ exitCode: 3 });
  expect(readFileSync(join(cwd, 'a.svg'), 'utf8')).toContain('>rolled back by itself<');
});

it('nothing is told for a picture that nobody wants', async () => {
  const { requests } = await runCli(['restart', '77'], { engines: ['works'], proc: process() });
  expect(requests).toMatchObject([{ options: { timeline: false } }]);
});

it.each([
  ['missing/a.svg', 'there is no such directory here'],
  ['file/a.svg', 'there is no such directory here'],
  ['directory', 'is a directory'],
  ['', 'wants the name of a file'],
])('--timeline %j is refused before anything is asked of an engine', async (file, why) => {
  const cwd = tempDirectory();
  mkdirSync(join(cwd, 'directory'));
  writeFileSync(join(cwd, 'file'), '');
  for (const words of [['restart', '77'], ['rollback', '77'], ['demo']]) {
    const run = await runCli([...words, '--timeline', file], { cwd, proc: process() });
    expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
    expect(run.stderr).toContain(why);
  }
  expect(readdirSync(cwd).toSorted()).toEqual(['directory', 'file']);
});

it.each([[['plan', 'restart', '77']], [['restart', '77', '--dry-run']], [['rollback', '77', '--list']]])(
  '%j has nothing to draw',
  async (words) => {
    const run = await runCli([...words, '--timeline', 'a.svg'], { proc: process(), cwd: tempDirectory() });
    expect(run).toMatchObject({ exitCode: 2, requests: [] });
    expect(run.stderr).toContain('a plan changes nothing');
  },
);

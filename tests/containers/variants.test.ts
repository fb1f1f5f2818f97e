import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { differencesFromFresh, expectRestartInPlace } from '../support/docker/in-place.ts';
import { start, type Program } from '../support/docker/program.ts';
import { programs } from '../support/docker/programs/all.ts';
import { busybox, entrypoint } from '../support/docker/programs/busybox.ts';
import { glibcThreads } from '../support/docker/programs/hundred-threads.ts';
import { node } from '../support/docker/programs/node.ts';

interface Variant {
  readonly title: string;
  readonly flags: (program: Program) => readonly string[];
  readonly programs: readonly Program[];
}

const variants: readonly Variant[] = [
  { title: 'as a user who is not root', flags: () => ['--user', '1000:1000'], programs: shareOf(0) },
  {
    title: 'on a read-only root',
    flags: ({ readOnlyFlags }) => ['--read-only', ...readOnlyFlags],
    programs: shareOf(1),
  },
  { title: 'on a terminal', flags: () => ['--tty'], programs: shareOf(2) },
  { title: 'under a memory limit', flags: () => ['--memory', '128m'], programs: shareOf(3) },
  { title: 'without any capability', flags: () => ['--cap-drop', 'ALL'], programs: [busybox, node, glibcThreads] },
  {
    title: 'with no-new-privileges, as a user who is not root',
    flags: () => ['--security-opt', 'no-new-privileges', '--user', '1000:1000'],
    programs: [busybox, node],
  },
  {
    title: 'with odd settings of its runtime: limits, working directory, OOM score, processors, environment',
    flags: oddSettings,
    programs: [busybox, node, glibcThreads],
  },
  { title: 'as the user and group of a sidecar: supplementary groups', flags: groups, programs: [busybox] },
  { title: 'as a script that waits for its child', flags: () => [], programs: [entrypoint] },
  { title: 'below docker-init', flags: () => ['--init'], programs: [belowInit(glibcThreads), belowInit(node)] },
];

const cases = variants.flatMap(({ title, flags, programs: some }) =>
  some.map((program) => ({ title, name: program.name, program, flags: flags(program) })),
);

describe.concurrent.each(cases)('$name $title', ({ program, flags }) => {
  needs('root', 'docker', ...program.needs);

  test('starts anew in the same place and keeps nothing of its former run', async () => {
    await using container = await start(program, flags);
    const { notFresh } = await expectRestartInPlace(program, container);
    expect(notFresh).toEqual([]);
    expect(await differencesFromFresh(program, container, { flags, notFresh })).toEqual([]);
  });
});

/** All of them, or a fourth: where somebody waits, each program is in one of four variants. */
function shareOf(remainder: number): readonly Program[] {
  return often(
    programs,
    programs.filter((_, index) => index % 4 === remainder),
  );
}

function oddSettings(): readonly string[] {
  const limits = '--ulimit nofile=1000:2000 --ulimit stack=4194304:8388608 --ulimit core=0'.split(' ');
  const places = '--workdir /tmp --oom-score-adj 77 --cpuset-cpus 1'.split(' ');
  return [...limits, ...places, '--env', 'GREETING=a b\tc'];
}

function groups(): readonly string[] {
  return ['--user', '1000:2000', '--group-add', '3000', '--group-add', '4000'];
}

// Then the first process is docker-init, and the program is its only child.
function belowInit(program: Program): Program {
  const names: Readonly<Record<string, string>> = { node: 'MainThread' };
  return { ...program, children: [names[program.name] ?? 'hundred-threads'] };
}

import { expect, test } from 'vitest';
import { runDoctor } from '../../../src/doctor/doctor.ts';
import { renderDiagnosis, wrap } from '../../../src/doctor/render.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import type { Diagnosis } from '../../../src/doctor/diagnose.ts';
import { blocked, no, unknown, yes } from '../../../src/doctor/finding.ts';
import { machineOf, rootFiles } from './tree.ts';

const plain = paintFor({ colours: false });

const diagnosis: Diagnosis = {
  target: null,
  possible: false,
  sections: [
    {
      title: 'Machine',
      findings: [
        yes('kernel', 'Linux 6.18.44 has all that a restart needs: PTRACE_SEIZE, pidfd_open, close_range'),
        no('children listed', 'children are found by looking at all processes', 'a kernel with CONFIG_PROC_CHILDREN=y'),
      ],
    },
    {
      title: 'Rights',
      findings: [
        unknown('our seccomp', '1 filter(s) on hotexec itself'),
        blocked('Yama', 'ptrace_scope 3: nobody may trace anything, root included', 'set it to 1 and reboot'),
      ],
    },
  ],
};

test('each finding is a line, with the way out under each no', () => {
  expect(renderDiagnosis(diagnosis, plain)).toBe(`\
Machine
yes      kernel               Linux 6.18.44 has all that a restart needs:
                              PTRACE_SEIZE, pidfd_open, close_range
no       children listed      children are found by looking at all processes
                              -> a kernel with CONFIG_PROC_CHILDREN=y

Rights
unknown  our seccomp          1 filter(s) on hotexec itself
no       Yama                 ptrace_scope 3: nobody may trace anything, root
                              included
                              -> set it to 1 and reboot

Restarts are not possible here: Yama
`);
});

test('colours change nothing but colours', () => {
  const coloured = renderDiagnosis(diagnosis, paintFor({ colours: true }));
  expect(coloured).toContain('\x1b[31mno       \x1b[39m');
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is removed
  expect(coloured.replaceAll(/\x1b\[\d+m/g, '')).toBe(renderDiagnosis(diagnosis, plain));
});

test('a word longer than the line keeps one to itself', () => {
  expect(wrap('at /var/lib/a-long-path now', 10)).toEqual(['at', '/var/lib/a-long-path', 'now']);
});

test('the document has every finding, and 5 is the exit code where restarts are not possible', async () => {
  const chunks: string[] = [];
  const context = {
    stdout: { write: (text: string) => chunks.push(text) },
    colours: true,
    machine: machineOf({ ...rootFiles, '/proc/sys/kernel/yama/ptrace_scope': '3\n' }),
  };
  expect(await runDoctor(context, { target: null, output: 'json' })).toBe(5);
  const document: unknown = JSON.parse(chunks.join(''));
  expect(document).toMatchObject({ apiVersion: 'hotexec/v1', kind: 'Doctor', target: null, possible: false });
  expect(document).toHaveProperty(
    'findings',
    expect.arrayContaining([
      {
        section: 'Machine',
        subject: 'CPU',
        verdict: 'yes',
        meaning: 'x86-64 is supported',
        remedy: null,
        blocking: false,
      },
    ]),
  );
});

test('0 is the exit code where they are', async () => {
  const context = { stdout: { write: () => {} }, colours: false, machine: machineOf(rootFiles) };
  expect(await runDoctor(context, { target: null, output: 'text' })).toBe(0);
});

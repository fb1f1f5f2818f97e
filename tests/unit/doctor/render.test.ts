import { expect, test } from 'vitest';
import { escapeText } from '../../../src/cli/render/escape.ts';
import { runDoctor } from '../../../src/doctor/doctor.ts';
import { renderDiagnosis, wrap } from '../../../src/doctor/render.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import type { Diagnosis } from '../../../src/doctor/diagnosis.ts';
import { blocked, no, unknown, yes } from '../../../src/doctor/finding.ts';
import { machineOf, rootFiles } from './tree.ts';

const asItIs = { text: (text: string) => text, json: (value: unknown) => JSON.stringify(value) };
const plain = { paint: paintFor({ colours: false }), program: 'hotexec', printable: asItIs.text };
const output = { colours: true, program: 'hotexec', printable: asItIs };

const diagnosis: Diagnosis = {
  target: null,
  cluster: null,
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

test('of a cluster: where it is said, what to copy stands at the margin, and no terminal obeys it', () => {
  const ofCluster: Diagnosis = {
    target: { name: 'pod/web-0', pid: null },
    cluster: { server: 'https://10.0.0.1', namespace: 'shop', role: 'kind: Role\n---\nkind: RoleBinding' },
    possible: false,
    sections: [
      {
        title: 'Rights',
        findings: [
          blocked('patch pods/ephemeralcontainers', 'not allowed: to put the agent into the pod', 'the Role below'),
        ],
      },
      { title: 'Target pod/web-0', findings: [blocked('pod', 'refused: \u001b[2Jgone', 'another')] },
    ],
  };
  expect(renderDiagnosis(ofCluster, { ...plain, printable: escapeText })).toBe(String.raw`Rights
no       patch pods/ephemeralcontainers
                              not allowed: to put the agent into the pod
                              -> the Role below

Target pod/web-0
no       pod                  refused: \x1b[2Jgone
                              -> another

A restart of pod/web-0 is not possible in namespace shop: patch pods/ephemeralcontainers, pod

The Role, for whoever may give it: kubectl apply -f FILE

kind: Role
---
kind: RoleBinding
`);
  const fine = { ...ofCluster, possible: true, sections: [] };
  expect(renderDiagnosis(fine, { ...plain, program: 'kubectl hotexec' })).toContain(
    'A restart of pod/web-0 is possible in namespace shop.\nWhat it would change: kubectl hotexec plan restart pod/web-0 -n shop\n',
  );
});

test('colours change nothing but colours', () => {
  const coloured = renderDiagnosis(diagnosis, { ...plain, paint: paintFor({ colours: true }) });
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
    ...output,
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
  const context = { stdout: { write: () => {} }, ...output, machine: machineOf(rootFiles) };
  expect(await runDoctor(context, { target: null, output: 'text' })).toBe(0);
});

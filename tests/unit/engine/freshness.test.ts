import { describe, expect, it } from 'vitest';
import { capabilityMask, knownDifferences, lostPrivileges } from '../../../src/engine/freshness.ts';
import type { ProgramSpec } from '../../../src/protocol/request.ts';
import { observedProcess, type Differences } from './observed.ts';

function lost(differences: Differences): readonly string[] {
  return lostPrivileges(observedProcess(differences)).map(({ attribute, message }) => `${attribute}: ${message}`);
}

const nginx: ProgramSpec['user'] = { uid: 101, gid: 101, additionalGids: [101], umask: null };
const capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

describe('what a new program would not get', () => {
  it('is nothing for a process that is as it was started', () => {
    expect(lost({})).toStrictEqual([]);
  });

  it.each<readonly [string, Differences, string]>([
    [
      'its user',
      {
        spec: { user: { uid: 0, gid: 0, additionalGids: [0, 10], umask: null } },
        status: { uid: [101, 101, 101, 101] },
      },
      'uid: the process has uid 101/101/101/101, a fresh start has 0',
    ],
    [
      'its saved user alone',
      { status: { uid: [0, 0, 101, 0] } },
      'uid: the process has uid 0/0/101/0, a fresh start has 0',
    ],
    ['its group', { status: { gid: [0, 101, 0, 0] } }, 'gid: the process has gid 0/101/0/0, a fresh start has 0'],
    ['its groups', { status: { groups: [0] } }, 'groups: the process has the groups [0], a fresh start has [0,10]'],
    [
      'its groups, when it has none',
      { status: { groups: undefined } },
      'groups: the process has the groups [], a fresh start has [0,10]',
    ],
    [
      'the right to gain privileges',
      { status: { noNewPrivs: true } },
      'no-new-privileges: the process has set no_new_privs, which is never cleared',
    ],
    [
      'freedom from a filter',
      { status: { seccompFilters: 2 } },
      'seccomp: the process has installed 1 seccomp filter of its own, which stay',
    ],
    [
      'freedom from filters',
      { spec: { seccomp: false }, status: { seccompFilters: 3 } },
      'seccomp: the process has installed 3 seccomp filters of its own, which stay',
    ],
    [
      'capabilities that it has dropped',
      { spec: { capabilities: { ...capabilities, bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_BPF'] } } },
      'capabilities: the process has dropped CAP_CHOWN, CAP_BPF from its bounding set',
    ],
    ['its root', { program: { root: '/var/empty' } }, 'root: the process has changed its root to /var/empty'],
  ])('%s', (_, differences, sentence) => {
    expect(lost(differences)).toStrictEqual([sentence]);
  });

  it('is all of this at once', () => {
    const status = { uid: [1, 1, 1, 1], gid: [1, 1, 1, 1], groups: [], noNewPrivs: true, seccompFilters: 4 } as const;
    const attributes = lostPrivileges(observedProcess({ status, program: { root: '/x' } })).map(
      (entry) => entry.attribute,
    );
    expect(attributes).toStrictEqual(['root', 'uid', 'gid', 'groups', 'no-new-privileges', 'seccomp']);
  });

  it.each<readonly [string, Differences]>([
    ['groups in another order', { status: { groups: [10, 0] } }],
    [
      'a spec that names a group twice',
      { spec: { user: { uid: 0, gid: 0, additionalGids: [10, 0, 10], umask: null } } },
    ],
    ['no_new_privs that the spec asks for', { spec: { noNewPrivileges: true }, status: { noNewPrivs: true } }],
    ['a filter fewer than the spec asks for', { status: { seccompFilters: 0 } }],
    ['more capabilities than the spec has', { status: { capBnd: 0xffff_ffff_ffff_ffffn } }],
    [
      'capabilities of the spec that nobody knows',
      { spec: { capabilities: { ...capabilities, bounding: ['CAP_NONESUCH'] } } },
    ],
    ['a changed root outside of a container', { target: { container: null }, spec: null, program: { root: '/x' } }],
    ['another user when no spec tells', { spec: null, status: { uid: [7, 7, 7, 7], noNewPrivs: true } }],
    [
      'another user when the spec does not tell',
      {
        spec: { user: null, noNewPrivileges: null, seccomp: null, capabilities: null },
        status: { uid: [7, 7, 7, 7], noNewPrivs: true, seccompFilters: 5 },
      },
    ],
    [
      'a user that is the one of the spec',
      { spec: { user: nginx }, status: { uid: [101, 101, 101, 101], gid: [101, 101, 101, 101], groups: [101] } },
    ],
  ])('is not: %s', (_, differences) => {
    expect(lost(differences)).toStrictEqual([]);
  });

  it('is not: a group that the runtime has set twice', () => {
    const user = { uid: 0, gid: 0, additionalGids: [0, 10, 10], umask: null };
    expect(lost({ spec: { user }, status: { groups: [0, 10, 10] } })).toStrictEqual([]);
  });
});

const different = (differences: Differences): readonly string[] =>
  knownDifferences(observedProcess(differences)).map(({ attribute, message }) => `${attribute}: ${message}`);

describe('what will differ from a fresh start all the same', () => {
  it.each([
    ['pipe:[1]', 'pipe:[2]'],
    ['socket:[81]', '/dev/null'],
    ['/dev/pts/0', '/dev/console'],
    ['/dev/tty', '/dev/tty'],
  ])('is nothing for standard streams as runtimes give them: %s %s', (...outputs) => {
    expect(different({ standardStreams: ['/dev/null', ...outputs] })).toStrictEqual([]);
  });

  it('is a standard stream that was redirected or closed', () => {
    expect(different({ standardStreams: [null, '/var/log/out', '/tmp/gone (deleted)'] })).toStrictEqual([
      'descriptor-0: descriptor 0 is closed; a fresh start has it open',
      'descriptor-1: descriptor 1 was redirected to /var/log/out and stays so',
      'descriptor-2: descriptor 2 was redirected to /tmp/gone (deleted) and stays so',
    ]);
  });

  it('is not known outside of a container', () => {
    expect(different({ target: { container: null }, standardStreams: [null, '/x', null] })).toStrictEqual([]);
  });
});

describe('capabilityMask', () => {
  it('has bit n for capability n, with or without CAP_', () => {
    expect(capabilityMask(['CAP_CHOWN', 'KILL', 'CAP_CHECKPOINT_RESTORE'])).toBe(0x100_0000_0021n);
    expect(capabilityMask([])).toBe(0n);
  });
});

// descendantsOf on made-up trees; the scan on a directory made like /proc, and on the real one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { descendantsOf, listProcesses } from '../../../src/procfs/processes.ts';
import { listNumbers, readBytes, readLink, readText } from '../../../src/procfs/read.ts';
import { listThreads } from '../../../src/procfs/threads.ts';

describe('descendantsOf', () => {
  const tree = [
    { pid: 1, ppid: 0 },
    { pid: 5, ppid: 1 },
    { pid: 6, ppid: 5 },
    { pid: 7, ppid: 1 },
    { pid: 8, ppid: 6 },
    { pid: 9, ppid: 2 },
  ];

  it('gives children before grandchildren, and nobody else', () => {
    expect(descendantsOf(1, tree).map(({ pid }) => pid)).toStrictEqual([5, 7, 6, 8]);
    expect(descendantsOf(8, tree)).toStrictEqual([]);
    expect(descendantsOf(77, tree)).toStrictEqual([]);
  });

  it('ends when reused pids close a circle', () => {
    const circle = [
      { pid: 1, ppid: 3 },
      { pid: 2, ppid: 1 },
      { pid: 3, ppid: 2 },
      { pid: 4, ppid: 4 },
    ];
    expect(descendantsOf(1, circle).map(({ pid }) => pid)).toStrictEqual([2, 3]);
    expect(descendantsOf(4, circle)).toStrictEqual([]);
  });
});

describe('listProcesses', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'hotexec-proc-'));
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  it('lists numbered folders by pid, and leaves out a process that has ended meanwhile', () => {
    const rest = '-1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0';
    for (const pid of [10, 9, 1]) {
      mkdirSync(join(proc, String(pid)));
      writeFileSync(join(proc, String(pid), 'stat'), `${pid} (p${pid}) S ${pid === 1 ? 0 : 1} 1 1 0 ${rest}\n`);
    }
    mkdirSync(join(proc, '11'));
    mkdirSync(join(proc, 'net'));
    expect(listProcesses(proc).map(({ pid, comm, ppid, startTicks }) => [pid, comm, ppid, startTicks])).toStrictEqual([
      [1, 'p1', 0, 77],
      [9, 'p9', 1, 77],
      [10, 'p10', 1, 77],
    ]);
  });

  it('is empty where there is no proc', () => {
    expect(listProcesses(join(proc, 'none'))).toStrictEqual([]);
  });

  it('finds this process', () => {
    const self = listProcesses().find(({ pid }) => pid === process.pid);
    expect(self).toMatchObject({ ppid: process.ppid });
  });
});

describe('reading /proc', () => {
  it('gives content', () => {
    expect(readText('/proc/self/comm')).toMatchObject({ kind: 'read' });
    expect(readBytes('/proc/self/auxv')).toMatchObject({ kind: 'read' });
    expect(readLink('/proc/self/ns/pid')).toMatchObject({ kind: 'read' });
    const threads = listThreads(process.pid);
    expect(threads.kind === 'read' && threads.content.includes(process.pid)).toBe(true);
  });

  it('says gone for a process that does not exist', () => {
    expect(readText('/proc/4194305/stat')).toStrictEqual({ kind: 'gone' });
    expect(readLink('/proc/4194305/exe')).toStrictEqual({ kind: 'gone' });
    expect(listThreads(4_194_305)).toStrictEqual({ kind: 'gone' });
    expect(listNumbers('/proc/4194305/fd')).toStrictEqual({ kind: 'gone' });
  });

  it('says gone for the mounts of a zombie', async () => {
    // The first shell has the child, the second inherits it by exec and never waits for it. cat ends with its input.
    const script = 'cat <&3 & exec sh -c "echo $!; read x"';
    const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
    const [, output, , input] = parent.stdio;
    try {
      if (output === null) throw new Error('sh has no stdout');
      const pid = Number((await once(output, 'data')).join(''));
      if (input instanceof Writable) input.end();
      await vi.waitFor(() => expect(stateOf(pid)).toBe('Z'));
      expect(readText(`/proc/${pid}/mountinfo`)).toStrictEqual({ kind: 'gone' });
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('throws on what is neither gone nor denied', () => {
    expect(() => readLink('/proc/self/stat')).toThrow('EINVAL');
    expect(() => readText('/proc/self/task')).toThrow('EISDIR');
  });
});

function stateOf(pid: number): string | undefined {
  return listProcesses().find((listed) => listed.pid === pid)?.state;
}

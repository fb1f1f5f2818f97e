import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lastingPlaces, removeOldJournals, type Lasting } from '../../../src/agent/lasting.ts';
import type { TargetProcess } from '../../../src/protocol/request.ts';
import { needsHere } from '../../support/needs.ts';
import { agent, app, withMemory } from '../../support/pod-processes.ts';
import { writeProc, type FakeProcess } from '../../support/proc-tree.ts';
import { targetProcess } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

const uid = process.getuid?.() ?? 0;
const target: TargetProcess = {
  ...targetProcess,
  pid: 1,
  startTicks: 5000,
  container: { id: 'f'.repeat(64), name: 'app', runtime: 'containerd' },
};

interface Pod {
  readonly memory: string;
  readonly directory: string;
  readonly find: (more?: Partial<Parameters<typeof lastingPlaces>[1]>) => Lasting;
}

interface Shape {
  /** Device of what the container has there; null: nothing. */
  readonly device?: string | null;
  /** Namespaces of the agent and of the container. */
  readonly ipc?: readonly [string, string];
}

function podWith({ device = '0:60', ipc = ['ipc:[1]', 'ipc:[2]'] }: Shape = {}): Pod {
  const memory = tempDirectory();
  chmodSync(memory, 0o1777);
  const own: FakeProcess = { ...withMemory(agent, memory), pid: 20 };
  const theirs = device === null ? app : withMemory(app, memory, device);
  const proc = writeProc(tempDirectory(), [theirs, own]);
  for (const [index, name] of ['20', '1'].entries()) {
    mkdirSync(join(proc, name, 'ns'));
    symlinkSync(ipc[index] ?? '', join(proc, name, 'ns/ipc'));
  }
  const self = writeProc(tempDirectory(), []);
  for (const name of ['20', '1']) symlinkSync(join(proc, name), join(self, name));
  for (const name of ['mountinfo', 'ns']) symlinkSync(join(proc, '20', name), join(self, 'self', name));
  return {
    memory,
    directory: join(memory, `hotexec-${uid}-app`),
    find: (more = {}) => lastingPlaces(target, { proc: self, uid, sharedMemory: memory, ...more }),
  };
}

/** Why nothing lies there. */
function refusedIn(find: Pod['find']): string {
  const found = find();
  if (found.kind === 'lasting') throw new Error(`it lies in ${found.journals}`);
  return found.why;
}

describe('what is to outlive an agent', () => {
  it('lies in the memory that the agent and the container share, in a directory of its own', () => {
    const { find, directory } = podWith();
    const places = { journals: join(directory, 'journals'), history: join(directory, 'history') };
    expect(find()).toEqual({ kind: 'lasting', journals: places.journals, places, why: null });
    expect(statSync(directory).mode & 0o7777).toBe(0o700);
    expect(find()).toMatchObject({ kind: 'lasting', places });
  });

  it('lies there too where the container has a volume in its place, for the pod has one memory as it has one IPC namespace', () => {
    expect(podWith({ device: '0:77', ipc: ['ipc:[5]', 'ipc:[5]'] }).find()).toMatchObject({
      kind: 'lasting',
      why: null,
    });
  });

  it.each([
    [
      'the agent has a memory of its own',
      { device: '0:77' },
      /is not shown to be the pod's: the container has another/,
    ],
    ['it is the memory of the node', { ipc: ['ipc:[4026531839]', 'ipc:[4026531839]'] as const }, /hostIPC/],
  ])('does not lie there where %s', (_what, shape, why) => {
    const found = podWith(shape).find();
    expect(found).toMatchObject({ kind: 'none' });
    expect(found.why).toMatch(why);
  });

  it('does not lie there where there is none', () => {
    const found = podWith().find({ sharedMemory: '/nowhere' });
    expect(found).toMatchObject({
      kind: 'none',
      why: "there is no shared memory at /nowhere in the agent's container",
    });
  });

  it('is not put into a memory where anybody may rename anything', () => {
    const { find, memory } = podWith();
    chmodSync(memory, 0o777);
    expect(refusedIn(find)).toMatch(/anybody may rename .* \(mode 777\)/);
  });

  it('has no journal there when it is full, and says so', (context) => {
    needsHere(context, 'root');
    const { find, memory } = podWith();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=1777', 'tmpfs', memory]);
    onTestFinished(() => void execFileSync('umount', [memory]));
    expect(find()).toMatchObject({
      kind: 'lasting',
      places: { journals: null },
      why: `the ${memory} of the pod is full`,
    });
  });
});

describe('a directory that a hostile program has made first is not used', () => {
  it('when it is a link', () => {
    const { find, directory } = podWith();
    const elsewhere = tempDirectory();
    symlinkSync(elsewhere, directory);
    expect(refusedIn(find)).toContain('a link that somebody else');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('when it is a file', () => {
    const { find, directory } = podWith();
    writeFileSync(directory, '');
    expect(refusedIn(find)).toContain('no directory that somebody else');
  });

  it('when others may enter it', () => {
    const { find, directory } = podWith();
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    expect(refusedIn(find)).toContain('mode 755');
  });

  it('when it belongs to another user', (context) => {
    needsHere(context, 'root');
    const { find, directory } = podWith();
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, 4711, 4711);
    expect(refusedIn(find)).toContain('uid 4711');
  });
});

describe('journals of earlier runs of the container', () => {
  it('are cleared away, and those of what runs now stay', () => {
    const proc = writeProc(tempDirectory(), [app]);
    const journals = tempDirectory();
    for (const name of ['1-5000', '1-4000', '77-5000', 'else']) writeFileSync(join(journals, name), '');
    removeOldJournals(journals, proc);
    expect(readdirSync(journals).toSorted()).toEqual(['1-5000', 'else']);
  });

  it('need not have been', () => {
    expect(() => removeOldJournals('/nowhere', '/proc')).not.toThrow();
  });
});

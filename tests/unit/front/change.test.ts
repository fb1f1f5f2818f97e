import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changeOf } from '../../../src/front/change.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { tempDirectory } from '../../support/temp.ts';

function file(): string {
  const path = join(tempDirectory(), 'app');
  writeFileSync(path, 'x');
  return path;
}

it('without options is the same program, as the command line has it', async () => {
  expect(await changeOf({})).toEqual({ program: sameProgram, options: defaultRestartOptions });
});

it('takes every option of restart()', async () => {
  const source = file();
  const { program, options } = await changeOf({
    command: ['app', '-x'],
    exe: '/bin/app',
    cwd: '/srv',
    env: { A: '1', B: null, C: '' },
    from: 'spec',
    copies: [
      { source, destination: '/etc/' },
      { source, destination: '/x', owner: { uid: 1, gid: 2 }, allowVolume: true },
    ],
    keepFds: [7],
    children: 'keep',
    force: true,
    timeoutMs: 1000,
    verbose: true,
    timeline: true,
    probationMs: 2000,
    probe: 'tcp:localhost:80',
    rollback: false,
    drain: false,
    gracePeriodMs: 3000,
    stopSignal: 'QUIT',
    handover: false,
    hooks: true,
    driver: 'ptrace',
    gdbCall: 'libc',
  });
  expect(program).toEqual({
    ...sameProgram,
    command: ['app', '-x'],
    exe: '/bin/app',
    cwd: '/srv',
    from: 'spec',
    files: [
      { source, destination: '/etc/app', owner: null, allowVolume: false },
      { source, destination: '/x', owner: { uid: 1, gid: 2 }, allowVolume: true },
    ],
    env: {
      standsAlone: false,
      set: [
        ['A', '1'],
        ['C', ''],
      ],
      unset: ['B'],
    },
  });
  expect(options).toEqual({
    keepFds: [7],
    children: 'keep',
    force: true,
    timeoutMs: 1000,
    verbose: true,
    timeline: true,
    probationMs: 2000,
    probe: { kind: 'tcp', host: '127.0.0.1', port: 80 },
    rollback: false,
    drain: false,
    gracePeriodMs: 3000,
    signal: 'QUIT',
    handover: false,
    runHooks: true,
    driver: 'ptrace',
    gdbCall: 'libc',
  });
});

it('takes a file instead, with other arguments', async () => {
  const source = file();
  expect((await changeOf({ with: source, args: ['-x'], inMemory: 'always' })).program).toEqual({
    ...sameProgram,
    args: ['-x'],
    replacement: { source, inMemory: 'always' },
  });
  expect((await changeOf({ with: source })).program).toMatchObject({ args: null, replacement: { inMemory: 'auto' } });
});

it.each([
  [{ with: '/nowhere' }, 'with "/nowhere" cannot be read: there is no such file here.'],
  [
    { copies: [{ source: '/nowhere', destination: '/x' }] },
    'copies "/nowhere" cannot be read: there is no such file here.',
  ],
  [{ env: { 'A=B': '1' } }, 'env: "A=B" is not the name of a variable.'],
  [{ env: { '': '1' } }, 'env: "" is not the name of a variable.'],
  [{ probationMs: -1 }, 'probationMs: -1 is not a time.'],
  [{ probationMs: Number.NaN }, 'probationMs: NaN is not a time.'],
  [{ gracePeriodMs: -1 }, 'gracePeriodMs: -1 is not a time from 0 to 86400000.'],
  [{ gracePeriodMs: Infinity }, 'gracePeriodMs: Infinity is not a time from 0 to 86400000.'],
  [{ stopSignal: 'SIGNOT' }, 'stopSignal: "SIGNOT" is not a signal.'],
  [{ probe: 'localhost' }, 'The probe "localhost" is neither http://HOST[:PORT]/PATH nor tcp:HOST:PORT.'],
  [
    { probe: 'tcp:1.2.3.4:5', probationMs: 0 },
    'A probe is made while the new program is watched, and probationMs: 0 watches nothing.',
  ],
])('rejects %j before an engine is asked', async (options, message) => {
  await expect(changeOf(options)).rejects.toMatchObject({ code: 'usage', message });
});

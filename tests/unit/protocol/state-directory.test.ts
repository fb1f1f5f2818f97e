import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { stateDirectory } from '../../../src/protocol/state-directory.ts';

it.each([
  [{ HOTEXEC_STATE_DIR: '/srv/state', XDG_STATE_HOME: '/x' }, 0, '/srv/state'],
  [{ XDG_STATE_HOME: '/x', HOME: '/root' }, 0, '/var/lib/hotexec'],
  [{ XDG_STATE_HOME: '/x', HOME: '/home/ada' }, 1000, '/x/hotexec'],
  [{ XDG_STATE_HOME: 'relative', HOME: '/home/ada' }, 1000, '/home/ada/.local/state/hotexec'],
  [{ HOTEXEC_STATE_DIR: '', XDG_STATE_HOME: '', HOME: '/home/ada' }, 1000, '/home/ada/.local/state/hotexec'],
  [{}, 1000, `${homedir()}/.local/state/hotexec`],
])('%j of uid %i: %s', (environment, uid, directory) => {
  expect(stateDirectory(environment, uid)).toBe(directory);
});

// A static C server that tells its version; other builds of it take its place, good ones and (by their arguments) bad ones.
import { compile } from '../../kernel/compile.ts';
import type { Program } from '../program.ts';
import type { OneChange } from '../soak.ts';
import { directory, hostFile } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

export const newcomer: Program = {
  name: 'newcomer',
  needs: [{ command: 'gcc' }],
  recipe: async () => ({
    name: 'newcomer',
    files: [await hostFile(buildOf(1), '/app/server'), directory('/tmp', 0o1777), directory('/data', 0o777)],
    entrypoint: ['/app/server'],
  }),
  ask: async ({ address }) => await httpGet(address, 8080),
  logLine: /version \d+ serves/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: true,
};

/** The file of this version, here. */
export function buildOf(version: number): string {
  return compile('newcomer', { directory: 'servers', flags: ['-static', `-DVERSION=${version}`] });
}

const badWays = [['exit', '1'], ['segfault'], ['abort'], ['exit', '0'], ['daemonise']] as const;

/** A good version and a bad one in turns, each bad one in another way. */
export const goodAndBad: OneChange = (target, number) => {
  const words = ['replace', target, '--with', buildOf(2 + (number % 4))];
  if (number % 2 === 0) return { words: [...words, '--', 'late', '0'], outcome: 'restarted' };
  const how = badWays[Math.floor(number / 2) % badWays.length] ?? [];
  return { words: [...words, '--', ...how], outcome: 'rolled-back' };
};

// A JVM: the main thread only waits for the one that runs main(), signals are blocked and SIGSEGV is everyday life.
import { realpath } from 'node:fs/promises';
import { compile } from '../cache.ts';
import { findCommand } from '../find-command.ts';
import type { Program } from '../program.ts';
import { hostFile, hostTree, librariesOf, textFile, type RootfsEntry } from '../rootfs.ts';
import { httpGet } from '../talk.ts';

const unwanted = /\/(?:jmods|legal|man|include|docs)\/|src\.zip$|ct\.sym$|\/lib(?:awt|splash|font|jsound|atk)[^/]*$/;

export const jvm: Program = {
  name: 'jvm',
  needs: [{ command: 'javac' }],
  recipe: async () => {
    const home = (await realpath(await findCommand('javac'))).replace(/\/bin\/javac$/, '');
    return { name: 'jvm', files: await files(home), entrypoint: [`${home}/bin/java`, '-cp', '/app', 'Server'] };
  },
  ask: async ({ address }) => await httpGet(address, 8080),
  logLine: /java serves/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: false,
};

async function files(home: string): Promise<RootfsEntry[]> {
  const runtime = await hostTree(home, (path) => !unwanted.test(path));
  const own = runtime.map(({ path }) => path);
  const binaries = own.filter((path) => path.endsWith('.so') || path === `${home}/bin/java`);
  const libraries = (await librariesOf(binaries)).filter((path) => !own.includes(path));
  const classes = await compile('Server.java', [`${home}/bin/javac`, '--release', '17', '-d', 'OUT']);
  return [
    ...runtime,
    ...(await Promise.all(libraries.map(async (path) => await hostFile(path)))),
    textFile('/etc/passwd', 'root:x:0:0::/:\n'),
    await hostFile(`${classes}/Server.class`, '/app/Server.class'),
  ];
}

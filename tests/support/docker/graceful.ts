// The programs of the load tests: each with the shutdown that it has for `docker stop`, and how it is asked.
import { join } from 'node:path';
import { compile, serversDirectory } from './cache.ts';
import type { Exchange } from './counted-load.ts';
import type { ImageRecipe } from './image.ts';
import type { Program } from './program.ts';
import { fortio } from './programs/fortio.ts';
import { jvm } from './programs/jvm.ts';
import { nginx } from './programs/nginx.ts';
import { node } from './programs/node.ts';
import { python } from './programs/python.ts';
import { redis } from './programs/redis.ts';
import { directory, hostFile, type RootfsEntry } from './rootfs.ts';
import { ask, httpExchange, redisExchange } from './exchanges.ts';

export interface GracefulProgram extends Program {
  /** Of `docker run`; what else it needs. */
  readonly flags: readonly string[];
  readonly exchange: (address: () => string) => Exchange;
  /**
   * Its shutdown answers every connection that it has accepted. The others end with some that they have accepted and not read, or not
   * answered; no restart can do anything about it, so it is counted apart.
   */
  readonly finishesAll: boolean;
}

export const gracefulNode: GracefulProgram = {
  ...node,
  name: 'node',
  recipe: async () => await changed(node, { name: 'graceful-node', ...(await nodeFiles('/graceful.mjs', '8080')) }),
  ask: async ({ address }) => await ask(httpOf(() => address)),
  exchange: httpOf,
  flags: [],
  finishesAll: true,
};

/** In the directory that `docker run --volume` brings: clients on this machine find the socket there. */
function nodeOnSocket(hostDirectory: string): GracefulProgram {
  const socket = join(hostDirectory, 'socket');
  return {
    ...gracefulNode,
    name: 'node on a Unix socket',
    recipe: async () =>
      await changed(node, { name: 'unix-node', ...(await nodeFiles('/graceful.mjs', '/run/s/socket')) }),
    ask: async () => await ask(httpExchange(() => socket)),
    flags: ['--volume', `${hostDirectory}:/run/s`],
    exchange: () => httpExchange(() => socket),
  };
}

const gracefulPython: GracefulProgram = {
  ...python,
  recipe: async () =>
    await changed(python, {
      name: 'graceful-python',
      more: [await server('graceful.py')],
      entrypoint: ['/usr/bin/python3', '-I', '/graceful.py'],
    }),
  exchange: httpOf,
  flags: [],
  finishesAll: true,
};

const gracefulJvm: GracefulProgram = {
  ...jvm,
  recipe: async () => {
    const { entrypoint } = await jvm.recipe();
    const [java = ''] = entrypoint;
    const classes = await compile('Graceful.java', [`${java}c`, '--release', '17', '-d', 'OUT']);
    return await changed(jvm, {
      name: 'graceful-jvm',
      more: [await hostFile(`${classes}/Graceful.class`, '/app/Graceful.class')],
      entrypoint: [java, '-XX:+UseSerialGC', '-Dsun.net.httpserver.nodelay=true', '-cp', '/app', 'Graceful'],
    });
  },
  exchange: httpOf,
  flags: [],
  finishesAll: false,
};

/** As in its own image: SIGQUIT is the signal by which it finishes what it has in hand. */
export const gracefulNginx: GracefulProgram = {
  ...nginx,
  flags: ['--stop-signal', 'SIGQUIT'],
  exchange: (address) => httpExchange(() => ({ host: address(), port: 8080 }), { slow: false }),
  finishesAll: true,
};

export const gracefulRedis: GracefulProgram = {
  ...redis,
  recipe: async () =>
    await changed(redis, {
      name: 'graceful-redis',
      more: [directory('/data', 0o1777)],
      entrypoint: '/usr/bin/redis-server --save 3600 1 --dir /data --protected-mode no --port 6379'.split(' '),
    }),
  exchange: (address) => redisExchange(() => ({ host: address(), port: 6379 })),
  flags: [],
  finishesAll: false,
};

/** It has a handler, and ends at once. */
export const gracefulFortio: GracefulProgram = { ...fortio, flags: [], exchange: httpOf, finishesAll: false };

/** `socketDirectory`, on this machine, is for the Unix socket. */
export function gracefulPrograms(socketDirectory: string): readonly GracefulProgram[] {
  const others = [gracefulNginx, gracefulPython, gracefulJvm, gracefulRedis, gracefulFortio];
  return [gracefulNode, nodeOnSocket(socketDirectory), ...others];
}

function httpOf(address: () => string): Exchange {
  return httpExchange(() => ({ host: address(), port: 8080 }));
}

interface Change {
  readonly name: string;
  readonly more: readonly RootfsEntry[];
  readonly entrypoint: readonly string[];
}

async function changed(program: Program, { name, more, entrypoint }: Change): Promise<ImageRecipe> {
  const { files } = await program.recipe();
  return { name, files: [...files, ...more], entrypoint };
}

async function nodeFiles(script: string, where: string): Promise<Pick<Change, 'more' | 'entrypoint'>> {
  const more = [await server(script.slice(1)), directory('/run/s', 0o1777)];
  return { more, entrypoint: ['/usr/bin/node', script, where] };
}

async function server(name: string): Promise<RootfsEntry> {
  return await hostFile(join(serversDirectory, name), `/${name}`);
}

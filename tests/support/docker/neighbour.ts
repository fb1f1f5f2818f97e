// hotexec in a container beside the target's, as an ephemeral container of a pod is one: the target's pid and network namespaces, its own
// file system, cgroup and IPC namespaces, and few rights.
import { join } from 'node:path';
import type { Inspection } from '../../../src/protocol/inspection.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { containerLabel, runVariable, type Container } from './container.ts';
import { run, type HotexecRun } from './hotexec.ts';
import { imageOf } from './image.ts';
import { directory, executable, hostFile, hostTree, type RootfsEntry } from './rootfs.ts';

const root = join(import.meta.dirname, '../../..');
const profile = join(import.meta.dirname, 'runtime-default.json');

/** What an ephemeral container may be allowed. */
export type Rights =
  /** User and group of the target, no capability. */
  | { readonly kind: 'same-user'; readonly user: string }
  /** Root with CAP_SYS_PTRACE alone. */
  | { readonly kind: 'ptrace' };

/** hotexec beside one target, each command in a container of its own. */
export class Neighbour {
  readonly #target: Container;
  readonly #rights: Rights;

  constructor(target: Container, rights: Rights) {
    this.#target = target;
    this.#rights = rights;
  }

  /** Arguments of docker for a command of hotexec; `1` is the target. `flags`: more of `docker run`. */
  async command(args: readonly string[], flags: readonly string[] = []): Promise<readonly string[]> {
    const target = `container:${this.#target.id}`;
    const user =
      this.#rights.kind === 'ptrace' ? ['--cap-add', 'SYS_PTRACE', '--user', '0:0'] : ['--user', this.#rights.user];
    return [
      'run',
      '--rm',
      '--interactive',
      `--label=${containerLabel}=${process.env[runVariable] ?? process.pid}`,
      `--pid=${target}`,
      `--network=${target}`,
      '--security-opt=no-new-privileges',
      `--security-opt=seccomp=${profile}`,
      '--cap-drop=ALL',
      ...user,
      `--volume=${join(root, 'dist')}:/hotexec/dist:ro`,
      '--env=HOTEXEC_RUNTIME_DIR=/run/journal',
      '--env=HOTEXEC_STATE_DIR=/run/state',
      ...flags,
      await neighbourImage(),
      '--',
      '/hotexec/dist/cli.cjs',
      ...args,
    ];
  }

  async hotexec(args: readonly string[], flags?: readonly string[]): Promise<HotexecRun> {
    return await run('docker', await this.command(args, flags));
  }

  /** The same with `-o json`. */
  async answer<Result extends RestartResult | Inspection | Plan>(
    args: readonly string[],
    flags?: readonly string[],
  ): Promise<Answer<Result>> {
    const at = args.includes('--') ? args.indexOf('--') : args.length;
    const asked = await this.hotexec([...args.slice(0, at), '-o', 'json', ...args.slice(at)], flags);
    try {
      return { exitCode: asked.exitCode, result: JSON.parse(asked.stdout) as Result, stderr: asked.stderr };
    } catch {
      throw new Error(`hotexec ${args.join(' ')} ended with ${asked.exitCode}\n${asked.stdout}\n${asked.stderr}`);
    }
  }
}

export interface Answer<Result> {
  readonly exitCode: number | string | null;
  readonly result: Result;
  readonly stderr: string;
}

let image: Promise<string> | undefined;

/** Node and the addon; hotexec itself is mounted, for it changes often. */
async function neighbourImage(): Promise<string> {
  image ??= recipe().then(async (files) => await imageOf({ name: 'neighbour', files, entrypoint: ['/usr/bin/node'] }));
  return await image;
}

async function recipe(): Promise<RootfsEntry[]> {
  const koffi = join(root, 'node_modules/koffi');
  const addon = join(root, 'node_modules/@koromix/koffi-linux-x64');
  const files = [
    await hostFile(join(koffi, 'package.json')),
    await hostFile(join(koffi, 'index.cjs')),
    ...(await hostTree(addon, (path) => !path.includes('musl'))),
  ];
  return [
    ...(await executable(process.execPath, '/usr/bin/node')),
    ...files.map(({ path, mode, read }) => ({ path: path.replace(root, '/hotexec'), mode, read })),
    directory('/hotexec/dist'),
    directory('/tmp', 0o1777),
    directory('/run', 0o1777),
  ];
}

// hotexec in a container beside the target's, as an ephemeral container of a pod is one: the target's pid and network namespaces, its own
// file system, cgroup and IPC namespaces, and few rights.
import { join } from 'node:path';
import type { Inspection } from '../../../src/protocol/inspection.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import type { Container } from './container.ts';
import { containerLabel, runVariable } from './container.ts';
import { run, type HotexecRun } from './hotexec.ts';
import { imageOf } from './image.ts';
import { directory, executable, hostFile, hostTree, type RootfsEntry } from './rootfs.ts';

const root = join(import.meta.dirname, '../../..');
const profile = join(import.meta.dirname, 'runtime-default.json');

/** What an ephemeral container may be allowed: see docs/kubernetes.md. */
export type Rights =
  /** User and group of the target, no capability. */
  | { readonly kind: 'same-user'; readonly user: string }
  /** Root with CAP_SYS_PTRACE alone. */
  | { readonly kind: 'ptrace' };

let image: Promise<string> | undefined;

/** Node and the addon; hotexec itself is mounted, for it changes often. */
export async function neighbourImage(): Promise<string> {
  image ??= recipe().then(async (files) => await imageOf({ name: 'neighbour', files, entrypoint: ['/usr/bin/node'] }));
  return await image;
}

async function recipe(): Promise<RootfsEntry[]> {
  const koffi = join(root, 'node_modules/koffi/package.json');
  const addon = join(root, 'node_modules/@koromix/koffi-linux-x64');
  const files = [
    ...(await executable(process.execPath, '/usr/bin/node')),
    await hostFile(koffi),
    await hostFile(join(root, 'node_modules/koffi/index.cjs')),
    ...(await hostTree(addon, (path) => !path.includes('musl'))),
  ];
  return [
    ...files.map((file) => ({ ...file, path: file.path.replace(root, '/hotexec') })),
    directory('/hotexec/dist'),
    directory('/tmp', 0o1777),
    directory('/run', 0o1777),
  ];
}

/** `docker run` up to what follows the image; the image is the last word. */
export async function neighbourCommand(
  target: Container,
  rights: Rights,
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  return [
    ...['run', '--rm', '--interactive', '--label', `${containerLabel}=${process.env[runVariable] ?? process.pid}`],
    ...['--pid', `container:${target.id}`, '--network', `container:${target.id}`],
    ...['--security-opt', 'no-new-privileges', '--security-opt', `seccomp=${profile}`, '--cap-drop', 'ALL'],
    ...(rights.kind === 'ptrace' ? ['--cap-add', 'SYS_PTRACE', '--user', '0:0'] : ['--user', rights.user]),
    ...['--volume', `${join(root, 'dist')}:/hotexec/dist:ro`],
    ...['--env', 'HOTEXEC_RUNTIME_DIR=/run/journal', '--env', 'HOTEXEC_STATE_DIR=/run/state'],
    ...flags,
    await neighbourImage(),
  ];
}

/** One command of hotexec, in a neighbour of its own; `1` is the target. */
export async function hotexecBeside(
  target: Container,
  rights: Rights,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<HotexecRun> {
  return await run('docker', [
    ...(await neighbourCommand(target, rights, flags)),
    '--',
    '/hotexec/dist/cli.js',
    ...args,
  ]);
}

export interface Answer<Result> {
  readonly exitCode: number | string | null;
  readonly result: Result;
  readonly stderr: string;
}

/** The same with `-o json`. */
export async function answerBeside<Result extends RestartResult | Inspection | Plan>(
  ...asked: Parameters<typeof hotexecBeside>
): Promise<Answer<Result>> {
  const [target, rights, args, flags] = asked;
  const at = args.includes('--') ? args.indexOf('--') : args.length;
  const run = await hotexecBeside(target, rights, [...args.slice(0, at), '-o', 'json', ...args.slice(at)], flags);
  try {
    return { exitCode: run.exitCode, result: JSON.parse(run.stdout) as Result, stderr: run.stderr };
  } catch {
    throw new Error(`hotexec ${args.join(' ')} ended with ${run.exitCode}\n${run.stdout}\n${run.stderr}`);
  }
}

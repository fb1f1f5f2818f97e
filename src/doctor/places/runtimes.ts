// Container runtimes: which are there, and whether this user may talk to them. Processes can be named by pid without any.
import { no, yes, type Finding, type Place } from '../finding.ts';
import type { Machine } from '../machine.ts';

interface Runtime {
  readonly name: string;
  readonly sockets: readonly string[];
  /** How its daemon is started, and how one gets access to its socket. */
  readonly start: string;
  readonly join: string;
}

type Environment = Machine['env'];

export const runtimes: Place = async (machine) => {
  const found = await Promise.all(knownRuntimes(machine.env).map((runtime) => look(runtime, machine)));
  const findings = [...remoteDocker(machine.env), ...found.flat()];
  if (findings.length > 0) return findings;
  return [
    no(
      'runtimes',
      'no container runtime found; processes are named by pid',
      'start one, such as: sudo systemctl start docker',
    ),
  ];
};

function knownRuntimes(env: Environment): readonly Runtime[] {
  const user = env['XDG_RUNTIME_DIR'];
  const ofUser = (path: string): readonly string[] => (user === undefined || user === '' ? [] : [`${user}/${path}`]);
  return [
    {
      name: 'docker',
      sockets: dockerHost(env) ?? ['/var/run/docker.sock', ...ofUser('docker.sock')],
      start: 'sudo systemctl start docker',
      join: 'sudo hotexec …, or: sudo usermod -aG docker $USER, and log in again',
    },
    {
      name: 'containerd',
      sockets: ['/run/containerd/containerd.sock', '/run/k3s/containerd/containerd.sock'],
      start: 'sudo systemctl start containerd',
      join: 'sudo hotexec …',
    },
    { name: 'CRI-O', sockets: ['/run/crio/crio.sock'], start: 'sudo systemctl start crio', join: 'sudo hotexec …' },
    {
      name: 'podman',
      sockets: [...ofUser('podman/podman.sock'), '/run/podman/podman.sock'],
      start: 'systemctl --user start podman.socket',
      join: 'sudo hotexec …, or: systemctl --user start podman.socket',
    },
  ];
}

/** DOCKER_HOST as a list of sockets: one, none (elsewhere), or null (not set). */
function dockerHost(env: Environment): readonly string[] | null {
  const host = env['DOCKER_HOST'];
  if (host === undefined || host === '') return null;
  return host.startsWith('unix://') ? [host.slice('unix://'.length)] : [];
}

function remoteDocker(env: Environment): readonly Finding[] {
  if (dockerHost(env)?.length !== 0) return [];
  return [
    no(
      'docker',
      'DOCKER_HOST names no local socket: its containers run on another machine',
      'run hotexec on that machine, or: unset DOCKER_HOST',
    ),
  ];
}

async function look(runtime: Runtime, machine: Machine): Promise<readonly Finding[]> {
  const answers = await Promise.all(
    runtime.sockets.map(async (path) => ({ path, answer: await machine.connect(path) })),
  );
  return answers.flatMap(({ path, answer }) =>
    answer.kind === 'ok' ? [yes(runtime.name, `answers on ${path}`)] : failed(runtime, path, answer.errno),
  );
}

function failed({ name, start, join }: Runtime, path: string, errno: string): readonly Finding[] {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return [];
    case 'EACCES':
    case 'EPERM':
      return [no(name, `${path} is out of reach for this user`, join)];
    case 'ECONNREFUSED':
      return [no(name, `${path} is there, but nobody answers`, start)];
    default:
      return [no(name, `${path} does not answer: ${errno}`, start)];
  }
}

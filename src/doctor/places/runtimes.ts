// Container runtimes: which are there, and whether this user may talk to them. Processes can be named by pid without any.
import { no, yes, type Finding, type Place } from '../finding.ts';
import { configuredEndpoint, defaultSockets } from '../../targets/runtime/endpoint.ts';
import { valueOf, type Machine } from '../machine.ts';

interface Runtime {
  readonly name: string;
  /** It may speak CRI, and so know pods. */
  readonly mayKnowPods?: true;
  readonly sockets: readonly string[];
  /** How its daemon is started, and how one gets access to its socket. */
  readonly start: string;
  readonly join: string;
}

type Environment = Machine['env'];

export const runtimes: Place = async (machine) => {
  const found = await Promise.all(knownRuntimes(machine).map((runtime) => look(runtime, machine)));
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

function knownRuntimes(machine: Machine): readonly Runtime[] {
  const { env } = machine;
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
      mayKnowPods: true,
      sockets: defaultSockets.containerd,
      start: 'sudo systemctl start containerd',
      join: 'sudo hotexec …',
    },
    {
      name: 'CRI-O',
      mayKnowPods: true,
      sockets: defaultSockets.crio,
      start: 'sudo systemctl start crio',
      join: 'sudo hotexec …',
    },
    ...configuredRuntime(machine),
    {
      name: 'podman',
      sockets: [...ofUser('podman/podman.sock'), '/run/podman/podman.sock'],
      start: 'systemctl --user start podman.socket',
      join: 'sudo hotexec …, or: systemctl --user start podman.socket',
    },
  ];
}

/** Named by CONTAINER_RUNTIME_ENDPOINT or /etc/crictl.yaml, and none that would be looked for anyway. */
function configuredRuntime({ env, readText }: Machine): readonly Runtime[] {
  const found = configuredEndpoint(env, (path) => valueOf(readText(path)) ?? '');
  if (found === undefined || Object.values(defaultSockets).flat().includes(found.path)) return [];
  const start = `start it, or correct ${found.source}`;
  return [{ name: 'CRI runtime', mayKnowPods: true, sockets: [found.path], start, join: 'sudo hotexec …' }];
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
  const findings = answers.map(async ({ path, answer }) =>
    answer.kind === 'ok'
      ? [yes(runtime.name, `answers on ${path}${await knowsPods(runtime, path, machine)}`)]
      : failed(runtime, path, answer.errno),
  );
  return (await Promise.all(findings)).flat();
}

async function knowsPods({ mayKnowPods }: Runtime, path: string, { criVersion }: Machine): Promise<string> {
  if (mayKnowPods === undefined || criVersion === undefined) return '';
  const version = await criVersion(path);
  return version === null ? ', without CRI: it knows no pods' : `, with CRI (${version}): hotexec ls lists its pods`;
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

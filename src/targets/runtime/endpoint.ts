// Where container runtimes listen on this machine, as crictl looks for them: a flag, CONTAINER_RUNTIME_ENDPOINT, /etc/crictl.yaml, then the
// sockets that runtimes have by default. Docker's own containerd is not among them: its containers are Docker's.
import { readFileSync, realpathSync } from 'node:fs';
import { HotexecError } from '../../errors.ts';

export interface RuntimeEndpoint {
  /** Of a Unix socket. */
  readonly path: string;
  /** Where the address was found; null: it is a default, and the socket is there. */
  readonly source: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const containerdSockets = [
  '/run/containerd/containerd.sock',
  '/run/k3s/containerd/containerd.sock', // RKE2's too
  '/run/k0s/containerd.sock',
  '/var/snap/microk8s/common/run/containerd.sock',
];
const crioSockets = ['/run/crio/crio.sock'];

/** By default there may be several, or none. */
export const defaultSockets: { readonly containerd: readonly string[]; readonly crio: readonly string[] } = {
  containerd: containerdSockets,
  crio: crioSockets,
};

/**
 * Where to ask for pods and their containers (CRI).
 * @throws {HotexecError} `usage` where an address is none that hotexec can use.
 */
export function criEndpoints(given: string | null, env: Environment): readonly RuntimeEndpoint[] {
  const named = givenEndpoint(given) ?? configuredEndpoint(env);
  return named === undefined ? presentOf([...containerdSockets, ...crioSockets]) : [named];
}

/** Where to ask for the containers that containerd itself knows; CONTAINERD_ADDRESS is what ctr and nerdctl read. */
export function containerdEndpoints(given: string | null, env: Environment): readonly RuntimeEndpoint[] {
  const named = givenEndpoint(given) ?? fromVariable('CONTAINERD_ADDRESS', env) ?? configuredEndpoint(env);
  return named === undefined ? presentOf(containerdSockets) : [named];
}

function givenEndpoint(given: string | null): RuntimeEndpoint | undefined {
  return given === null ? undefined : { path: parsePath(given, '--runtime-endpoint'), source: '--runtime-endpoint' };
}

/** What CRI's own tools are told. `read` gives a file's text, empty where there is none. */
export function configuredEndpoint(
  env: Environment,
  read: typeof readIfThere = readIfThere,
): RuntimeEndpoint | undefined {
  return fromVariable('CONTAINER_RUNTIME_ENDPOINT', env) ?? fromCrictl(env, read);
}

function fromVariable(name: string, env: Environment): RuntimeEndpoint | undefined {
  const text = env[name];
  return text === undefined || text === '' ? undefined : { path: parsePath(text, name), source: name };
}

const crictlConfig = '/etc/crictl.yaml';

/** One line of it: `runtime-endpoint: unix:///run/containerd/containerd.sock`. */
function fromCrictl(env: Environment, read: typeof readIfThere): RuntimeEndpoint | undefined {
  const file = env['CRI_CONFIG_FILE'] || crictlConfig;
  const [, value = ''] = /^runtime-endpoint:[ \t]*(\S*)/m.exec(read(file)) ?? [];
  const text = value.replace(/^(["'])(.*)\1$/, '$2');
  return text === '' ? undefined : { path: parsePath(text, file), source: file };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // most machines have none
  }
}

function parsePath(text: string, source: string): string {
  const path = text.replace(/^unix:(?:\/\/)?/, '');
  if (path.startsWith('/')) return path;
  throw new HotexecError({
    code: 'usage',
    message: `${source} ${JSON.stringify(text.slice(0, 200))} is no address of a runtime on this machine.`,
    hint: 'A Unix socket is named: unix:///run/containerd/containerd.sock',
  });
}

/** Each socket once, whatever names it has. One that may not be looked for is taken to be there. */
function presentOf(paths: readonly string[]): readonly RuntimeEndpoint[] {
  const found = new Map<string, RuntimeEndpoint>();
  for (const path of paths) {
    const real = realPath(path);
    if (real !== null && !found.has(real)) found.set(real, { path, source: null });
  }
  return [...found.values()];
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES' ? path : null;
  }
}

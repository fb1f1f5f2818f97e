// Where the docker command would find its daemon: DOCKER_HOST, then DOCKER_CONTEXT, then the current context of
// config.json, then /var/run/docker.sock (docker/cli, cli/command/cli.go, resolveContextName).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { HotexecError } from '../../errors.ts';

export type DockerEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsFiles | null };

interface TlsFiles {
  /** Undefined: the file is not there. */
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly verify: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const defaultSocket = '/var/run/docker.sock';

/** Reads the environment and Docker's configuration files. Throws HotexecError. */
export function findDockerEndpoint(env: Environment): DockerEndpoint {
  const config = nonEmpty(env['DOCKER_CONFIG']) ?? join(nonEmpty(env['HOME']) ?? homedir(), '.docker');
  const host = nonEmpty(env['DOCKER_HOST']);
  if (host !== undefined) return parseHost(host, { source: 'DOCKER_HOST', tls: () => tlsOfEnvironment(env, config) });
  const context = nonEmpty(env['DOCKER_CONTEXT']) ?? currentContext(config) ?? 'default';
  return context === 'default' ? { kind: 'unix', path: defaultSocket } : endpointOfContext(context, config);
}

/** For messages: as DOCKER_HOST would be written. */
export function formatEndpoint(endpoint: DockerEndpoint): string {
  return endpoint.kind === 'unix' ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
}

interface HostSource {
  /** Where the address was found: for messages. */
  readonly source: string;
  readonly tls: () => TlsFiles | null;
}

function parseHost(text: string, { source, tls }: HostSource): DockerEndpoint {
  const url = URL.parse(text);
  switch (url?.protocol) {
    case 'unix:':
      return { kind: 'unix', path: text.slice('unix://'.length) };
    case 'tcp:':
    case 'http:':
    case 'https:':
      return tcp(url, tls());
    case 'ssh:':
      throw unreachable(
        `${source} leads over ssh to ${url.hostname}, and hotexec works on the machine of the container.`,
        `ssh ${url.hostname} hotexec …`,
      );
    case undefined:
    default:
      throw unreachable(`${source} is ${JSON.stringify(text.slice(0, 200))}: hotexec knows unix:// and tcp://.`, null);
  }
}

function tcp(url: URL, tls: TlsFiles | null): DockerEndpoint {
  const secure = url.protocol === 'https:' && tls === null ? plainTls : tls;
  return { kind: 'tcp', host: url.hostname, port: Number(url.port) || (secure === null ? 2375 : 2376), tls: secure };
}

const plainTls: TlsFiles = { ca: undefined, cert: undefined, key: undefined, verify: true };

function tlsOfEnvironment(env: Environment, config: string): TlsFiles | null {
  const verify = nonEmpty(env['DOCKER_TLS_VERIFY']) !== undefined;
  if (!verify && nonEmpty(env['DOCKER_TLS']) === undefined) return null;
  return readTls(nonEmpty(env['DOCKER_CERT_PATH']) ?? config, verify);
}

function readTls(directory: string, verify: boolean): TlsFiles {
  const read = (name: string): Buffer | undefined => readIfThere(join(directory, name));
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem'), verify };
}

const configFile = v.object({ currentContext: v.nullish(v.string()) });

function currentContext(config: string): string | undefined {
  const path = join(config, 'config.json');
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  return nonEmpty(parseFile(path, text, configFile).currentContext ?? undefined);
}

const contextFile = v.object({
  Endpoints: v.object({ docker: v.object({ Host: v.string(), SkipTLSVerify: v.nullish(v.boolean(), false) }) }),
});

function endpointOfContext(name: string, config: string): DockerEndpoint {
  const directory = createHash('sha256').update(name).digest('hex');
  const path = join(config, 'contexts/meta', directory, 'meta.json');
  const text = readIfThere(path);
  if (text === undefined) {
    const message = `Docker's context ${JSON.stringify(name)} does not exist: there is no ${path}.`;
    throw new HotexecError({ code: 'target-not-found', message, hint: 'docker context ls lists them.' });
  }
  const { docker } = parseFile(path, text, contextFile).Endpoints;
  const tlsOfContext = (): TlsFiles | null => {
    const tls = readTls(join(config, 'contexts/tls', directory, 'docker'), !docker.SkipTLSVerify);
    return tls.ca === undefined && tls.cert === undefined ? null : tls;
  };
  return parseHost(docker.Host, { source: `Docker's context ${JSON.stringify(name)}`, tls: tlsOfContext });
}

function parseFile<Output>(path: string, text: Buffer, schema: v.GenericSchema<unknown, Output>): Output {
  try {
    return v.parse(schema, JSON.parse(text.toString('utf8')));
  } catch (error) {
    const message = `${path} is not what the docker command writes.`;
    throw new HotexecError({ code: 'usage', message, hint: 'docker context use default' }, { cause: error });
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
    throw new HotexecError({ code: 'not-permitted', message, hint: null }, { cause: error });
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function unreachable(message: string, hint: string | null): HotexecError {
  return new HotexecError({ code: 'runtime-unreachable', message: `${message} Nothing was touched.`, hint });
}

// Which cluster, as whom, in which namespace: the kubeconfig as kubectl finds and merges it. Logins (exec plugins, OIDC, tokens, certificates) are
// the Kubernetes client's.
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { delimiter, join } from 'node:path';
import * as v from 'valibot';
import { HotexecError } from '../../errors.ts';
import type { KubeConfig } from './libraries.ts';

/** The flags that say which cluster; null: as the kubeconfig says. */
export interface ClusterChoice {
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly namespace: string | null;
  readonly as: string | null;
  readonly asGroups: readonly string[];
}

export interface Cluster {
  /** Without a final slash. */
  readonly server: string;
  readonly namespace: string;
  /** Of a request, as fresh as the login needs. */
  readonly credentials: () => Promise<Credentials>;
}

export interface Credentials {
  /** Certificates, and the agent that knows of proxies. */
  readonly tls: Omit<RequestOptions, 'headers'>;
  readonly headers: Headers;
}

type Headers = Readonly<Record<string, string | string[]>>;

export async function loadCluster(
  choice: ClusterChoice,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Cluster> {
  const { KubeConfig: Config } = await import('./libraries.ts');
  const config = new Config();
  const files = configFiles(choice, env);
  for (const file of files) addFile(config, file, new Config());
  if (files.length === 0) loadInCluster(config, env);
  if (choice.context !== null) config.setCurrentContext(choice.context);

  const context = contextOf(config, files);
  const cluster = config.getCluster(context.cluster);
  if (cluster === null)
    throw refusal(
      'target-not-found',
      `The kubeconfig has no cluster ${quote(context.cluster)}, which its context names.`,
    );
  const user = config.getUser(context.user);
  if (choice.as !== null && user !== null) Object.assign(user, { impersonateUser: choice.as });
  // There is no TLS to verify; the client library wants it said.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  return {
    server: cluster.server,
    namespace: choice.namespace ?? context.namespace ?? 'default',
    credentials: async () => withGroups(await login(config, cluster.server), choice.asGroups),
  };
}

/** Those that are there: kubectl passes over files of KUBECONFIG that are missing. */
function configFiles(
  { kubeconfig }: ClusterChoice,
  { KUBECONFIG: list = '', HOME: home = '' }: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (kubeconfig !== null) {
    if (existsSync(kubeconfig)) return [kubeconfig];
    throw refusal('usage', `--kubeconfig ${quote(kubeconfig)}: there is no such file here.`);
  }
  const named = list.split(delimiter).filter((file) => file !== '');
  const wanted = named.length > 0 ? named : [join(home, '.kube/config')];
  return wanted.filter((file) => existsSync(file));
}

/** What an earlier file says stands. */
function addFile(config: KubeConfig, file: string, one: KubeConfig): void {
  try {
    one.loadFromFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HotexecError(
      {
        code: 'usage',
        message: `The kubeconfig ${quote(file)} cannot be read: ${why}.`,
        hint: 'kubectl config view shows it.',
      },
      { cause: error },
    );
  }
  for (const cluster of one.clusters) if (config.getCluster(cluster.name) === null) config.addCluster(cluster);
  for (const user of one.users) if (config.getUser(user.name) === null) config.addUser(user);
  for (const context of one.contexts) if (config.getContextObject(context.name) === null) config.addContext(context);
  if (!config.currentContext && one.currentContext) config.setCurrentContext(one.currentContext);
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function loadInCluster(config: KubeConfig, env: Readonly<Record<string, string | undefined>>): void {
  if ((env['KUBERNETES_SERVICE_HOST'] ?? '') !== '' && existsSync(serviceAccountToken)) {
    config.loadFromCluster();
    return;
  }
  throw refusal(
    'runtime-unreachable',
    'There is no kubeconfig: not by --kubeconfig or KUBECONFIG, not at ~/.kube/config, and this is no pod of a cluster.',
    'kubectl config view shows what kubectl would use.',
  );
}

function contextOf(config: KubeConfig, files: readonly string[]): ReturnType<KubeConfig['getContexts']>[number] {
  const name = config.getCurrentContext();
  if (!name)
    throw refusal(
      'runtime-unreachable',
      `The kubeconfig (${files.join(', ')}) has no current context.`,
      'kubectl config use-context NAME, or --context NAME',
    );
  const context = config.getContextObject(name);
  if (context !== null) return context;
  const names = config.contexts.map((known) => known.name).join(', ');
  throw refusal(
    'target-not-found',
    `The kubeconfig has no context ${quote(name)}.`,
    `It has: ${names === '' ? 'none' : names}`,
  );
}

const headersSchema: v.GenericSchema<unknown, Headers> = v.nullish(
  v.record(v.string(), v.union([v.string(), v.array(v.string())])),
  {},
);

async function login(config: KubeConfig, server: string): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new HotexecError(
      {
        code: 'not-permitted',
        message: `The login of the kubeconfig for ${server} failed: ${why === '' ? 'it says nothing' : why}. Nothing was touched.`,
        hint: 'kubectl auth whoami logs in the same way.',
      },
      { cause: error },
    );
  }
  const { headers, ...tls } = options;
  return { tls, headers: v.parse(headersSchema, headers) };
}

function withGroups({ tls, headers }: Credentials, groups: readonly string[]): Credentials {
  if (groups.length === 0) return { tls, headers };
  return { tls, headers: { ...headers, 'Impersonate-Group': [...groups] } };
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function refusal(
  code: 'usage' | 'target-not-found' | 'runtime-unreachable',
  message: string,
  hint: string | null = null,
): HotexecError {
  return new HotexecError({ code, message, hint });
}

// The certificates of a cluster and a kubeconfig for each of its parts, made by openssl; all of them die with the cluster.
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { apiAddress, apiPort, kubeconfigPath, nodeName, runDirectory } from './places.ts';

const execute = promisify(execFile);
const directory = join(runDirectory, 'certificates');

/** `NAME.crt`, `NAME.key`; `service-accounts.pub` too. */
export function certificate(file: string): string {
  return join(directory, file);
}

export type User = 'admin' | 'controller-manager' | 'scheduler' | 'kubelet';

/** Of the user with that certificate. */
export function kubeconfigOf(user: User): string {
  return user === 'admin' ? kubeconfigPath : join(directory, `${user}.kubeconfig`);
}

// What the API server takes for names and groups: RBAC knows them.
const subjects: Readonly<Record<User, string>> = {
  admin: '/O=system:masters/CN=hotexec-test-admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: `/O=system:nodes/CN=system:node:${nodeName}`,
};

export async function makeCertificates(): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await makeAuthority();
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map(
    (name) => `DNS:${name}`,
  );
  const serving = [...names, `IP:${apiAddress}`, 'IP:127.0.0.1'].join(',');
  const users = Object.keys(subjects) as User[];
  await Promise.all([
    makeCertificate('api-server', '/CN=kube-apiserver', ['extendedKeyUsage=serverAuth', `subjectAltName=${serving}`]),
    makeCertificate('api-server-to-kubelet', '/O=system:masters/CN=kube-apiserver-kubelet-client', forClients),
    makeServiceAccountKeys(),
    ...users.map(async (user) => {
      await makeCertificate(user, subjects[user], forClients);
      await writeFile(kubeconfigOf(user), await kubeconfig(user), { mode: 0o600 });
    }),
  ]);
}

const forClients = ['extendedKeyUsage=clientAuth'];
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'];

async function makeAuthority(): Promise<void> {
  const added = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,digitalSignature'];
  const extensions = added.flatMap((extension) => ['-addext', extension]);
  const out = ['-keyout', certificate('ca.key'), '-out', certificate('ca.crt')];
  await openssl('req', '-x509', ...newKey, '-subj', '/CN=hotexec-test', ...extensions, ...out);
}

async function makeCertificate(name: string, subject: string, extensions: readonly string[]): Promise<void> {
  const added = ['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((extension) => ['-addext', extension]);
  const authority = ['-CA', certificate('ca.crt'), '-CAkey', certificate('ca.key')];
  const out = ['-keyout', certificate(`${name}.key`), '-out', certificate(`${name}.crt`)];
  await openssl('req', '-x509', ...authority, ...newKey, '-subj', subject, ...added, ...out);
}

async function makeServiceAccountKeys(): Promise<void> {
  const [key, publicKey] = [certificate('service-accounts.key'), certificate('service-accounts.pub')];
  await openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', key);
  await openssl('pkey', '-in', key, '-pubout', '-out', publicKey);
}

// Without the machine's configuration: it may add extensions that are named here too.
async function openssl(...args: readonly string[]): Promise<void> {
  await execute('openssl', args, { env: { ...process.env, OPENSSL_CONF: '/dev/null' } });
}

// JSON is YAML.
async function kubeconfig(user: User): Promise<string> {
  const cluster = {
    server: `https://${apiAddress}:${apiPort}`,
    'certificate-authority-data': await base64('ca.crt'),
  };
  const credentials = {
    'client-certificate-data': await base64(`${user}.crt`),
    'client-key-data': await base64(`${user}.key`),
  };
  const name = 'hotexec-test';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  });
}

async function base64(file: string): Promise<string> {
  return (await readFile(certificate(file))).toString('base64');
}

// kubectl, as a user runs it, with the administrator's kubeconfig of the cluster.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { kubeconfigPath, programsDirectory, runDirectory } from './machine/places.ts';

const maxBuffer = 64 * 1024 * 1024;
const timeoutMs = 180_000;

const kubectlCommand = join(programsDirectory, 'kubectl');

/** For other programs that talk to the cluster. kubectl keeps what it has learned of the API with the cluster. */
export const clusterEnvironment: Readonly<Record<string, string>> = {
  KUBECONFIG: kubeconfigPath,
  KUBECACHEDIR: join(runDirectory, 'kubectl-cache'),
};

export interface KubectlRun {
  /** Null: it was ended by a signal, as after three minutes. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Standard output without the last line break; a failure carries the command and what it wrote to stderr. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  return succeeded(args, await runKubectl(args));
}

/** `input` on its standard input. */
export async function kubectlWithInput(args: readonly string[], input: string | Buffer): Promise<string> {
  return succeeded(args, await runKubectl(args, input));
}

/** Never rejects for an exit code: that is the answer. */
export async function runKubectl(args: readonly string[], input?: string | Buffer): Promise<KubectlRun> {
  const { promise, resolve, reject } = Promise.withResolvers<KubectlRun>();
  const options = { env: { ...process.env, ...clusterEnvironment }, maxBuffer, timeout: timeoutMs };
  const child = execFile(kubectlCommand, args, options, (error, stdout, stderr) => {
    if (error !== null && typeof error.code === 'string') reject(error);
    else resolve({ exitCode: child.exitCode, stdout, stderr });
  });
  // Its own words count when it gives up before it has read all.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return await promise;
}

function succeeded(args: readonly string[], { exitCode, stdout, stderr }: KubectlRun): string {
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout.trimEnd();
}

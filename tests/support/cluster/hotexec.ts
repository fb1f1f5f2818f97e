// hotexec as a user of the cluster runs it: bin/hotexec with the cluster's kubeconfig, and the agent's image of this checkout.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { imageArchive } from '../../../deploy/archive.ts';
import { partsFor } from '../../../deploy/parts.ts';
import { hotexecLayer, imageConfig, nodeLayer } from '../../../deploy/root.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { hotexecCommand, type HotexecRun } from '../docker/hotexec.ts';
import { importImage, isKnown } from './image.ts';
import { clusterEnvironment } from './kubectl.ts';

let image: Promise<string> | undefined;

/** Imported unless this very image is there. */
export async function clusterAgentImage(): Promise<string> {
  return await (image ??= load());
}

async function load(): Promise<string> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layers = [nodeLayer(partsFor(architecture)), hotexecLayer()];
  const hash = createHash('sha256').update(JSON.stringify(imageConfig));
  for (const { path, mode, read } of layers.flat()) hash.update(`${path} ${mode}`).update((await read?.()) ?? '');
  const reference = `localhost/hotexec-test/agent:${hash.digest('hex').slice(0, 16)}`;
  if (await isKnown(reference)) return reference;
  const { version } = manifest;
  const recipe = { reference, architecture, version, config: imageConfig, layers, compress: false } as const;
  const { tar } = await imageArchive(recipe);
  await importImage(reference, tar);
  return reference;
}

async function environment(): Promise<NodeJS.ProcessEnv> {
  return { ...process.env, ...clusterEnvironment, HOTEXEC_AGENT_IMAGE: await clusterAgentImage() };
}

const timeoutMs = 120_000;
const maxBuffer = 64 * 1024 * 1024;

/** Never rejects for an exit code: that is the answer. */
export async function hotexecInCluster(namespace: string, ...args: readonly string[]): Promise<HotexecRun> {
  const { promise, resolve } = Promise.withResolvers<HotexecRun>();
  const [verb = '', ...rest] = args;
  const options = { env: await environment(), timeout: timeoutMs, maxBuffer };
  execFile(hotexecCommand, [verb, '--namespace', namespace, ...rest], options, (error, stdout, stderr) => {
    resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr });
  });
  return await promise;
}

/** The lines of `-o jsonl`, as they come; `onLine` is waited for. */
export async function hotexecLines(
  args: readonly string[],
  onLine: (line: Readonly<Record<string, unknown>>) => Promise<void> | void,
): Promise<number | null> {
  const child = spawn(hotexecCommand, [...args, '-o', 'jsonl'], {
    env: await environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: timeoutMs,
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  for await (const line of createInterface({ input: child.stdout })) {
    await onLine(JSON.parse(line) as Record<string, unknown>);
  }
  return await promise;
}

// The docker command, as a user runs it: DOCKER_HOST and contexts count.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** Standard output without the last line break; a failure carries the command and what it wrote to stderr. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute('docker', args, { maxBuffer });
  return stdout.trimEnd();
}

/** Both streams of the container in the order they were written. */
export async function dockerLogs(id: string): Promise<string> {
  const { stdout } = await execute('sh', ['-c', 'exec docker logs "$1" 2>&1', 'sh', id], { maxBuffer });
  return stdout;
}

export async function dockerWithInput(args: readonly string[], input: AsyncIterable<Buffer>): Promise<string> {
  const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  // Docker's own words come first: when it gives up, the write fails only as a consequence.
  const [written, [stdout, stderr]] = await Promise.all([outcome(pipeline(input, child.stdin)), ended]);
  if (child.exitCode !== 0) throw new Error(`docker ${args.join(' ')} failed: ${stderr}`, { cause: written.cause });
  if (written.cause !== undefined) throw new Error(`could not write to docker ${args.join(' ')}`, written);
  return stdout.trimEnd();
}

async function outcome(promise: Promise<void>): Promise<{ cause?: unknown }> {
  return await promise.then(
    () => ({}),
    (cause: unknown) => ({ cause }),
  );
}

export async function dockerAnswers(): Promise<boolean> {
  return await docker('version').then(
    () => true,
    () => false,
  );
}

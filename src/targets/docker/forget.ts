// Records of containers that Docker has removed: their programs' environments should not outlive them. Docker is asked for all its
// containers, stopped ones too, in one call; only records that say they are Docker's are looked at.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { livingContainers } from '../../procfs/living-containers.ts';
import { stateDirectory } from '../../protocol/state-directory.ts';
import { dockerGet } from './api.ts';
import { findDockerEndpoint } from './endpoint.ts';

export interface Forgetting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** `/proc`, but for tests. */
  readonly proc: string;
  readonly signal?: AbortSignal | undefined;
  /** At most once a day, unless there are many records: for a command that has no need of it itself. */
  readonly rarely?: boolean;
}

const stamp = '.docker-asked';
const dayMs = 24 * 3_600_000;
const many = 100;

/** Never fails: what stands against it waits until the next time. */
export async function forgetGoneContainers({ env, uid, proc, signal, rarely = false }: Forgetting): Promise<void> {
  try {
    const directory = stateDirectory(env, uid);
    // The record's container was there before the record: read before Docker is asked, none can be too new to be listed.
    const ids = recordedIds(directory);
    if (ids.length === 0 || (rarely && ids.length < many && wasAskedToday(directory))) return;
    const known = await knownIds({ env, signal });
    const missing = ids.filter((id) => !known.has(id));
    // Another daemon on this machine may have it.
    const living = missing.length === 0 ? new Set<string>() : livingContainers(proc);
    for (const id of missing) if (!living.has(id)) forget(directory, id);
    writeFileSync(join(directory, stamp), '', { mode: 0o600 });
  } catch {
    // No record yet, or Docker does not answer.
  }
}

const record = v.object({ container: v.object({ runtime: v.literal('docker') }) });

function recordedIds(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const id = /^([\da-f]{64})\.json$/.exec(name)?.[1];
    return id !== undefined && v.is(record, parseFile(join(directory, name))) ? [id] : [];
  });
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // the engine sets it aside when it needs it
  }
}

function wasAskedToday(directory: string): boolean {
  const last = statSync(join(directory, stamp), { throwIfNoEntry: false });
  return last !== undefined && Date.now() - last.mtimeMs < dayMs;
}

const containerList = v.array(v.object({ Id: v.string() }));

async function knownIds({ env, signal }: Pick<Forgetting, 'env' | 'signal'>): Promise<ReadonlySet<string>> {
  const { status, body } = await dockerGet('/containers/json?all=1', { endpoint: findDockerEndpoint(env), signal });
  if (status !== 200) throw new Error(`Docker answers ${status}`);
  return new Set(v.parse(containerList, body).map(({ Id }) => Id));
}

function forget(directory: string, id: string): void {
  for (const ending of ['json', 'json.set-aside']) rmSync(join(directory, `${id}.${ending}`), { force: true });
}

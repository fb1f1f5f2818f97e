// The files that a request names, as they are sent to an agent: each content once, by its digest; modes and links as they are here. What a
// source may be is what the engine takes too (src/engine/files/source.ts).
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HotexecError } from '../errors.ts';
import type { AgentAsked, Upload, UploadEntry } from '../protocol/agent.ts';

export interface PackedFile {
  /** One of those that have this content. */
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface Packed {
  readonly uploads: readonly Upload[];
  /** By digest. */
  readonly files: ReadonlyMap<string, PackedFile>;
}

/** Read at once: a turn through Node's threads takes longer than the reading. */
const smallBytes = 256 * 1024;
/** As many as the engine would bring. */
const mostFiles = 10_000;

/** Reads all of them. Throws usage or file-refused. */
export async function pack(asked: AgentAsked): Promise<Packed> {
  const packing = new Packing();
  for (const source of sourcesOf(asked)) await packing.add(source);
  return packing;
}

function sourcesOf(asked: AgentAsked): ReadonlySet<string> {
  if (asked.kind !== 'restart' && asked.kind !== 'plan') return new Set();
  const { replacement, files } = asked.program;
  return new Set([...(replacement === null ? [] : [replacement.source]), ...files.map(({ source }) => source)]);
}

class Packing implements Packed {
  readonly uploads: Upload[] = [];
  readonly files = new Map<string, PackedFile>();
  #count = 0;

  async add(source: string): Promise<void> {
    // What the user names stands for what it leads to; inside of a directory a link stays a link.
    const found = await look(source, stat(source));
    this.uploads.push({ source, entry: await this.#pack(source, found) });
  }

  async #pack(path: string, found: Awaited<ReturnType<typeof stat>>): Promise<UploadEntry> {
    this.#count += 1;
    if (this.#count > mostFiles) throw tooMany();
    const [name, mode] = [basename(path), Number(found.mode) & 0o7777];
    if (found.isSymbolicLink())
      return { kind: 'link', name, target: asText(path, await look(path, readlink(path, 'buffer'))) };
    if (found.isFile()) return { kind: 'file', name, mode, digest: await this.#digest(path, Number(found.size)) };
    if (!found.isDirectory()) throw unusable(path, 'is neither a file nor a directory');
    const entries: UploadEntry[] = [];
    const names = (await look(path, readdir(path, 'buffer'))).map((bytes) => asText(path, bytes));
    for (const inner of names.toSorted()) {
      const entry = join(path, inner);
      entries.push(await this.#pack(entry, await look(entry, lstat(entry))));
    }
    return { kind: 'directory', name, mode, entries };
  }

  async #digest(path: string, expectedBytes: number): Promise<string> {
    const hash = createHash('sha256');
    let sizeBytes: number;
    if (expectedBytes <= smallBytes) {
      const content = lookNow(path, () => readFileSync(path));
      hash.update(content);
      sizeBytes = content.length;
    } else {
      const content = createReadStream(path);
      await look(path, pipeline(content, hash));
      sizeBytes = content.bytesRead;
    }
    const digest = hash.digest('hex');
    if (!this.files.has(digest)) this.files.set(digest, { path, digest, sizeBytes });
    return digest;
  }
}

function lookNow<Answer>(path: string, read: () => Answer): Answer {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function look<Answer>(path: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): HotexecError {
  return unusable(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}

function asText(path: string, bytes: Buffer): string {
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return text;
  throw unusable(path, `has a name in it that is not UTF-8 (${text})`);
}

function unusable(path: string, why: string): HotexecError {
  return new HotexecError({
    code: 'usage',
    message: `${path} ${why}. Nothing was touched.`,
    hint: 'name a file or directory that can be read where hotexec runs',
  });
}

function tooMany(): HotexecError {
  return new HotexecError({
    code: 'file-refused',
    message: `More than ${mostFiles} files and directories would have to be written. Nothing was touched.`,
    hint: 'copy fewer, or an archive of them (a jar, a zip) as one file',
  });
}

// Programs made of words (tests/fixtures/kernel/sockets.c), one in the place of another, and who talks to them.
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { compile } from './compile.ts';
import { expectLetGo } from './drained.ts';
import { tryProgram, type Trial } from './probation.ts';
import { start, type Target } from './target.ts';

/** A sentence of words. */
function sockets(words: string): readonly string[] {
  return [compile('sockets'), ...words.split(/\s+/).filter((word) => word !== '')];
}

/** Its first program: it has said `started`. */
export async function startSockets(words: string): Promise<Target> {
  const [file = '', ...args] = sockets(words);
  return await start(file, args);
}

/** In the place of the first: another sentence, or the same again. It has said `started` too. */
export async function takeOver(target: Target, words: string | null, trial: Trial = {}): Promise<RestartResult> {
  const result = await tryTakeOver(target, words, trial);
  expect(result).toMatchObject({ outcome: 'restarted', error: null });
  await target.line(/^started 1/);
  expectLetGo(target.pid, /^(socket:|pipe:|\/dev\/null)/);
  return result;
}

/** However that ends. */
export async function tryTakeOver(target: Target, words: string | null, trial: Trial = {}): Promise<RestartResult> {
  const command = words === null ? {} : { command: sockets(words) };
  return await tryProgram(target.pid, { ...command, env: [['GENERATION', '1']], ...trial });
}

/** What it said in one program: from behind one `begins` to `started`. */
export function said(target: Target, generation: number): readonly string[] {
  const from = target.lines.findLastIndex((line) => line === `begins ${generation}`);
  const until = target.lines.findLastIndex((line) => line === `started ${generation}`);
  return target.lines.slice(from + 1, until);
}

/** An address of the loopback network that no other test run uses. */
export const ourAddress: string = `127.${10 + (process.pid >> 16)}.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;

/** A client that has connected and waits for what it is told. */
export class Client {
  readonly socket: Socket;
  readonly #answer: Promise<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => (text += more));
    this.#answer = once(socket, 'close').then(() => text.trim());
    onTestFinished(() => void socket.destroy());
  }

  static async connect(where: NetConnectOpts): Promise<Client> {
    const socket = createConnection(where);
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** All that it was told. */
  async answer(): Promise<string> {
    return await this.#answer;
  }
}

export async function ask(where: NetConnectOpts): Promise<string> {
  return await (await Client.connect(where)).answer();
}

export async function askByDatagram(address: string, port: number): Promise<string> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  onTestFinished(() => void socket.close());
  socket.send('who?', port, address);
  const [message] = (await once(socket, 'message')) as [Buffer];
  return message.toString().trim();
}

/** Kinds of its mappings, in their order: what a scratch mapping that was left would change. */
export function mappings(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .map((line) => line.replace(/^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \S+ */, '$1 '));
}

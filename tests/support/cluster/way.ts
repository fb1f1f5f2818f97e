// The way from a command to the API server, by a small TCP proxy: it can be cut and closed, and counts what goes along.
import { writeFileSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { tempDirectory } from '../temp.ts';
import { apiAddress, apiPort, kubeconfigPath } from './machine/places.ts';

export class Way implements AsyncDisposable {
  /** Of the administrator; it leads here. */
  readonly kubeconfig: string;
  /** From the command to the API server, all connections together. */
  sentBytes = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isClosed = false;
  #cutAtBytes = Number.POSITIVE_INFINITY;

  private constructor(server: Server, kubeconfig: string) {
    this.#server = server;
    this.kubeconfig = kubeconfig;
    server.on('connection', (near) => this.#connect(near));
  }

  static async open(): Promise<Way> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const file = join(tempDirectory(), 'kubeconfig');
    const text = readFileSync(kubeconfigPath, 'utf8');
    writeFileSync(file, text.replaceAll(`${apiAddress}:${apiPort}`, `127.0.0.1:${port}`), { mode: 0o600 });
    return new Way(server, file);
  }

  /** All connections, at once and without a word; new ones can be made. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  /** The same, and nobody comes through any more. */
  close(): void {
    this.#isClosed = true;
    this.cut();
  }

  /** Once, as soon as so much was sent. */
  cutAt(bytes: number): void {
    this.#cutAtBytes = bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(near: Socket): void {
    if (this.#isClosed) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(apiPort, apiAddress);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(from);
      from.on('error', () => {});
      from.once('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    near.on('data', (chunk: Buffer) => {
      this.sentBytes += chunk.length;
      if (this.sentBytes < this.#cutAtBytes) return;
      this.#cutAtBytes = Number.POSITIVE_INFINITY;
      this.cut();
    });
  }
}

// A client for one exchange: each on a connection of its own, which is closed afterwards.
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const timeoutMs = 5_000;

export async function httpGet(address: string, port: number, path = '/'): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asking = request({ host: address, port, path, agent: false, timeout: timeoutMs });
  asking.on('timeout', () => asking.destroy(new Error(`no answer from ${address}:${port} in ${timeoutMs} ms`)));
  asking.on('error', reject);
  asking.on('response', (response) => {
    if (response.statusCode === 200) resolve(text(response));
    else asking.destroy(new Error(`${address}:${port}${path} answered ${response.statusCode}`));
  });
  asking.end();
  return await promise;
}

/** What comes back first after `bytes` were sent. */
export async function tcpExchange(address: string, port: number, bytes: string | Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = connect(port, address)
    .setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer from ${address}:${port} in ${timeoutMs} ms`)))
    .on('error', reject)
    .on('data', resolve)
    .on('close', () => reject(new Error(`${address}:${port} closed the connection without a word`)))
    .on('connect', () => socket.write(bytes));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

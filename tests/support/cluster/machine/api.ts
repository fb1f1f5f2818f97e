// One GET of the API as the administrator, for those who wait: a kubectl costs 60 ms of CPU, this 2.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { certificate } from './certificates.ts';
import { apiAddress, apiPort } from './places.ts';

const timeoutMs = 5_000;

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when nobody answers. */
export async function apiGet(path: string): Promise<ApiAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
  const asking = request({
    host: apiAddress,
    port: apiPort,
    path,
    agent: false,
    timeout: timeoutMs,
    ca: readFileSync(certificate('ca.crt')),
    cert: readFileSync(certificate('admin.crt')),
    key: readFileSync(certificate('admin.key')),
  });
  asking.on('timeout', () => asking.destroy(new Error(`no answer to ${path} in ${timeoutMs} ms`)));
  asking.on('error', reject);
  asking.on('response', (response) => {
    text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  });
  asking.end();
  return await promise;
}

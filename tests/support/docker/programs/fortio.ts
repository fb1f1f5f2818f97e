// A static Go program, alone in its image, on four ports.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { findCommand } from '../find-command.ts';
import type { Program } from '../program.ts';
import { hostFile } from '../rootfs.ts';
import { httpGet, tcpExchange } from '../talk.ts';

const http2Preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0';

export const fortio: Program = {
  name: 'fortio',
  needs: [{ command: 'fortio' }],
  recipe: async () => ({
    name: 'fortio',
    files: [await hostFile(await findCommand('fortio'), '/fortio')],
    entrypoint: ['/fortio', 'server'],
  }),
  async ask({ address }) {
    assert.match((await tcpExchange(address, 8081, 'GET / HTTP/1.0\r\n\r\n')).toString(), /^HTTP\/1\.\d 30/);
    assert.equal((await tcpExchange(address, 8078, 'echo me')).toString(), 'echo me');
    const frame = await tcpExchange(address, 8079, http2Preface);
    assert.equal(frame[3], 4, 'the gRPC port answers with a SETTINGS frame');
    return (await markOf(address)) ?? (await mark(address));
  },
  logLine: /servers started!/,
  children: [],
  readOnlyFlags: [],
  isDeterministic: false,
};

// It has no number of its own for a run. So the first question leaves a mark in its memory, which the next run has lost.
async function markOf(address: string): Promise<string | undefined> {
  const flags = await httpGet(address, 8080, '/fortio/flags');
  return /"header=Run:([^"]+)"/.exec(flags)?.[1];
}

async function mark(address: string): Promise<string> {
  const value = randomUUID();
  const setting = `name=echo-server-default-params&value=header%3DRun:${value}`;
  await httpGet(address, 8080, `/fortio/flags/set?${setting}`);
  return value;
}

// The runtime's socket when nobody, nothing or the wrong one is there. tests/containers/containerd.test.ts asks a real one.
import { once } from 'node:events';
import { createServer as createHttp2, constants } from 'node:http2';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRuntime } from '../../../src/targets/runtime/api.ts';
import { resolve } from '../../../src/targets/resolve.ts';
import { tempDirectory } from '../../support/temp.ts';

describe('a runtime that does not answer', () => {
  it('is missed by name', async () => {
    const path = join(tempDirectory(), 'none.sock');
    await expect(asked(path)).rejects.toMatchObject({
      code: 'runtime-unreachable',
      message: `No container runtime is at unix://${path} (from CONTAINER_RUNTIME_ENDPOINT): there is no such socket. Nothing was touched.`,
    });
  });

  it('is told from one that does not speak gRPC', async () => {
    const path = await listening(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await expect(asked(path)).rejects.toMatchObject({ code: 'runtime-unreachable' });
  });

  it('is not waited for when the command is cancelled', async () => {
    const path = await listening(createServer((socket) => void socket.on('error', () => {})));
    const signal = AbortSignal.timeout(50);
    await expect(asked(path, signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('may be a containerd without CRI: the way out is said', async () => {
    const server = createHttp2();
    server.on('stream', (stream) => {
      stream.respond(
        { [constants.HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
        { endStream: true },
      );
    });
    const path = await listening(server);
    await expect(asked(path)).rejects.toMatchObject({
      code: 'runtime-unreachable',
      hint: expect.stringContaining('disabled_plugins') as string,
    });
  });

  it('leaves nothing open', async () => {
    const path = join(tempDirectory(), 'none.sock');
    using api = await openRuntime({ path, source: null }, undefined);
    await expect(api.version()).rejects.toMatchObject({ code: 'runtime-unreachable' });
  });
});

async function asked(path: string, signal?: AbortSignal): Promise<unknown> {
  const env = { CONTAINER_RUNTIME_ENDPOINT: `unix://${path}` };
  return await resolve({ kind: 'cri', id: '4f5a' }, { env, proc: '/proc', signal });
}

async function listening(server: Pick<Server, 'listen' | 'close'> & NodeJS.EventEmitter): Promise<string> {
  const path = join(tempDirectory(), 'runtime.sock');
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return path;
}

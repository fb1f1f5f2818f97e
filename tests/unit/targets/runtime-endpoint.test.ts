import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerdEndpoints, criEndpoints } from '../../../src/targets/runtime/endpoint.ts';
import { tempDirectory } from '../../support/temp.ts';

/** An environment in which crictl was told this. */
function crictl(text: string): Readonly<Record<string, string>> {
  const file = join(tempDirectory(), 'crictl.yaml');
  writeFileSync(file, text);
  return { CRI_CONFIG_FILE: file };
}

describe('the socket of the container runtime', () => {
  it('is the one that is given, then of CONTAINER_RUNTIME_ENDPOINT, then of crictl', () => {
    const config = crictl('timeout: 10\nruntime-endpoint: unix:///run/c.sock\n');
    const env = { ...config, CONTAINER_RUNTIME_ENDPOINT: 'unix:///run/b.sock' };
    expect(criEndpoints('/run/a.sock', env)).toEqual([{ path: '/run/a.sock', source: '--runtime-endpoint' }]);
    expect(criEndpoints(null, env)).toEqual([{ path: '/run/b.sock', source: 'CONTAINER_RUNTIME_ENDPOINT' }]);
    expect(criEndpoints(null, config)).toEqual([{ path: '/run/c.sock', source: config['CRI_CONFIG_FILE'] }]);
  });

  it.each([
    'runtime-endpoint: "unix:///run/c.sock"\n',
    "runtime-endpoint: 'unix:///run/c.sock' # ours\n",
    '# runtime-endpoint: unix:///run/no.sock\nruntime-endpoint:   /run/c.sock\nimage-endpoint: ""\n',
  ])('is read from crictl.yaml: %j', (text) => {
    expect(criEndpoints(null, crictl(text))).toMatchObject([{ path: '/run/c.sock' }]);
  });

  it('of containerd itself is where ctr would look', () => {
    const env = { CONTAINERD_ADDRESS: '/run/d.sock', CONTAINER_RUNTIME_ENDPOINT: 'unix:///run/crio/crio.sock' };
    expect(containerdEndpoints(null, env)).toEqual([{ path: '/run/d.sock', source: 'CONTAINERD_ADDRESS' }]);
    expect(criEndpoints(null, env)).toMatchObject([{ path: '/run/crio/crio.sock' }]);
  });

  it.each(['tcp://10.0.0.1:1234', 'npipe:////./pipe/x', 'containerd.sock'])('is none of another kind: %s', (text) => {
    expect(() => criEndpoints(null, { CONTAINER_RUNTIME_ENDPOINT: text })).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `CONTAINER_RUNTIME_ENDPOINT ${JSON.stringify(text)} is no address of a runtime on this machine.`,
      }) as Error,
    );
  });
});

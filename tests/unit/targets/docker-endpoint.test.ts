import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDockerEndpoint } from '../../../src/targets/docker/endpoint.ts';
import { tempDirectory } from '../../support/temp.ts';

describe("where Docker's daemon is looked for", () => {
  it('is the usual socket without any configuration', () => {
    expect(findDockerEndpoint({ HOME: tempDirectory() })).toEqual({ kind: 'unix', path: '/var/run/docker.sock' });
  });

  it('is DOCKER_HOST before all else', () => {
    const config = dockerConfig({ currentContext: 'rootless' });
    const env = { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'rootless', DOCKER_HOST: 'unix:///tmp/d.sock' };
    expect(findDockerEndpoint(env)).toEqual({ kind: 'unix', path: '/tmp/d.sock' });
  });

  it('is DOCKER_CONTEXT before the current context', () => {
    const config = dockerConfig({ currentContext: 'missing' });
    expect(findDockerEndpoint({ DOCKER_CONFIG: config, DOCKER_CONTEXT: 'rootless' })).toEqual({
      kind: 'unix',
      path: '/run/user/1000/docker.sock',
    });
  });

  it('is the current context of config.json, in HOME/.docker', () => {
    const home = tempDirectory();
    dockerConfig({ currentContext: 'rootless' }, join(home, '.docker'));
    expect(findDockerEndpoint({ HOME: home })).toEqual({ kind: 'unix', path: '/run/user/1000/docker.sock' });
  });

  it('is the usual socket for the context named default, and for empty variables', () => {
    const env = { DOCKER_CONFIG: dockerConfig({}), DOCKER_CONTEXT: 'default', DOCKER_HOST: '' };
    expect(findDockerEndpoint(env)).toEqual({ kind: 'unix', path: '/var/run/docker.sock' });
  });

  it('may be TCP, without and with TLS', () => {
    const config = dockerConfig({});
    writeFileSync(join(config, 'ca.pem'), 'CA');
    const env = { DOCKER_CONFIG: config, DOCKER_HOST: 'tcp://10.0.0.7' };
    expect(findDockerEndpoint(env)).toEqual({ kind: 'tcp', host: '10.0.0.7', port: 2375, tls: null });
    expect(findDockerEndpoint({ ...env, DOCKER_TLS_VERIFY: '1' })).toEqual({
      kind: 'tcp',
      host: '10.0.0.7',
      port: 2376,
      tls: { ca: Buffer.from('CA'), cert: undefined, key: undefined, verify: true },
    });
  });

  it('cannot be another machine over ssh', () => {
    expect(() => findDockerEndpoint({ DOCKER_HOST: 'ssh://ops@build7' })).toThrow(
      expect.objectContaining({
        code: 'runtime-unreachable',
        message:
          'DOCKER_HOST leads over ssh to build7, and hotexec works on the machine of the container. Nothing was touched.',
        hint: 'ssh build7 hotexec …',
      }) as Error,
    );
  });

  it.each(['npipe:////./pipe/docker', 'nonsense', 'fd://'])('cannot be %s', (host) => {
    expect(() => findDockerEndpoint({ DOCKER_HOST: host })).toThrow(/hotexec knows unix:\/\/ and tcp:\/\//);
  });

  it('names a context that does not exist', () => {
    expect(() => findDockerEndpoint({ DOCKER_CONFIG: dockerConfig({}), DOCKER_CONTEXT: 'prod' })).toThrow(
      expect.objectContaining({ code: 'target-not-found', hint: 'docker context ls lists them.' }) as Error,
    );
  });

  it('names a configuration that cannot be understood', () => {
    const config = dockerConfig({});
    writeFileSync(join(config, 'config.json'), '{"currentContext": 7}');
    expect(() => findDockerEndpoint({ DOCKER_CONFIG: config })).toThrow(
      /config.json is not what the docker command writes/,
    );
  });
});

function dockerConfig(content: object, config = tempDirectory()): string {
  const name = createHash('sha256').update('rootless').digest('hex');
  const meta = join(config, 'contexts/meta', name);
  mkdirSync(meta, { recursive: true });
  writeFileSync(join(config, 'config.json'), JSON.stringify(content));
  const context = {
    Name: 'rootless',
    Metadata: { Description: 'Rootless mode' },
    Endpoints: { docker: { Host: 'unix:///run/user/1000/docker.sock', SkipTLSVerify: false } },
  };
  writeFileSync(join(meta, 'meta.json'), JSON.stringify(context));
  return config;
}

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify, type Identity } from '../../../src/targets/identity.ts';
import { parseOciSpec } from '../../../src/targets/oci-spec.ts';
import { resolve } from '../../../src/targets/resolve.ts';
import { ociConfig } from '../../support/bundle.ts';
import { writeProc, type FakeProcess } from '../../support/proc-tree.ts';
import { containerId } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

const otherId = 'ab'.repeat(32);
const spec = parseOciSpec(JSON.stringify(ociConfig));

describe('a container of Docker', () => {
  it('is known by its cgroup, and its spec is the bundle of the shim', () => {
    const { bundle, look } = machine({ shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4711 });
    expect(look()).toEqual({
      startTicks: 429_055,
      container: { id: containerId, runtime: 'docker' },
      spec,
    });
  });

  it('is known by its bundle where the cgroup does not tell', () => {
    const { bundle, look } = machine({ shim: `task/moby/${containerId}`, cgroup: '0::/' });
    writeBundle(bundle(containerId), { initPid: 4711 });
    expect(look()?.container).toEqual({ id: containerId, runtime: 'docker' });
  });

  it('has no spec for a process that was brought in by an exec', () => {
    const { bundle, look } = machine({ shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4600 });
    expect(look()).toMatchObject({ container: { id: containerId }, spec: null });
  });

  it('has no spec for what its first process has started', () => {
    const { proc, bundle } = machine({ shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4711 });
    writeProc(proc, [{ pid: 4750, comm: 'nginx', ppid: 4711, cgroup: `0::/system.slice/docker-${containerId}.scope` }]);
    expect(identify(4750, proc)).toMatchObject({ container: { id: containerId }, spec: null });
  });
});

describe('a container of a pod', () => {
  it('is found beside the bundle of the sandbox, in which its shim works', () => {
    const cgroup = `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${containerId}.scope`;
    const { bundle, look } = machine({ shim: `task/k8s.io/${otherId}`, cgroup });
    writeBundle(bundle(otherId), { initPid: 4000 });
    writeBundle(bundle(containerId), { initPid: 4711 });
    expect(look()).toMatchObject({ container: { id: containerId, runtime: 'containerd' }, spec });
  });
});

describe('a container of podman', () => {
  const cgroup = `0::/machine.slice/libpod-${containerId}.scope/container`;

  it('has its bundle in userdata, and no pid beside it: the first of its pid namespace counts', () => {
    const { bundle, look } = machine({
      comm: 'conmon',
      shim: `storage/${containerId}/userdata`,
      cgroup,
      nsPid: [4711, 1],
    });
    writeBundle(join(bundle(containerId), 'userdata'), {});
    expect(look()).toMatchObject({ container: { id: containerId, runtime: 'podman' }, spec });
  });

  it('gives no spec to another process of it', () => {
    const { bundle, look } = machine({
      comm: 'conmon',
      shim: `storage/${containerId}/userdata`,
      cgroup,
      nsPid: [4711, 7],
    });
    writeBundle(join(bundle(containerId), 'userdata'), {});
    expect(look()?.spec).toBeNull();
  });
});

describe('a bundle is not believed', () => {
  it('when others may write to it', () => {
    const { bundle, look } = machine({ shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4711 });
    chmodSync(join(bundle(containerId), 'config.json'), 0o666);
    expect(look()).toMatchObject({ container: { id: containerId }, spec: null });
  });

  it('when a symbolic link leads to it', () => {
    const { bundle, look } = machine({ shim: `task/k8s.io/${otherId}` });
    const elsewhere = join(tempDirectory(), containerId);
    writeBundle(elsewhere, { initPid: 4711 });
    mkdirSync(bundle(otherId), { recursive: true });
    symlinkSync(elsewhere, bundle(containerId));
    expect(look()?.spec).toBeNull();
  });

  it('when it is no spec', () => {
    const { bundle, look } = machine({ shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4711, text: '{"process": 7}' });
    expect(look()?.spec).toBeNull();
  });

  it('when the parent is no shim', () => {
    const { bundle, look } = machine({ comm: 'bash', shim: `task/moby/${containerId}` });
    writeBundle(bundle(containerId), { initPid: 4711 });
    expect(look()?.spec).toBeNull();
  });
});

describe('a bare process', () => {
  it('has neither container nor spec', async () => {
    const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'redis) S (', ppid: 1, startTicks: 9 }]);
    expect(await resolve({ kind: 'pid', pid: 77 }, { env: {}, proc })).toEqual({
      name: 'pid/77',
      pid: 77,
      startTicks: 9,
      container: null,
      spec: null,
    });
  });

  it('that is not there is said to be not there', async () => {
    const proc = writeProc(tempDirectory(), []);
    await expect(resolve({ kind: 'pid', pid: 77 }, { env: {}, proc })).rejects.toMatchObject({
      code: 'target-not-found',
      exitCode: 5,
    });
  });
});

interface Setting {
  /** The working directory of the shim, below a temporary one. */
  readonly shim: string;
  readonly comm?: string;
  readonly cgroup?: string;
  readonly nsPid?: readonly number[];
}

interface FakeMachine {
  readonly proc: string;
  readonly bundle: (id: string) => string;
  readonly look: () => Identity | null;
}

function machine(setting: Setting): FakeMachine {
  const {
    comm = 'containerd-shim',
    cgroup = `0::/system.slice/docker-${containerId}.scope`,
    nsPid = [4711, 1],
  } = setting;
  const root = tempDirectory();
  const cwd = join(root, setting.shim);
  const shim: FakeProcess = { pid: 4500, comm, ppid: 1, cwd };
  const init: FakeProcess = { pid: 4711, comm: 'nginx', ppid: 4500, startTicks: 429_055, cgroup, nsPid };
  const proc = writeProc(join(root, 'proc'), [shim, init]);
  const beside = cwd.endsWith('userdata') ? dirname(dirname(cwd)) : dirname(cwd);
  return { proc, bundle: (id) => join(beside, id), look: () => identify(4711, proc) };
}

interface BundleFiles {
  readonly initPid?: number;
  readonly text?: string;
}

function writeBundle(path: string, { initPid, text = JSON.stringify(ociConfig) }: BundleFiles): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), text, { mode: 0o600 });
  if (initPid !== undefined) writeFileSync(join(path, 'init.pid'), String(initPid));
}

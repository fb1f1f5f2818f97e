// Containers of nothing but one static program. Each goes with its image when its scope ends.
import { mkdtempSync, copyFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './programs.ts';

export interface StaticContainer extends Disposable {
  readonly name: string;
}

export function startBusybox(): StaticContainer {
  return startStatic('/bin/busybox', ['/busybox', 'httpd', '-f', '-p', '8080'], []);
}

/** bench/serve.c on a port of this machine. */
export function startServing(serve: string, port: number): StaticContainer {
  return startStatic(serve, ['/serve', String(port)], ['--network', 'host']);
}

function startStatic(program: string, command: readonly string[], flags: readonly string[]): StaticContainer {
  const name = `hotexec-bench-${process.pid}`;
  const file = basename(program);
  const directory = mkdtempSync(join(tmpdir(), 'hotexec-bench-'));
  try {
    copyFileSync(program, join(directory, file));
    run('tar', '-C', directory, '-cf', join(directory, 'image.tar'), file);
    run('docker', 'import', '--change', `CMD ${JSON.stringify(command)}`, join(directory, 'image.tar'), name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const container = {
    name,
    [Symbol.dispose]: (): void => {
      run('docker', 'rm', '--force', '--volumes', name);
      run('docker', 'image', 'rm', '--force', name);
    },
  };
  try {
    run('docker', 'run', '--detach', '--name', name, ...flags, name);
    return container;
  } catch (error) {
    container[Symbol.dispose]();
    throw error;
  }
}

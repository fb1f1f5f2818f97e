// A container of nothing but a static busybox, which serves its empty root directory. It goes with its image when its scope ends.
import { mkdtempSync, copyFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './programs.ts';

export interface BusyboxContainer extends Disposable {
  readonly name: string;
}

export function startBusybox(): BusyboxContainer {
  const name = `hotexec-bench-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), 'hotexec-bench-'));
  try {
    copyFileSync('/bin/busybox', join(directory, 'busybox'));
    run('tar', '-C', directory, '-cf', join(directory, 'image.tar'), 'busybox');
    run(
      'docker',
      'import',
      '--change',
      'CMD ["/busybox","httpd","-f","-p","8080"]',
      join(directory, 'image.tar'),
      name,
    );
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
    run('docker', 'run', '--detach', '--name', name, name);
    return container;
  } catch (error) {
    container[Symbol.dispose]();
    throw error;
  }
}

// What the kubelet sets in this machine's kernel: remembered before, put back after.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDirectory } from './places.ts';

const names = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];
const file = join(runDirectory, 'kernel-settings.json');

export function rememberKernelSettings(): void {
  if (existsSync(file)) return;
  const values = names.filter((name) => existsSync(path(name))).map((name) => [name, readFileSync(path(name), 'utf8')]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(values)));
}

export function restoreKernelSettings(): void {
  if (!existsSync(file)) return;
  const remembered = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(remembered)) {
    if (readFileSync(path(name), 'utf8') !== value) writeFileSync(path(name), value);
  }
}

function path(name: string): string {
  return join('/proc/sys', name);
}

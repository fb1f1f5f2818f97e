// Loads the FFI addon (koffi) without its JavaScript front: process.dlopen of the addon takes 1.4-3 ms, require('koffi') 14 ms
// (measured, Node 24), and an engine is started for every request.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The part of koffi that hotexec uses. */
export interface Koffi {
  load(library: string | null): { func(prototype: string): NativeFunction };
  proto(name: null, result: string, args: readonly string[]): object;
  /** The function at an address. */
  decode(address: bigint, type: object): NativeFunction;
  view(address: bigint, sizeBytes: number): ArrayBuffer;
  errno(): number;
}

type NativeFunction = (...args: readonly (number | bigint)[]) => number | bigint;

/** The package that hotexec depends on, and the one of this machine's kind that it depends on, are looked for as require() would. */
export function loadKoffi(): Koffi {
  const { arch } = process;
  const folder = findPackage(`@koromix/koffi-linux-${arch}`, findPackage('koffi', import.meta.dirname));
  // The package holds a build for each libc; dlopen refuses the wrong one at once.
  try {
    return dlopen(join(folder, `linux_${arch}`, 'koffi.node'));
  } catch {
    return dlopen(join(folder, `musl_${arch}`, 'koffi.node'));
  }
}

/** By hand: require.resolve reads and checks what a package.json says of exports, 3 ms of an engine's start (measured, Node 24). */
function findPackage(name: string, from: string): string {
  const folder = join(from, 'node_modules', name);
  if (existsSync(folder)) return realpathSync(folder);
  const above = dirname(from);
  if (above === from) throw new Error(`hotexec is not complete: there is no package ${name}`);
  return findPackage(name, above);
}

function dlopen(path: string): Koffi {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, path);
  return loaded.exports as Koffi;
}

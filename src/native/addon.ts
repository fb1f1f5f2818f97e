// Loads the FFI addon (koffi) without its JavaScript front: process.dlopen of the addon takes 1.4-3 ms, require('koffi') 14 ms
// (measured, Node 24), and an engine is started for every request.
import { createRequire } from 'node:module';
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

export function loadKoffi(): Koffi {
  const require = createRequire(import.meta.url);
  const packageFile = `@koromix/koffi-linux-${process.arch}/package.json`;
  const folder = dirname(require.resolve(packageFile, { paths: [dirname(require.resolve('koffi'))] }));
  // The package holds a build for each libc; dlopen refuses the wrong one at once.
  try {
    return dlopen(join(folder, `linux_${process.arch}`, 'koffi.node'));
  } catch {
    return dlopen(join(folder, `musl_${process.arch}`, 'koffi.node'));
  }
}

function dlopen(path: string): Koffi {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, path);
  return loaded.exports as Koffi;
}

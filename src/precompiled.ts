// Runs a bundle from dist/chunks together with the V8 code cache that scripts/build.ts made of it. Not compiling is worth most where it
// hurts most: the JavaScript of a fresh engine's hold took 13 ms, half of it compilation, and takes 7.6 ms; a whole restart 102 and 77 ms
// (medians, Node 24). Node's own compile cache is no way: it is filled before anything has run, and lies in a directory that others know.
// A cache for another Node or other flags is refused by V8 without a word: then all is compiled as ever, only slower.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** What scripts/build.ts wraps a bundle in. All that it imports is built into Node. */
type Bundle = (
  module: { exports: unknown },
  require: (name: string) => object,
  /** Stands for import.meta.dirname. */
  directory: string,
) => void;

/** `name` is without its ending; it holds a hash of the code, since V8 compares no more than the length of it. Returns the exports. */
export function runPrecompiled(directory: string, name: string): unknown {
  const filename = join(directory, `${name}.cjs`);
  // Of ASCII alone, which the build makes sure of: no decoding.
  const source = readFileSync(filename, 'latin1');
  const script = new Script(source, { filename, cachedData: readFileSync(join(directory, `${name}.cache`)) });
  const module = { exports: {} };
  (script.runInThisContext() as Bundle)(module, requireBuiltIn, directory);
  return module.exports;
}

/** Throws as require() does: a library that could use another one asks for it and catches that. */
function requireBuiltIn(name: string): object {
  const found = process.getBuiltinModule(name);
  if (found === undefined) throw new Error(`Cannot find module '${name}'`);
  return found;
}

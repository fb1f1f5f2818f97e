// node FLAG... scripts/code-cache.ts BUNDLE CACHE: compiles all functions of a bundle for src/precompiled.ts. V8 takes a cache only with
// the flags it was made with, so this is run as what will load the bundle is run.
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [bundle = '', cache = ''] = process.argv.slice(2);
setFlagsFromString('--no-lazy');
const script = new Script(readFileSync(bundle, 'latin1'));
setFlagsFromString('--lazy');
writeFileSync(cache, script.createCachedData());

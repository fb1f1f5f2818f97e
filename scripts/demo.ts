// node scripts/demo.ts [ARG...]: bundles what is in src, then runs the demo as a user would.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), '--fast'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
const demo = spawnSync(join(root, 'bin/hotexec'), ['demo', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(demo.status ?? 130);

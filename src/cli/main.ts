// Where the command begins: the version and the agent's relay at once; else the engine is started, and the rest loaded while it boots.
import { basename } from 'node:path';
import { version } from './version.ts';

const argv = process.argv.slice(2);

if (argv[0] === '--version') {
  process.stdout.write(`hotexec ${version}\n`);
} else if (argv[0] === 'agent' && argv[1] === 'relay' && argv.length === 2) {
  const { runRelay } = await import('./relay.ts');
  await runRelay();
} else {
  const { runProcess } = await import('./process.ts');
  await runProcess({ argv, program: programOf(process.argv[1] ?? '') });
}

/** kubectl runs `kubectl-hotexec` for `kubectl hotexec`. */
function programOf(path: string): 'hotexec' | 'kubectl-hotexec' {
  return /^kubectl[-_]hotexec\b/.test(basename(path)) ? 'kubectl-hotexec' : 'hotexec';
}

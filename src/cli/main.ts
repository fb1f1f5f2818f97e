// Where the command begins: the version and the agent's relay at once; else the engine is started, and the rest loaded while it boots.
import { basename } from 'node:path';
import { version } from '../connect/version.ts';

void main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] === '--version') {
    process.stdout.write(`hotexec ${version}\n`);
  } else if (argv[0] === 'agent' && argv[1] === 'relay' && argv.length === 2) {
    const { runRelay } = await import('./relay.ts');
    await runRelay();
  } else {
    const called = { argv, ...calledAs(basename(process.argv[1] ?? '')) };
    const { startingAhead } = await import('./start-engine.ts');
    const startEngine = startingAhead(called);
    const { runProcess } = await import('./process.ts');
    await runProcess({ ...called, startEngine });
  }
}

interface Called {
  readonly program: 'hotexec' | 'kubectl-hotexec';
  readonly task: 'run' | 'complete';
}

/** kubectl runs `kubectl-hotexec` for `kubectl hotexec`, and `kubectl_complete-hotexec` to know what could be typed. */
function calledAs(name: string): Called {
  if (/^kubectl_complete-hotexec\b/.test(name)) return { program: 'kubectl-hotexec', task: 'complete' };
  return { program: /^kubectl[-_]hotexec\b/.test(name) ? 'kubectl-hotexec' : 'hotexec', task: 'run' };
}

import { expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

it.each([
  ['hotexec', ['-n', 'shop'], /--namespace is for a cluster.*kubectl hotexec/s],
  ['hotexec', ['--as', 'jane'], /--as is for a cluster/],
  ['hotexec', ['docker/web', '-n', 'shop'], /--namespace is for pods, and the target is none/],
  ['kubectl-hotexec', ['-l', 'app=web'], /--selector says more of a target, and none is named/],
  ['kubectl-hotexec', ['-c', 'app'], /--container says more of a target/],
  ['kubectl-hotexec', ['docker/web'], /is on a machine, and kubectl hotexec reaches what is in a cluster/],
  ['kubectl-hotexec', ['--as-group', 'team'], /--as-group is for a user that is impersonated/],
] as const)('%s doctor %j is refused before anything is looked at', async (program, words, says) => {
  const { exitCode, stdout, stderr } = await runCli(['doctor', ...words], { program });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

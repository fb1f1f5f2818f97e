// What `--help` says, as kubectl says it: what it does, then examples. docs/cli.md is made of the same.
import type { CommandText } from './help.ts';

const targets = `Targets:
  1234, pid/1234    a process of this machine
  docker/NAME       a Docker container, by name or id; Docker is found as the docker command finds it`;

const exitCodes = `Exit codes:
  0    restarted (plan: possible)         5    not allowed or not possible here; nothing was touched
  1    failed; the program runs on,       6    unknown; run hotexec inspect
       unchanged                          8    stopped by somebody else
  2    bad usage                          70   a bug in hotexec
  4    the process is gone                130  interrupted; the program runs on, unchanged`;

const root: CommandText = {
  about: [
    'Restart the main process of a running container in place.',
    'The process itself is made to call execve: the pid, the container, its namespaces, IP, volumes, log stream and restart count stay; only the program is new. Nothing has to be prepared in the image.',
  ],
  examples: [
    ['See it work on this machine', 'demo'],
    ['Restart the main process of a Docker container', 'restart docker/web'],
    ['Look first: what runs there, and can it be restarted?', 'inspect docker/web'],
  ],
  usage: 'COMMAND [flags]',
  more: [targets, exitCodes],
};

const restartExamples = (verb: string): CommandText['examples'] => [
  ['The same program again', `${verb} docker/web`],
  ['With a variable more, or one less', `${verb} docker/web --env LOG_LEVEL=debug --unset-env HTTP_PROXY`],
  ['Another command instead', `${verb} docker/web -- nginx -g 'daemon off;' -c /etc/nginx/test.conf`],
  ['A process by its pid, as JSON', `${verb} 1234 -o json`],
];

const restart: CommandText = {
  about: [
    "Restart a container's main process in place: the same program again, or COMMAND instead.",
    'Whatever can fail is tried before the old program is given up. If it fails, the old program runs on as if nothing had happened.',
  ],
  examples: [...restartExamples('restart'), ['Every step, and change nothing', 'restart docker/web --dry-run']],
  usage: 'TARGET [flags] [-- COMMAND [ARG...]]',
  more: [targets],
};

const planRestart: CommandText = {
  about: [
    'Show every step that a restart would take, with the very system calls, or why it is not possible. It changes nothing.',
  ],
  examples: restartExamples('plan restart'),
  usage: restart.usage,
  more: [targets],
};

const plan: CommandText = {
  about: ['Show every step that would be taken, and change nothing.'],
  examples: [['What a restart would do', 'plan restart docker/web']],
  usage: 'restart TARGET [flags] [-- COMMAND [ARG...]]',
};

const rollback: CommandText = {
  about: [
    'Go back to a program that ran in a container before, in place: its command, its environment, and the files that were changed since as they were then.',
    'hotexec writes down what it starts, for each container and only for the user who runs it. Without --to it goes back to the program before this one; going back is a new version, so it can be taken back in the same way.',
  ],
  examples: [
    ['Back to the previous program', 'rollback docker/web'],
    ['What ran there', 'rollback docker/web --list'],
    ['Back to one of them', 'rollback docker/web --to 2'],
    ['Every step, and change nothing', 'rollback docker/web --dry-run'],
  ],
  usage: 'TARGET [flags]',
  more: [targets],
};

const inspect: CommandText = {
  about: [
    'Show what runs in a container: program, memory layout, descriptors and sockets, threads, children, credentials, limits; and whether it can be restarted here. It only reads.',
  ],
  examples: [
    ['What runs there?', 'inspect docker/web'],
    ['For a script: can it be restarted?', 'inspect docker/web -o json | jq .verdict.possible'],
  ],
  usage: 'TARGET [flags]',
  more: [targets],
};

const doctor: CommandText = {
  about: ['Show what this machine allows, and for each no what to do about it. It changes nothing.'],
  examples: [
    ['This machine', 'doctor'],
    ['This machine, and one container on it', 'doctor docker/web'],
  ],
  usage: '[TARGET] [flags]',
  more: [targets],
};

const demo: CommandText = {
  about: [
    'Start a small HTTP server in a sandbox, restart it in place under requests, and compare before and after. It cleans up after itself.',
  ],
  examples: [['See it work', 'demo']],
  usage: '',
};

export const texts: Readonly<
  Record<'root' | 'restart' | 'rollback' | 'planRestart' | 'plan' | 'inspect' | 'doctor' | 'demo', CommandText>
> = {
  root,
  restart,
  rollback,
  planRestart,
  plan,
  inspect,
  doctor,
  demo,
};

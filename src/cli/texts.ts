// What `--help` says, as kubectl says it: what it does, then examples. docs/cli.md is made of the same.
import type { CommandText } from './help.ts';

const targets = `Targets:
  1234, pid/1234    a process of this machine
  docker/NAME       a Docker container, by name or id; Docker is found as the docker command finds it
  cri/ID            a container of a pod on this machine, by the beginning of its id
  containerd/ID     a container that only containerd knows, by the same
  pod/NAME          a container of a pod; with --local of a pod on this machine
  deployment/NAME, statefulset/NAME, daemonset/NAME, TYPE -l LABELS
                    the pods of a workload, or those with these labels
  hotexec ls lists the containers of this machine.`;

const targetsInCluster = `Targets:
  NAME, pod/NAME    a container of a pod
  deployment/NAME, statefulset/NAME, daemonset/NAME, TYPE -l LABELS
                    the pods of a workload, or those with these labels`;

const exitCodes = `Exit codes:
  0    restarted (plan: possible)         4    the process is gone
  1    failed; the program runs on,       5    not allowed or not possible here; nothing was touched
       unchanged                          6    unknown; run hotexec inspect
  2    bad usage                          7    of several pods some were restarted, some were not
  3    the new program failed; the        8    stopped by somebody else
       previous one runs again            70   a bug in hotexec
                                          130  interrupted; the program runs on, unchanged`;

const root: CommandText = {
  about: [
    'Restart or replace the main process of a running container in place.',
    'The process itself is made to call execve: the pid, the container, its namespaces, IP, volumes, log stream and restart count stay; only the program is new. Nothing has to be prepared in the image.',
  ],
  examples: [
    ['See it work on this machine', 'demo'],
    ['Restart the main process of a Docker container', 'restart docker/web'],
    ['Start a newly built file instead, and go back by itself if it fails', 'replace docker/web --with ./app'],
    ['Look first: what runs there, and can it be restarted?', 'inspect docker/web'],
  ],
  usage: 'COMMAND [flags]',
  more: [targets, exitCodes],
};

const restartExamples = (verb: string): CommandText['examples'] => [
  ['The same program again', `${verb} docker/web`],
  ['With a variable more, or one less', `${verb} docker/web --env LOG_LEVEL=debug --unset-env HTTP_PROXY`],
  ['Another command instead', `${verb} docker/web -- nginx -g 'daemon off;' -c /etc/nginx/test.conf`],
  ['With a new configuration file', `${verb} docker/web --copy ./nginx.conf:/etc/nginx/nginx.conf`],
  ['Finish with SIGQUIT, in a minute at most', `${verb} docker/web --signal QUIT --grace-period 1m`],
  ['A process by its pid, as JSON', `${verb} 1234 -o json`],
];

const restart: CommandText = {
  about: [
    "Restart a container's main process in place: the same program again, or COMMAND instead.",
    'Whatever can fail is tried before the old program is given up. If it fails, the old program runs on as if nothing had happened. Then the old program is asked to finish, as its runtime would ask it, and its listening sockets stay open and are given to the new one: connections that come meanwhile wait. If the new program ends before it is up, the previous one is started again.',
  ],
  examples: [
    ...restartExamples('restart'),
    ['With a picture of what happened', 'restart docker/web --timeline restart.svg'],
    ['Every step, and change nothing', 'restart docker/web --dry-run'],
  ],
  usage: 'TARGET [flags] [-- COMMAND [ARG...]]',
  more: [targets],
};

const replaceExamples = (verb: string): CommandText['examples'] => [
  ['A newly built program, with the old arguments and environment', `${verb} docker/web --with ./app`],
  ['With other arguments', `${verb} docker/web --with ./app -- --listen :8080 --log-level debug`],
  ['Not up before it answers', `${verb} docker/web --with ./app --probe http://localhost:8080/healthz`],
  ['With a configuration that belongs to it', `${verb} docker/web --with ./app --copy ./conf:/etc/app --chown 101`],
];

const replace: CommandText = {
  about: [
    "Upload FILE and start it as the container's main process, in place of the old executable. Arguments after argv[0], environment and working directory stay unless they are changed.",
    'If the new program ends before it is up, the previous one is started again in the same place, with the files that were replaced put back (exit code 3).',
  ],
  examples: [
    ...replaceExamples('replace'),
    ['Every step, and change nothing', 'replace docker/web --with ./app --dry-run'],
  ],
  usage: 'TARGET --with FILE [flags] [-- ARG...]',
  more: [targets],
};

const planReplace: CommandText = {
  about: [
    'Show every step that a replacement would take and the files it would bring, or why it is not possible. It changes nothing.',
  ],
  examples: replaceExamples('plan replace').slice(0, 2),
  usage: replace.usage,
  more: [targets],
};

const planRestart: CommandText = {
  about: [
    'Show every step that a restart would take, with the very system calls, or why it is not possible. It changes nothing.',
  ],
  examples: [
    ...restartExamples('plan restart'),
    ['As a script to read, and to run with gdb', 'plan restart 1234 --format gdb > restart.gdb'],
  ],
  usage: restart.usage,
  more: [targets],
};

const plan: CommandText = {
  about: ['Show every step that would be taken, and change nothing.'],
  examples: [
    ['What a restart would do', 'plan restart docker/web'],
    ['What a replacement would do', 'plan replace docker/web --with ./app'],
  ],
  usage: 'COMMAND TARGET [flags]',
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
    'Show what runs in a container: program, memory layout, descriptors and sockets, threads, children, credentials, limits; how it differs from what the container was told to run; and whether it can be restarted here. It only reads.',
  ],
  examples: [
    ['What runs there?', 'inspect docker/web'],
    ['For a script: can it be restarted?', 'inspect docker/web -o json | jq .verdict.possible'],
  ],
  usage: 'TARGET [flags]',
  more: [targets],
};

const doctor: CommandText = {
  about: [
    'Show what this machine allows, and for each no what to do about it; of a pod or a workload, what its cluster allows (kubectl hotexec doctor --help). It changes nothing.',
  ],
  examples: [
    ['This machine', 'doctor'],
    ['This machine, and one container on it', 'doctor docker/web'],
    ['The cluster of a pod, and the pod', 'doctor pod/web-0 -n shop'],
  ],
  usage: '[TARGET] [flags]',
  more: [targets],
  inCluster: {
    about: [
      'Show what the cluster allows in a namespace, and for each no what to do about it: the API server and its version, who you are to it, each right that is used, what the namespace admits. Of a target also: whether it can be reached, which container is meant, its node, its memory, its probes, the agent, and in which ways one would be let in.',
      'It changes nothing: rights are asked for by access reviews, the agent is tried by a dry run. Where a right is missing, the least Role and its RoleBinding are printed, to be applied by whoever may give them. The exit code is 0 if a restart is possible, 5 if not.',
    ],
    examples: [
      ['The namespace of the kubeconfig', 'doctor'],
      ['Another one', 'doctor -n shop'],
      ['A pod, or the pods of a workload', 'doctor deployment/web -n shop'],
      ['As somebody else, whom you may impersonate', 'doctor web-0 --as system:serviceaccount:shop:deployer'],
      ['The Role alone', 'doctor -n shop -o json | jq -r .cluster.role'],
    ],
    usage: '[TARGET] [flags]',
  },
};

const ls: CommandText = {
  about: [
    'List what can be restarted on this machine: the running containers of Docker, of pods (containerd and CRI-O, over CRI) and of containerd itself, with the process that a restart would restart. TARGET is what the other commands take. It changes nothing, and needs no API server.',
    'With words, only what has all of them in its target, pod, namespace, container or program. A runtime that is not there is left out; one that does not answer is named on standard error.',
  ],
  examples: [
    ['All of them', 'ls'],
    ['What belongs to a pod', 'ls web-0'],
    ['Whole commands, whole ids, and who runs them', 'ls -o wide'],
    ['Restart a container on a node, found by its pod', 'restart "$(hotexec ls -q web-0 app)"'],
    ['For a script', "ls -o json | jq '.items[].pid'"],
  ],
  usage: '[WORD...] [flags]',
  inCluster: {
    about: [
      'List what can be restarted in a namespace: the running containers of its pods, whether an agent of hotexec runs beside each, and whether its program was changed by a command before (CHANGED). A container that the kubelet has started again has the program of its image, and is not changed any more.',
      'With words, only what has all of them in its pod, container, image, node or namespace. With --drift the agents that run are asked where what runs differs from what the pod says; none is started for that. It changes nothing.',
    ],
    examples: [
      ['Those of the namespace', 'ls'],
      ['Of pods with a label, in all namespaces', 'ls -A -l app=web'],
      ['Whole images, container ids, agents and operations', 'ls -o wide'],
      ['What was changed, for a script', "ls -o json | jq '.items[] | select(.change)'"],
    ],
    usage: '[WORD...] [flags]',
  },
};

const demo: CommandText = {
  about: [
    'Start a small HTTP server in a sandbox and restart it in place three times, while clients connect all the time: at once, gracefully, and with a version that cannot start and is rolled back. Count what the clients saw. It cleans up after itself.',
  ],
  examples: [
    ['See it work', 'demo'],
    ['With a picture of the three', 'demo --timeline demo.svg'],
  ],
  usage: '[flags]',
};

type TextName =
  | 'root'
  | 'restart'
  | 'replace'
  | 'rollback'
  | 'planRestart'
  | 'planReplace'
  | 'plan'
  | 'inspect'
  | 'doctor'
  | 'ls'
  | 'demo';

export const texts: Readonly<Record<TextName, CommandText>> = {
  root,
  restart,
  replace,
  rollback,
  planRestart,
  planReplace,
  plan,
  inspect,
  doctor,
  ls,
  demo,
};

/** As a plugin of kubectl has it: with pods. */
export function inCluster({ examples, more = [], inCluster: other, ...text }: CommandText): CommandText {
  if (other !== undefined) return { ...other, more: more.map(partInCluster) };
  return {
    ...text,
    examples: examples.map(([comment, line]) => [
      comment.replace('Docker container', 'pod').replace('A process by its pid, as JSON', 'As JSON'),
      line.replace(/\bdocker\/web\b|\b1234\b/, 'web-0'),
    ]),
    more: more.map(partInCluster),
  };
}

function partInCluster(part: string): string {
  return part === targets ? targetsInCluster : part;
}

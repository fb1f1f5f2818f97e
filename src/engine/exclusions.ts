// What hotexec never touches, and what cannot be restarted here. Pure: a list of refusals from what was observed.
import { basename, dirname, resolve } from 'node:path';
import { HotexecError, type ErrorData } from '../errors.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { INITIAL_PID_NAMESPACE_INODE } from '../procfs/ns.ts';
import type { Observed, ObservedProgram } from './observe.ts';

/** What the refusals depend on besides the target. */
export interface Ourselves {
  /** This engine and its front. */
  readonly pids: ReadonlySet<number>;
  /** Inode of our pid namespace. */
  readonly pidNamespace: number;
  /** Where the script of this engine is: every process of this installation runs one from there. */
  readonly directory: string;
}

const runtimes: ReadonlySet<string> = new Set([
  'dockerd',
  'containerd',
  'runc',
  'crun',
  'youki',
  'crio',
  'kubelet',
  'conmon',
  'podman',
  'systemd',
  'runsc',
]);

/** Every reason at once, so that a person does not meet them one after the other. */
export function refusals(observed: Observed): readonly ErrorData[] {
  return [excluded(observed), traced(observed), frozen(observed)].flatMap((refusal) => refusal ?? []);
}

function refuse(code: ErrorData['code'], message: string, hint: string | null): ErrorData {
  return { code, message: `${message} Nothing was touched.`, hint };
}

/** Known without reading the process, which its owner may not even be allowed to. Throws target-excluded. */
export function refuseByPid({ pid, name }: TargetProcess, ourselves: Ourselves): void {
  if (ourselves.pids.has(pid)) {
    throw new HotexecError(refuse('target-excluded', `${name}: process ${pid} is hotexec itself.`, null));
  }
  if (pid === 1 && ourselves.pidNamespace === INITIAL_PID_NAMESPACE_INODE) {
    const message = `${name}: process 1 is this machine's init; hotexec never touches it.`;
    throw new HotexecError(refuse('target-excluded', message, 'name the process or the container that you mean'));
  }
}

function excluded(observed: Observed): ErrorData | undefined {
  const { pid, name } = observed.target;
  const program = basename(observed.program.exe);
  if (observed.isHotexec) return refuse('target-excluded', `${name}: process ${pid} is hotexec itself.`, null);
  if (runtimes.has(program) || program.startsWith('containerd-shim')) {
    return refuse(
      'target-excluded',
      `${name}: process ${pid} is ${program}, a part of the container runtime; hotexec never touches it.`,
      'name a process inside the container',
    );
  }
  if (observed.program.exe === '/pause') {
    return refuse(
      'target-excluded',
      `${name}: process ${pid} is /pause, which holds a pod's namespaces.`,
      "name the application's container",
    );
  }
  return undefined;
}

/** An engine or a front of this installation: Node with a script from its dist/ or src/. */
export function isHotexec({ exe, argv, cwd }: ObservedProgram, { directory }: Ourselves): boolean {
  if (argv.kind !== 'intact' || !basename(exe).startsWith('node')) return false;
  const script = argv.words.slice(1).find((word) => word[0] !== 0x2d);
  if (script === undefined) return false;
  const path = resolve(cwd, script.toString());
  return ['dist', 'src'].some((folder) => path.startsWith(`${dirname(directory)}/${folder}/`));
}

function traced(observed: Observed): ErrorData | undefined {
  const tracer = observed.status.tracerPid ?? 0;
  if (tracer === 0) return undefined;
  return refuse(
    'target-traced',
    `${observed.target.name}: process ${observed.target.pid} is traced by process ${tracer}; a process has one tracer at most.`,
    `end the tracer (strace, gdb, another debugger), then try again`,
  );
}

function frozen(observed: Observed): ErrorData | undefined {
  if (!observed.cgroup.frozen) return undefined;
  return refuse(
    'target-frozen',
    `${observed.target.name}: its cgroup is frozen (docker pause): its threads cannot be stopped or changed.`,
    'unpause it first: docker unpause NAME',
  );
}

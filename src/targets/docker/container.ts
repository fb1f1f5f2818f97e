// What `GET /containers/NAME/json` tells of a container, as far as hotexec needs it.
import * as v from 'valibot';
import type { ProgramSpec } from '../../protocol/request.ts';

export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly state: {
    readonly status: string;
    readonly running: boolean;
    readonly paused: boolean;
    readonly restarting: boolean;
    readonly exitCode: number;
    readonly pid: number;
  };
  /** What a fresh start would be made of, as far as the API tells: users and capabilities only by name. */
  readonly spec: ProgramSpec;
}

const container = v.object({
  Id: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  Name: v.string(),
  Path: v.nullish(v.string(), ''),
  Args: v.nullish(v.array(v.string()), []),
  State: v.object({
    Status: v.nullish(v.string(), ''),
    Running: v.boolean(),
    Paused: v.nullish(v.boolean(), false),
    Restarting: v.nullish(v.boolean(), false),
    ExitCode: v.nullish(v.number(), 0),
    Pid: v.number(),
  }),
  Config: v.object({
    Hostname: v.nullish(v.string(), ''),
    Tty: v.nullish(v.boolean(), false),
    Env: v.nullish(v.array(v.string()), []),
    WorkingDir: v.nullish(v.string(), ''),
    StopSignal: v.nullish(v.string()),
    StopTimeout: v.nullish(v.number()),
  }),
  HostConfig: v.nullish(v.object({ Init: v.nullish(v.boolean(), false), OomScoreAdj: v.nullish(v.number()) })),
});

type ContainerJson = v.InferOutput<typeof container>;

/** Null: the answer is no container. */
export function parseContainer(body: unknown): DockerContainer | null {
  const parsed = v.safeParse(container, body);
  if (!parsed.success) return null;
  const { Id, Name, State } = parsed.output;
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    state: {
      status: State.Status,
      running: State.Running,
      paused: State.Paused,
      restarting: State.Restarting,
      exitCode: State.ExitCode,
      pid: State.Pid,
    },
    spec: specOf(parsed.output),
  };
}

function specOf({ Path, Args, Config, HostConfig }: ContainerJson): ProgramSpec {
  const command = [Path, ...Args];
  return {
    source: 'api',
    args: HostConfig?.Init === true ? ['/sbin/docker-init', '--', ...command] : command,
    env: environment(Config),
    cwd: Config.WorkingDir === '' ? '/' : Config.WorkingDir,
    user: null,
    terminal: Config.Tty,
    noNewPrivileges: null,
    oomScoreAdj: HostConfig?.OomScoreAdj ?? null,
    capabilities: null,
    rlimits: null,
    seccomp: null,
    personality: null,
    stopSignal: Config.StopSignal ?? null,
    stopTimeoutSeconds: Config.StopTimeout ?? null,
  };
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The daemon adds these where the container does not set them (moby, CreateDaemonEnvironment). */
function environment({ Env, Hostname, Tty }: ContainerJson['Config']): readonly string[] {
  const own = new Set(Env.map((entry) => entry.split('=', 1)[0]));
  const added = [`PATH=${defaultPath}`, `HOSTNAME=${Hostname}`, ...(Tty ? ['TERM=xterm'] : [])];
  return [...added.filter((entry) => !own.has(entry.split('=', 1)[0])), ...Env];
}

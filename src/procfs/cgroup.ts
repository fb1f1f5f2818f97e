// /proc/PID/cgroup (cgroups(7)): one line `hierarchy:controllers:path` for each v1 hierarchy, `0::path` for v2;
// and the container id that runtimes put into these paths.
import { parseInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

export interface CgroupMembership {
  /** 0: cgroup v2. */
  readonly hierarchy: number;
  /** v1 controllers or `name=systemd`; empty for v2. */
  readonly controllers: readonly string[];
  /** As seen from the reader's cgroup namespace: a process outside of it shows as `/../…`. */
  readonly path: string;
}

/** Parses a cgroup file. Throws ParseError. */
export function parseCgroup(text: string): readonly CgroupMembership[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

/**
 * The id of the innermost container in the paths: the last part that is 64 hexadecimal digits, bare or in one of the
 * known dresses. conmon's own cgroup (`libpod-conmon-<id>.scope`) is not the container.
 * @example containerIdIn(['/docker/<id>', '/system.slice/docker-<id>.scope'])
 */
export function containerIdIn(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    for (const part of path.split('/').toReversed()) {
      const id = CONTAINER_PART.exec(part)?.[1];
      if (id !== undefined) return id;
    }
  }
  return undefined;
}

// `<id>`, `docker-<id>.scope`, `cri-containerd-<id>.scope`, `crio-<id>`, `libpod-<id>.scope`, `kubepods-…:cri-containerd:<id>`.
const CONTAINER_PART =
  /^(?:(?:docker|cri-containerd|containerd|nerdctl|crio|libpod)-|[^:]*:(?:docker|cri-containerd|crio|libpod|nerdctl):)?([\da-f]{64})(?:\.scope)?$/;

function parseLine(line: string): CgroupMembership {
  const [, hierarchy, controllers = '', path] = /^(\d+):([^:]*):(.*)$/s.exec(line) ?? [];
  if (path === undefined) throw new ParseError('cgroup', 'no hierarchy', line);
  return {
    hierarchy: parseInteger('cgroup', hierarchy),
    controllers: controllers.split(',').filter(Boolean),
    path,
  };
}

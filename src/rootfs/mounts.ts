// The mounts of a container, and which of them may be written to: its own root file system, a volume when that is asked for, and never
// what the kernel or the kubelet fills.
import { closeSync, readFileSync } from 'node:fs';
import { parseMountInfo, type Mount } from '../procfs/mountinfo.ts';
import type { ProcessRoot } from './open.ts';

/** Their files are the kernel's, or devices. */
const pseudo: ReadonlySet<string> = new Set(
  `
autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs proc pstore rpc_pipefs
securityfs selinuxfs sysfs tracefs
`
    .trim()
    .split(/\s+/),
);

export type MountKind =
  /** Where the container's own files are. */
  | { readonly kind: 'root' }
  | { readonly kind: 'volume'; readonly mountPoint: string; readonly source: string }
  | { readonly kind: 'kubelet'; readonly mountPoint: string; readonly what: string }
  | { readonly kind: 'special'; readonly fsType: string };

export class Mounts {
  readonly #root: ProcessRoot;
  readonly #rootId: number;
  readonly #mounts: readonly Mount[];

  constructor(root: ProcessRoot, tid: number) {
    this.#root = root;
    this.#rootId = root.mountId;
    this.#mounts = parseMountInfo(readFileSync(`/proc/${tid}/mountinfo`, 'utf8'));
  }

  /** `path`: without links, inside the container. `mountId`: of the deepest directory of it that exists. */
  kindOf(path: string, mountId: number): MountKind {
    const top = /^\/(proc|sys|dev)(?:\/|$)/.exec(path)?.[1];
    const mount = this.#mounts.find(({ id }) => id === mountId);
    if (mount !== undefined && pseudo.has(mount.fsType)) return { kind: 'special', fsType: mount.fsType };
    if (top !== undefined) return { kind: 'special', fsType: mount?.fsType ?? `/${top}` };
    if (mountId === this.#rootId) return { kind: 'root' };
    const mountPoint = mount?.mountPoint ?? path;
    const what = mount === undefined ? undefined : this.#kubeletVolume(mount);
    if (what !== undefined) return { kind: 'kubelet', mountPoint, what };
    return { kind: 'volume', mountPoint, source: mount === undefined ? 'unknown' : describeSource(mount) };
  }

  isOverlay(mountId: number): boolean {
    return this.#mounts.find(({ id }) => id === mountId)?.fsType === 'overlay';
  }

  /**
   * The kubelet writes these anew whenever it likes (pkg/volume/util/atomic_writer.go). The path of the volume tells, unless it is a
   * file system of its own, as that of a Secret is; then the link through which they are all switched at once does.
   */
  #kubeletVolume({ root, mountPoint }: Mount): string | undefined {
    const named = /\/kubernetes\.io~(configmap|secret|projected|downward-api)\//.exec(`${root}/`)?.[1];
    if (named !== undefined) return kubeletNames[named];
    const fd = this.#root.lookUp(`${mountPoint}/..data`);
    if (fd < 0) return undefined;
    closeSync(fd);
    return 'ConfigMap, Secret or projected volume';
  }
}

const kubeletNames: Readonly<Record<string, string>> = {
  configmap: 'ConfigMap',
  secret: 'Secret',
  projected: 'projected volume',
  'downward-api': 'downward API volume',
};

function describeSource({ fsType, root, source }: Mount): string {
  return root === '/' ? `${fsType} ${source}` : `${fsType} ${root}`;
}

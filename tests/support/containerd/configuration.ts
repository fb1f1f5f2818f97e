// What a containerd of the tests is told: all of it in directories of its own, and pods by runc with cgroupfs.

export interface Configuration {
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly sandboxImage: string;
  /** Of network plugins: their programs, and which of them are used. */
  readonly network: { readonly programs: string; readonly configurations: string };
  readonly disabledPlugins: readonly string[];
}

/** What this machine cannot have; each would be told as an error at the start. */
export const otherSnapshotters: readonly string[] = ['aufs', 'btrfs', 'devmapper', 'zfs'].map(
  (name) => `io.containerd.snapshotter.v1.${name}`,
);

// restrict_oom_score_adj: root need not be allowed to lower a score (CAP_SYS_RESOURCE).
// netns_mounts_under_state_dir: nothing of ours in /run/netns.
export function configuration({ root, state, socket, sandboxImage, network, disabledPlugins }: Configuration): string {
  return `
version = 2
root = "${root}"
state = "${state}"
disabled_plugins = [${disabledPlugins.map((name) => `"${name}"`).join(', ')}]

[grpc]
address = "${socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${sandboxImage}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${network.programs}"
conf_dir = "${network.configurations}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

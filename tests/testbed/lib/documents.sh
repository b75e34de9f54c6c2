# shellcheck shell=bash
# What another release of Kubernetes lists under /openapi/v3; sourced.

# build_release VERSION: that release's kube-apiserver, in a module whose requirements are the release's own.
build_release() {
  local version=$1 folder=$TESTBED_HOME/releases/$1/module staging=v0.${1#1.} gomod
  mkdir -p "$folder"
  gomod=$(cd / && go mod download -json "k8s.io/kubernetes@v$version" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')
  # Kubernetes requires its own parts at v0.0.0, which its work tree replaces; published, they have the release's version.
  {
    printf 'module mathison.test/testbed/release\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v%s\n\ntool k8s.io/kubernetes/cmd/kube-apiserver\n\n' "$version"
    sed -nE "s|^\s+(k8s\.io/\S+) v0\.0\.0( //.*)?$|replace \1 => \1 $staging|p" "$gomod"
  } > "$folder/go.mod"
  rm -f "$folder/go.sum"
  (cd "$folder" && go get "k8s.io/kubernetes/cmd/kube-apiserver@v$version" >&2 &&
    CGO_ENABLED=0 nice go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$version" \
      -o "$BIN/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver)
}

# documents VERSION: a line `API_VERSION⇥HASH` for each document of a server of that release, begun for this and ended.
documents() {
  local version=$1 programs=$BIN
  BIN=$TESTBED_HOME/releases/$version/bin
  mkdir -p "$BIN"
  [ -x "$BIN/kube-apiserver" ] || { say "building kube-apiserver $version" >&2; build_release "$version"; }
  ln -sf "$programs"/{etcd,kubectl} "$BIN"
  TESTBED_HOME=$TESTBED_HOME/releases/$version PATH=$BIN:$PATH
  bare_up >&2
  disown -a   # else bash tells of each that is ended
  trap 'plane_down bare' EXIT
  kube version | grep -F "v$version" >&2 || die "the server that came up is another"
  kube get --raw /openapi/v3 | python3 -c '
import json, sys
for path, listed in sorted(json.load(sys.stdin)["paths"].items()):
    parts = path.split("/")
    if parts[0] == "apis" and len(parts) == 3 or path == "api/v1":
        print("/".join(parts[1:]), listed["serverRelativeURL"].split("hash=")[1], sep="\t")'
}

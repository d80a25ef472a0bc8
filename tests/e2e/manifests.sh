#!/usr/bin/env bash
# 30 malformed manifests: each is refused with the field's name, nothing is stored, and the controller goes on.
source "$(dirname "$0")/lib.sh"

platform_up
before=$(pid_of controller)
touch "$WORK/count"
refused() {  # WORD-IN-MESSAGE; the manifest is on standard input, so this runs in a process of its own
  echo >> "$WORK/count"
  count=$(wc -l < "$WORK/count")
  cat > "$WORK/manifest.yaml"
  if "$BIN/updraft" apply --kubeconfig "$KUBECONFIG" -f "$WORK/manifest.yaml" > "$WORK/out" 2>&1; then
    cat "$WORK/manifest.yaml"; fail "$count was accepted"
  fi
  grep -q -- "$1" "$WORK/out" || { cat "$WORK/manifest.yaml" "$WORK/out"; fail "$count does not name $1"; }
}
spec() {  # each argument is one line below spec.template.spec
  printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: bad\nspec:\n  template:\n    spec:\n'
  printf '      %s\n' "$@"
}
annotated() {
  printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: bad\nspec:\n  template:\n    metadata:\n      annotations:\n        %s\n    spec:\n      containers:\n      - image: a/b\n' "$1"
}
image='containers: [{image: a/b}]'

printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: bad\n' | refused 'line'
printf 'apiVersion: serving.knative.dev/v1\n\tkind: Service\n' | refused 'line'
printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {}\nspec: {template: {spec: {%s}}}\n' "$image" | refused 'name'
printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: Bad_Name}\nspec: {template: {spec: {%s}}}\n' "$image" | refused 'metadata.name'
printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: %s}\nspec: {template: {spec: {%s}}}\n' "$(printf 'a%.0s' {1..64})" "$image" | refused 'metadata.name'
printf 'apiVersion: serving.knative.dev/v1\nkind: Servise\nmetadata: {name: bad}\n' | refused 'Servise'
printf 'apiVersion: serving.knative.dev/v9\nkind: Service\nmetadata: {name: bad}\n' | refused 'v9'
spec 'containers: []' | refused 'spec.template.spec.containers'
spec 'containers: [{name: x}]' | refused 'image'
spec 'containers: [{image: "UPPER CASE"}]' | refused 'image'
spec 'containers: [{image: a/b, imag: c}]' | refused 'imag'
spec "$image" 'containerConcurrency: -1' | refused 'containerConcurrency'
spec "$image" 'containerConcurrency: 1001' | refused 'containerConcurrency'
spec "$image" 'containerConcurrency: many' | refused 'containerConcurrency'
spec "$image" 'timeoutSeconds: 601' | refused 'timeoutSeconds'
spec "$image" 'timeoutSeconds: -5' | refused 'timeoutSeconds'
spec 'containers: [{image: a/b, ports: [{containerPort: 70000}]}]' | refused 'containerPort'
spec 'containers: [{image: a/b, ports: [{containerPort: 8012}]}]' | refused 'containerPort'
spec 'containers: [{image: a/b, ports: [{containerPort: 80}, {containerPort: 81}]}]' | refused 'ports'
spec 'containers: [{image: a/b, ports: [{containerPort: 80, name: https}]}]' | refused 'ports'
spec 'containers: [{image: a/b, env: [{name: PORT, value: "1"}]}]' | refused 'env'
spec 'containers: [{image: a/b, env: [{value: "1"}]}]' | refused 'env'
spec 'containers: [{image: a/b, resources: {limits: {cpu: fast}}}]' | refused 'cpu'
spec 'containers: [{image: a/b, lifecycle: {preStop: {exec: {command: [x]}}}}]' | refused 'lifecycle'
spec 'containers: [{image: a/b, readinessProbe: {httpGet: {path: /}, tcpSocket: {port: 1}}}]' | refused 'readinessProbe'
spec "$image" 'restartPolicy: Never' | refused 'restartPolicy'
annotated 'autoscaling.knative.dev/min-scale: "-1"' | refused 'min-scale'
annotated 'autoscaling.knative.dev/window: "1s"' | refused 'window'
annotated 'autoscaling.knative.dev/target: "0"' | refused 'target'
printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: bad}\nspec: {template: {spec: {%s}}, traffic: [{latestRevision: true, percent: 50}]}\n' "$image" | refused 'traffic'
count=$(wc -l < "$WORK/count")
[ "$count" -ge 30 ] || fail "only $count manifests"

[ -z "$(kubectl get ksvc -A -o name)" ] || fail "something was stored"
[ "$(pid_of controller)" = "$before" ] || fail "the controller was restarted"
log "$count manifests refused"

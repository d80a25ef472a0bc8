#!/usr/bin/env bash
# What instances keep: a PersistentVolumeClaim's directory outlives them, is shared by revisions, and goes with the claim; an
# emptyDir that outgrows its limit has its instance replaced.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
features() { kubectl patch configmap config-features -n knative-serving --type merge -p "{\"data\": {$1}}"; }
is() { [ "$1" = "$2" ] || fail "$3: \"$1\" instead of \"$2\""; }
claims=$STATE/node-agent/claims

# with_claim NAME MESSAGE READ_ONLY: a service that mounts the claim "data".
with_claim() {
  service "$1" "MESSAGE=$2"
  printf '        volumeMounts:\n        - {name: data, mountPath: /data, readOnly: %s}\n' "$3"
  printf '      volumes:\n      - {name: data, persistentVolumeClaim: {claimName: data, readOnly: %s}}\n' "$3"
}
refused() {
  local said
  if said=$(with_claim keeper first "$1" | kubectl apply -f - 2>&1); then fail "taken: $2"; fi
  grep -qF "$2" <<< "$said" || fail "said \"$said\" instead of \"$2\""
}
refused false "Persistent volume claim support is disabled, but found persistent volume claim data"
features '"kubernetes.podspec-persistent-volume-claim": "enabled"'
refused false "Persistent volume write support is disabled, but found persistent volume claim data that is not read-only"
features '"kubernetes.podspec-persistent-volume-write": "enabled"'

with_claim keeper first false | kubectl apply -f -
why() { kubectl get ksvc keeper -o "jsonpath={.status.conditions[?(@.type=='Ready')].message}" | grep -F 'persistentvolumeclaim "data" not found'; }
wait_until 30 "the service to say that there is no claim" why
kubectl create -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
END
is "$(kubectl get pvc data -o 'jsonpath={.status.phase}')" Bound "the claim"
with_claim keeper second false | kubectl apply -f -
ready keeper
is "$(get keeper /write/data/file)" written "writing to the claim"
with_claim keeper third false | kubectl apply -f -
ready keeper
is "$(get keeper /file/data/file)" second "what the next revision finds"
wait_until 60 "the service to sleep" asleep keeper
is "$(get keeper /file/data/file)" second "what is there after it slept"
with_claim reader fourth true | kubectl apply -f -
ready reader
is "$(get reader /file/data/file)" second "what a reader finds"
is "$(get reader /write/data/other)" "not written: Read-only file system" "what a reader may do"

log "the claim goes"
[ "$(ls "$claims" | wc -l)" = 1 ] || fail "not one claim: $(ls -A "$claims")"
kubectl delete pvc data
get keeper /file/data/file > /dev/null || fail "what runs lost its claim"
kubectl delete ksvc keeper reader
empty() { [ -z "$(ls -A "$claims")" ]; }
wait_until 30 "the directory to go" empty

log "an emptyDir outgrows its limit"
{
  service cache MESSAGE=cache
  printf '        volumeMounts:\n        - {name: disk, mountPath: /disk}\n        - {name: fast, mountPath: /fast}\n'
  printf '      volumes:\n      - {name: disk, emptyDir: {sizeLimit: 1Mi}}\n      - {name: fast, emptyDir: {medium: Memory, sizeLimit: 1Mi}}\n'
} | sed 's/window: "6s"/window: "60s"\n        autoscaling.knative.dev\/min-scale: "1"/' | kubectl apply -f -
ready cache
is "$(get cache '/write/fast/file?bytes=2000000')" "not written: No space left on device" "too much in memory"
is "$(get cache '/write/disk/file?bytes=500000')" written "enough on disk"
before=$(pods_of cache)
is "$(get cache '/write/disk/file?bytes=2000000')" written "too much on disk"
evicted() { kubectl get events --field-selector reason=Evicted -o 'jsonpath={.items[*].message}' | grep -F 'Usage of EmptyDir volume "disk" exceeds the limit "1Mi".'; }
wait_until 30 "the eviction" evicted
replaced() { [ -n "$(pods_of cache)" ] && ! grep -qxF "$before" <<< "$(pods_of cache)"; }
wait_until 30 "another instance" replaced
is "$(get cache /)" cache "the service afterwards"
is "$(get cache /file/disk/file)" "" "what was on its disk"
kubectl get ksvc cache -o "jsonpath={.status.conditions[?(@.type=='Ready')].status}" | grep -qx True || fail "the service is not ready any more"

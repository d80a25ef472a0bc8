#!/usr/bin/env bash
# The image comes from a real registry, open and with basic auth, and from archives; what goes wrong is said in the
# Revision's conditions.
source "$(dirname "$0")/lib.sh"

start_registry() {  # PORT [HTPASSWD]
  local folder=$WORK/registry-$1
  mkdir -p "$folder"
  {
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$folder" "$1"
    [ -z "${2:-}" ] || printf 'auth: {htpasswd: {realm: test, path: %s}}\n' "$2"
  } > "$folder/config.yml"
  docker-registry serve "$folder/config.yml" > "$folder/log" 2>&1 &
  CLEANUP+=("kill $!")
  wait_until 20 "registry on $1" curl -s "http://127.0.0.1:$1/v2/"
}

{ read -r open; read -r closed; } < <(free_ports 2)
htpasswd -Bbn user secret > "$WORK/htpasswd"
start_registry "$open"
start_registry "$closed" "$WORK/htpasswd"
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci-archive:$(sample_archive)" "docker://127.0.0.1:$open/sample:v1"
skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-creds user:secret "oci-archive:$(sample_archive)" "docker://127.0.0.1:$closed/sample:v1"
cat > "$WORK/registries.yaml" <<END
registries:
  127.0.0.1:$open:
    plain_http: true
  127.0.0.1:$closed:
    plain_http: true
END
platform_up --registries "$WORK/registries.yaml"

log "open registry"
IMAGE=127.0.0.1:$open/sample:v1 service open | kubectl apply -f -
ready open
get open | grep -q Hello || fail "open does not answer"
kubectl get revision open-00001 -o jsonpath='{.status.containerStatuses[0].imageDigest}' | grep -q "127.0.0.1:$open/sample@sha256:" ||
  fail "the digest is not in the revision's status"

log "basic auth: without credentials it says so, with a pull secret it works"
IMAGE=127.0.0.1:$closed/sample:v1 service denied | kubectl apply -f -
reason_of() { kubectl get revision "$1-00001" -o json | jq -r '.status.conditions[]? | select(.status == "False") | "\(.reason): \(.message)"'; }
mentions() { reason_of "$1" | grep -qi "$2"; }
wait_until 40 "denied to say unauthorized" mentions denied 'unauthorized'
reason_of denied
kubectl create secret docker-registry pull --docker-server="127.0.0.1:$closed" --docker-username=user --docker-password=secret
IMAGE=127.0.0.1:$closed/sample:v1 SPEC='imagePullSecrets: [{name: pull}]' service allowed | kubectl apply -f -
ready allowed
get allowed | grep -q Hello || fail "allowed does not answer"

log "missing tag, unknown host"
IMAGE=127.0.0.1:$open/sample:nope service missing | kubectl apply -f -
IMAGE=registry.invalid/sample:v1 service unknown | kubectl apply -f -
wait_until 40 "missing to say so" mentions missing 'not found\|unknown'
reason_of missing
wait_until 40 "unknown to say so" mentions unknown 'registry.invalid'
reason_of unknown

log "archives: OCI and docker"
load_sample
"$ROOT/tests/images/build-image" --binary "$BIN/sample_server" --format docker --reference dev.local/other:v2 --output "$WORK/docker.tar"
"$BIN/updraft" image load --agent "unix:$RUN/node-agent.sock" "$WORK/docker.tar" || fail "docker archive"
service archive | kubectl apply -f -
IMAGE=dev.local/other:v2 service docker | kubectl apply -f -
ready archive
ready docker
get docker | grep -q Hello || fail "docker does not answer"

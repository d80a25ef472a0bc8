# Sourced by every end-to-end test: a platform of its own, in a folder of its own, gone when the test ends.
#
#   source "$(dirname "$0")/lib.sh"     with the folder of the programs as the test's first argument
#
# Everything waits on conditions; what fails says so, shows the logs' tails and ends the test.
set -euo pipefail

BIN=$(cd "${1:?usage: $0 FOLDER_OF_PROGRAMS}" && pwd)
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
WORK=$(mktemp -d /tmp/updraft-e2e.XXXXXX)
RUN=$WORK/run
STATE=$WORK/state
export KUBECONFIG=$STATE/kubeconfig HOME=$WORK/home
mkdir -p "$HOME"
CLEANUP=()

[ "$(id -u)" = 0 ] || { echo "these tests run containers: root is needed"; exit 1; }

log() { printf '%s %s\n' "$(date +%T.%3N)" "$*"; }
fail() {
  log "FAILED: $*"
  if [ -d "$STATE/logs" ]; then
    kubectl get ksvc,pods -A 2>&1 | tail -n 30 || true
    for f in "$STATE"/logs/*.log; do printf -- '--- %s\n' "$f"; tail -n "${LOG_TAIL:-25}" "$f"; done
  fi
  exit 1
}

# wait_until SECONDS WHAT COMMAND...: until the command succeeds.
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > "$WORK/wait.out" 2>&1; do
    [ $SECONDS -lt $deadline ] || { cat "$WORK/wait.out"; fail "waited in vain for: $what"; }
    sleep 0.1
  done
}

# COUNT different ports on loopback that nothing listens on. Those of two calls may be the same.
free_ports() {
  local port left=$1
  for port in $(shuf -i 20000-29999 -n 1000); do
    grep -qi ":$(printf %04X "$port") " /proc/net/tcp /proc/net/tcp6 && continue
    echo "$port"
    left=$((left - 1))
    [ $left -gt 0 ] || return 0
  done
}
free_port() { free_ports 1; }

platform_up() {
  local ports
  mapfile -t ports < <(free_ports 6)
  HTTP_PORT=${ports[0]} API_PORT=${ports[1]} METRICS=("${ports[@]:2}")
  UP_FLAGS=(--run "$RUN" --state "$STATE" --http-address "127.0.0.1:$HTTP_PORT" "[::1]:$HTTP_PORT"
    --api-address "127.0.0.1:$API_PORT" --controller-metrics "127.0.0.1:${METRICS[0]}"
    --autoscaler-metrics "127.0.0.1:${METRICS[1]}" --activator-metrics "127.0.0.1:${METRICS[2]}"
    --agent-metrics "127.0.0.1:${METRICS[3]}" --bridge upt0 --subnet 10.87.0.0/16 --cgroup-parent /updraft-e2e "$@")
  "$BIN/updraft" up "${UP_FLAGS[@]}" || fail "updraft up"
}
platform_down() { "$BIN/updraft" down --run "$RUN" || fail "updraft down"; }

at_exit() {
  local code=$?
  for command in "${CLEANUP[@]}"; do eval "$command" || true; done
  [ ! -e "$RUN/platform.json" ] || "$BIN/updraft" down --run "$RUN" > /dev/null 2>&1 || true
  rm -rf "$WORK"
  [ $code -ne 0 ] || log "PASSED: $(basename "$0" .sh)"
  exit $code
}
trap at_exit EXIT
trap "exit 143" TERM INT

# The sample server's image as an archive, once per build.
sample_archive() {
  local archive=$WORK/sample.tar
  [ -e "$archive" ] || "$ROOT/tests/images/build-image" --binary "$BIN/sample_server" --reference dev.local/sample:latest \
    --output "$archive"
  echo "$archive"
}
load_sample() { "$BIN/updraft" image load --agent "unix:$RUN/node-agent.sock" "$(sample_archive)" || fail "image load"; }

# service NAME [ENV=VALUE...] [-- LINES of YAML for the revision's spec]; annotation lines in ANNOTATIONS.
service() {
  local name=$1; shift
  printf 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: %s\nspec:\n  template:\n' "$name"
  printf '    metadata:\n      annotations:\n        autoscaling.knative.dev/window: "6s"\n'
  [ -z "${ANNOTATIONS:-}" ] || printf '        %s\n' "$ANNOTATIONS"
  printf '    spec:\n'
  [ -z "${SPEC:-}" ] || printf '      %s\n' "$SPEC"
  printf '      containers:\n      - image: %s\n' "${IMAGE:-dev.local/sample:latest}"
  [ $# -eq 0 ] || printf '        env:\n'
  for pair in "$@"; do printf '        - name: %s\n          value: "%s"\n' "${pair%%=*}" "${pair#*=}"; done
}

url() { echo "http://$1.default.localhost:$HTTP_PORT${2:-/}"; }
get() { curl -sS --noproxy '*' --max-time 30 "$(url "$1" "${2:-/}")"; }
ready() { kubectl wait --for=condition=Ready "ksvc/$1" --timeout="${2:-60}s" || fail "$1 did not become ready"; }
pods_of() { kubectl get pods -l "serving.knative.dev/service=$1" -o name 2> /dev/null; }
pod_ips() { kubectl get pods -l "serving.knative.dev/service=$1" -o jsonpath='{range .items[*]}{.status.podIP}{"\n"}{end}'; }
asleep() { [ -z "$(pods_of "$1")" ]; }
pid_of() { cut -d' ' -f1 "$RUN/pids/$1"; }

#!/usr/bin/env bash
# kill -9 of every program under 100 requests a second: controller, autoscaler and node-agent cost no request and no
# container; the activator costs only what is in flight there and serves within 2 s, and nothing when it is restarted in
# order; all of them with the shims of a service come back by themselves.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
ANNOTATIONS='autoscaling.knative.dev/min-scale: "1"' service steady LATENCY_MS=20 | kubectl apply -f -
ready steady
get steady > /dev/null
containers() { kubectl get pods -l serving.knative.dev/service=steady -o jsonpath='{range .items[*]}{.metadata.name}={.status.containerStatuses[0].containerID}/{.status.containerStatuses[0].restartCount} {end}'; }
before=$(containers)

for program in controller autoscaler node-agent; do
  log "kill -9 $program"
  "$BIN/updraft_load" --url "$(url steady)" --rate 100 --seconds 8 > "$WORK/load" &
  load=$!
  old=$(pid_of $program)
  wait_until 10 "load to run" test -d /proc/$load
  kill -9 "$old"
  wait $load || { cat "$WORK/load"; fail "requests failed while $program was killed"; }
  cat "$WORK/load"
  [ "$(pid_of $program)" != "$old" ] || fail "$program was not restarted"
  wait_until 20 "$program to be ready" "$BIN/updraft" status --run "$RUN"
  kubectl get ksvc steady -o name > /dev/null || fail "the spec is lost"
  wait_until 20 "the instance to be seen again" test "$(containers)" = "$before"
done

log "restart activator, twice: it is followed"
"$BIN/updraft_load" --url "$(url steady)" --rate 100 --seconds 6 > "$WORK/load" &
load=$!
for round in 1 2; do
  old=$(pid_of activator)
  "$BIN/updraft" restart activator --run "$RUN" || fail "updraft restart activator"
  [ "$(pid_of activator)" != "$old" ] || fail "the same activator runs"
  left() { ! kill -0 "$old" 2> /dev/null; }
  wait_until 20 "the old activator to leave" left
done
wait $load || { cat "$WORK/load"; fail "requests failed while the activator was followed"; }
cat "$WORK/load"

log "scaling goes on"
SPEC='containerConcurrency: 1' service after LATENCY_MS=1000 | kubectl apply -f -
ready after
"$BIN/updraft_load" --url "$(url after)" --at-once 10 > "$WORK/load" || { cat "$WORK/load"; fail "no scaling after the kills"; }
[ "$(jq '.instances | length' "$WORK/load")" -gt 1 ] || fail "one instance served all: nothing was scaled up"

log "kill -9 activator"
"$BIN/updraft_load" --url "$(url steady)" --rate 100 --seconds 6 > "$WORK/load" &
load=$!
old=$(pid_of activator)
wait_until 5 "requests to flow" get steady
kill -9 "$old"
started=$(date +%s%N)
until get steady > /dev/null 2>&1; do
  [ $(($(date +%s%N) - started)) -lt 10000000000 ] || fail "the activator does not serve again"
done
took=$((($(date +%s%N) - started) / 1000000))
log "served again after $took ms"
[ $took -lt 2000 ] || fail "took longer than 2 s"
wait $load || true
cat "$WORK/load"
# In flight at 100/s and 20 ms: a few; and those refused while nothing listened.
failed=$(jq '.sent - (.statuses["200"] // 0)' "$WORK/load")
[ "$failed" -le $((took / 10 + 30)) ] || fail "$failed requests failed"

log "kill -9 of everything and of the service's shims"
shims=()
for id in $(kubectl get pods -l serving.knative.dev/service=steady -o jsonpath='{.items[*].status.containerStatuses[*].containerID}'); do
  for p in $(pgrep -f "containerd-shim.*$RUN/containerd" || true); do
    tr '\0' ' ' < "/proc/$p/cmdline" | grep -q "${id##*/}" && shims+=("$p")
  done
done
[ ${#shims[@]} -gt 0 ] || shims=($(pgrep -f "containerd-shim.*$RUN/containerd"))
kill -9 "$(pid_of controller)" "$(pid_of autoscaler)" "$(pid_of activator)" "$(pid_of node-agent)" "${shims[@]}"
serves() { [ "$(curl -s --noproxy '*' --max-time 20 -o /dev/null -w '%{http_code}' "$(url steady)")" = 200 ]; }
wait_until 60 "the service to come back" serves
kubectl get ksvc steady -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}' | grep -q True || fail "steady is not Ready"

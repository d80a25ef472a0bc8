#!/usr/bin/env bash
# 200 requests at once to a sleeping service with containerConcurrency 10 and a 100 ms handler: 200 answers of 200, none
# lost, none duplicated, never more than 10 in one instance; then back to zero.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
SPEC='containerConcurrency: 10' service burst LATENCY_MS=100 | kubectl apply -f -
ready burst
wait_until 90 "burst to sleep" asleep burst

log "200 requests at once"
"$BIN/updraft_load" --url "$(url burst)" --at-once 200 > "$WORK/load" || { cat "$WORK/load"; fail "not all answered 200"; }
cat "$WORK/load"

requests=0
for ip in $(pod_ips burst); do
  stats=$(curl -sS --max-time 5 "http://$ip:8080/stats")
  log "$ip $stats"
  [ "$(jq .in_flight_max <<< "$stats")" -le 10 ] || fail "more than 10 requests at once in $ip"
  [ "$(jq .ids_seen_twice <<< "$stats")" -eq 0 ] || fail "a request came twice to $ip"
  requests=$((requests + $(jq .requests <<< "$stats")))
done
[ $requests -eq 200 ] || fail "$requests requests reached instances, 200 were sent"

wait_until 90 "burst to sleep again" asleep burst
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/pids; do
  [ ! -d $hierarchy/updraft-e2e ] || [ -z "$(find $hierarchy/updraft-e2e -name cgroup.procs -exec cat {} +)" ] ||
    fail "a process of the user runs at zero"
done

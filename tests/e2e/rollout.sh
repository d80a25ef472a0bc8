#!/usr/bin/env bash
# 200 requests a second while revisions come: a good one takes over at once, one that never becomes ready gets nothing and
# is told of, and with a rollout duration of 20 s a good one takes over step by step. Every request is answered with 200.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
apply() { ANNOTATIONS='autoscaling.knative.dev/min-scale: "1"' service rolled "$@" | kubectl apply -f -; }
apply MESSAGE=one
ready rolled
answers() { get rolled | grep -qx "$1"; }
condition() { kubectl get "$1" -o json | jq -e ".status.conditions[] | select(.type == \"$2\" and .status == \"$3\")"; }

"$BIN/updraft_load" --url "$(url rolled)" --rate 200 --seconds 26 --by-second > "$WORK/load" &
load=$!

log "a good revision, at once"
apply MESSAGE=two
wait_until 15 "the second revision to answer" answers two

log "a revision that never becomes ready"
apply MESSAGE=three EXIT_AT_START=3 "EXIT_MESSAGE=no database"
wait_until 15 "the conditions to say why" condition ksvc/rolled ConfigurationsReady False
condition ksvc/rolled ConfigurationsReady False | grep -q 'rolled-00003.*no database' || fail "the service does not say why"
condition ksvc/rolled RoutesReady True > /dev/null || fail "the route of the old revision is not ready any more"
condition revision/rolled-00003 ContainerHealthy False | grep -q ExitCode3 || fail "the revision does not say why"
answers two || fail "the old revision does not answer any more"

log "a good revision, in 20 s"
kubectl annotate ksvc/rolled serving.knative.dev/rollout-duration=20s
apply MESSAGE=four
wait_until 10 "the rollout to begin" condition route/rolled IngressReady Unknown
kubectl get route rolled -w -o jsonpath='{.status.traffic[*].percent} {.status.traffic[*].revisionName}{"\n"}' > "$WORK/steps" &
CLEANUP+=("kill $! 2> /dev/null")
wait $load || { cat "$WORK/load"; fail "requests failed"; }
jq -c 'del(.by_second)' "$WORK/load"
ready rolled 10
grep -q '^100 rolled-00004$' "$WORK/steps" || { cat "$WORK/steps"; fail "it did not end at 100 %"; }

# 1 %, then 19 steps of 5 % in the 19 seconds that the first one left, and what remains.
grep -o '^[0-9]* [0-9]* rolled-00002 rolled-00004' "$WORK/steps" | cut -d' ' -f2 | uniq > "$WORK/percents"
seq 1 5 96 > "$WORK/wanted"
[ "$(wc -l < "$WORK/percents")" -ge 18 ] && ! grep -qvxf "$WORK/wanted" "$WORK/percents" || { cat "$WORK/steps"; fail "other steps"; }

jq -r '.by_second[] | (with_entries(select(.key | startswith("rolled-00004"))) | add // 0) * 100 / (add // 1) | round' \
  "$WORK/load" > "$WORK/shares"
log "its share of the answers, second by second: $(paste -sd' ' "$WORK/shares")"
awk '$1 > 0 && !first { first = NR }
     first { wanted = 1 + 5 * (NR - first); if ($1 < wanted - 8 || $1 > wanted + 8) exit 1; ++seen }
     END { exit seen < 5 }' <(grep -vx 100 "$WORK/shares") || fail "the answers do not follow the steps"
! jq -e '.instances | keys[] | select(startswith("rolled-00003"))' "$WORK/load" > /dev/null ||
  fail "the revision that never became ready got requests"

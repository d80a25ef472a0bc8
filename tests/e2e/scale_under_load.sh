#!/usr/bin/env bash
# 500 requests a second for a minute while the service is scaled up, rolled out, rolled out again and scaled down: every
# request is answered with 200, and no instance ever sees more at once than its containerConcurrency.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
limit=5
# A machine that is short of processors answers later, and would be given ever more instances.
bounds='autoscaling.knative.dev/min-scale: "1"
        autoscaling.knative.dev/max-scale: "10"'
roll_out() { ANNOTATIONS=$bounds SPEC="containerConcurrency: $limit" service scaled LATENCY_MS=20 "MESSAGE=$1" | kubectl apply -f -; }
roll_out one
ready scaled
get scaled > /dev/null
pods() { pods_of scaled | wc -l; }
at_least() { [ "$(pods)" -ge "$1" ]; }
at_most() { [ "$(pods)" -le "$1" ]; }
answers() { get scaled | grep -qx "$1"; }

"$BIN/updraft_load" --url "$(url scaled)" --rate 300 --seconds 60 > "$WORK/steady" &
steady=$!
log "more load for 20 s: it scales up"
"$BIN/updraft_load" --url "$(url scaled '/?sleep=60')" --rate 200 --seconds 20 > "$WORK/burst" &
burst=$!
wait_until 20 "the service to be scaled up" at_least 5
log "$(pods) instances"
roll_out two
wait_until 30 "the second revision to answer" answers two
wait $burst || { cat "$WORK/burst"; fail "requests failed while it was scaled up"; }
cat "$WORK/burst"

log "less load: it is rolled out once more, and scales down"
roll_out three
wait_until 30 "the third revision to answer" answers three
wait_until 40 "the service to be scaled down" at_most 4
log "$(pods) instances"
kill -0 $steady 2> /dev/null || log "the load has ended before it was scaled down"
wait $steady || { cat "$WORK/steady"; fail "requests failed"; }
cat "$WORK/steady"

for load in steady burst; do
  most=$(jq .in_flight_max "$WORK/$load")
  [ "$most" -ge 1 ] || fail "the instances did not say how much they had"
  [ "$most" -le $limit ] || fail "an instance had $most requests at once, $limit are allowed"
done
[ "$(jq '.instances | length' "$WORK/steady")" -ge 3 ] || fail "too few instances took part"

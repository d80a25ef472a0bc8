#!/usr/bin/env bash
# Load in steps, 0 to 50 to 500 requests at once and back to 0, against a service that is asleep, watched by a real
# Prometheus: no request fails, and the desired count goes up and then down, once each.
#
#   load_steps.sh FOLDER_OF_PROGRAMS [PICTURE.svg]    with a picture: longer steps and windows, and a graph of them
source "$(dirname "$0")/lib.sh"
picture=${2:-}
if [ -n "$picture" ]; then window=30s low=45 high=60; else window=6s low=6 high=12; fi

platform_up
load_sample
prometheus_port=$(free_port)
cat > "$WORK/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: autoscaler
  static_configs: [{targets: ["127.0.0.1:${METRICS[1]}"]}]
END
prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/prometheus" \
  --web.listen-address="127.0.0.1:$prometheus_port" > "$WORK/prometheus.log" 2>&1 &
prometheus_pid=$!
CLEANUP+=("kill $prometheus_pid")
wait_until 30 "prometheus" curl -sSf "http://127.0.0.1:$prometheus_port/-/ready"

service steps LATENCY_MS=1000 | sed "s/window: .*/window: \"$window\"/" | kubectl apply -f -
ready steps
# Read live, and refused when it cannot be used. 70 % of 50 are aimed at: 50 in flight need 2 instances, 500 need 15.
config() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-autoscaler, namespace: knative-serving}\ndata: {%s}\n' "$1"; }
! config 'max-scale-up-rate: "1"' | kubectl apply -f - 2> "$WORK/refused" || fail "a config that cannot be used was taken"
grep -q 'max-scale-up-rate = 1, must be greater than 1.0' "$WORK/refused" || { cat "$WORK/refused"; fail "not in Knative's words"; }
config 'container-concurrency-target-default: "50"' | kubectl apply -f -
wait_until 120 "steps to sleep" asleep steps
newest() { curl -sSG "http://127.0.0.1:$prometheus_port/api/v1/query" --data-urlencode "query=$1" | jq -r '.data.result[0].value[1]'; }
seen_asleep() { [ "$(newest 'updraft_autoscaler_desired_instances{service="steps"}')" = 0 ]; }
wait_until 20 "prometheus to see it" seen_asleep
began=$(($(date +%s) + 1))

failed=
"$BIN/updraft_load" --url "$(url steps)" --concurrency 50 --seconds $((low + high)) > "$WORK/low" & low_pid=$!
seconds_passed() { [ $(($(date +%s) - began)) -ge "$1" ]; }
wait_until $((low + 5)) "the second step" seconds_passed "$low"
"$BIN/updraft_load" --url "$(url steps)" --concurrency 450 --seconds "$high" > "$WORK/high" || failed=1
wait $low_pid || failed=1
cat "$WORK/low" "$WORK/high"
[ -z "$failed" ] || fail "a request failed"
wait_until 300 "steps to sleep again" asleep steps
ended=$(date +%s)

# values METRIC: "SECONDS VALUE" lines since the beginning.
values() {
  curl -sSG "http://127.0.0.1:$prometheus_port/api/v1/query_range" --data-urlencode "query=$1" \
    -d "start=$began" -d "end=$ended" -d step=1 |
    jq -r --argjson began "$began" '.data.result[0].values[]? | "\(.[0] - $began) \(.[1])"'
}
values 'updraft_autoscaler_desired_instances{service="steps"}' > "$WORK/desired"
values 'updraft_autoscaler_ready_instances{service="steps"}' > "$WORK/ready"
values 'updraft_autoscaler_stable_load{service="steps"}' > "$WORK/stable"
values 'updraft_autoscaler_panic_load{service="steps"}' > "$WORK/panic"
values 'updraft_autoscaler_panic_mode{service="steps"}' > "$WORK/mode"
steps=$(awk '$2 != last { printf "%s ", $2; last = $2 }' "$WORK/desired")
log "desired: $steps"
most=$(awk '$2 > m { m = $2 } END { print m + 0 }' "$WORK/desired")
turns=$(awk 'NR > 1 && $2 != last { d = $2 > last ? 1 : -1; if (was && d != was) n++; was = d } { last = $2 } END { print n + 0 }' "$WORK/desired")
# A busy machine's client has not all of them in flight at every moment.
[ "$most" -ge 12 ] && [ "$most" -le 16 ] || fail "500 in flight were given $most instances, 15 are right"
[ "$turns" -eq 1 ] || fail "the desired count changed its direction $turns times: $steps"
[ "$(awk '$2 > 0' "$WORK/mode" | wc -l)" -gt 0 ] || fail "such a step is panic"
[ -z "$picture" ] || "$HERE/graph" "0, 50, 500 and 0 requests in flight, window $window" "$WORK" > "$picture"

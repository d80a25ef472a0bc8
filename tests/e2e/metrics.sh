#!/usr/bin/env bash
# A real Prometheus scrapes all four programs; every series has help text and passes promtool's lint. Requests are logged
# from the moment on that config-observability wants it.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
service metered | kubectl apply -f -
ready metered
get metered > /dev/null

names=(controller autoscaler activator node-agent)
for i in 0 1 2 3; do
  curl -sS "http://127.0.0.1:${METRICS[$i]}/metrics" > "$WORK/${names[$i]}"
  promtool check metrics < "$WORK/${names[$i]}" || fail "promtool finds fault with ${names[$i]}"
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:${METRICS[$i]}/healthz")" = 200 ] || fail "${names[$i]}/healthz"
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:${METRICS[$i]}/readyz")" = 200 ] || fail "${names[$i]}/readyz"
done
for phase in queued decided placed claimed started listening ready routed first_byte; do
  grep -q "updraft_cold_start_seconds_count{.*phase=\"$phase\"" "$WORK/activator" || [ $phase = queued ] || [ $phase = ready ] ||
    fail "no cold start phase $phase at the activator"
done

port=$(free_port)
{
  printf 'global: {scrape_interval: 1s}\nscrape_configs:\n'
  for i in 0 1 2 3; do printf -- '- job_name: %s\n  static_configs: [{targets: ["127.0.0.1:%s"]}]\n' "${names[$i]}" "${METRICS[$i]}"; done
} > "$WORK/prometheus.yml"
prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/tsdb" --web.listen-address="127.0.0.1:$port" > "$WORK/prometheus.log" 2>&1 &
CLEANUP+=("kill $!")
all_up() { [ "$(curl -s "http://127.0.0.1:$port/api/v1/query?query=sum(up)" | jq -r '.data.result[0].value[1]')" = 4 ]; }
wait_until 30 "Prometheus to have scraped all four" all_up

request_log() { kubectl -n knative-serving patch configmap config-observability --type merge -p "{\"data\": $1}"; }
logged() {
  get metered "$1" > /dev/null
  grep -q "^seen $1 200 metered-00001$" "$STATE/logs/activator.log"
}
request_log '{"logging.enable-request-log": "true", "logging.request-log-template": "seen {{.Request.URL}} {{.Response.Code}} {{.Revision.Name}}"}'
wait_until 10 "a request to be logged" logged /wanted
! request_log '{"logging.request-log-template": ""}' 2> "$WORK/refused" || fail "a request log without a template is taken"
grep -q 'no "logging.request-log-template" was specified' "$WORK/refused" || fail "refused in other words: $(cat "$WORK/refused")"
request_log '{"logging.enable-request-log": "false"}'
lines() { curl -s "http://127.0.0.1:${METRICS[2]}/metrics" | awk '/^updraft_activator_access_log_lines_total/ { print $2 }'; }
unlogged() {
  local before
  before=$(lines)
  get metered /unwanted > /dev/null
  [ "$(lines)" = "$before" ]
}
wait_until 10 "requests not to be logged any more" unlogged

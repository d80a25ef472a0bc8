#!/usr/bin/env bash
# Two services, one crashing at start: the other is untouched; the first says why in its conditions and in describe.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
service good | kubectl apply -f -
ready good
get good | grep -q Hello || fail "good does not answer"
before=$(kubectl get pods -l serving.knative.dev/service=good -o jsonpath='{.items[*].metadata.name} {.items[*].status.containerStatuses[*].restartCount}')

service bad EXIT_AT_START=3 EXIT_MESSAGE="no database at db.example" | kubectl apply -f -
says_why() { kubectl get ksvc bad -o json | jq -e '.status.conditions[] | select(.type == "Ready" and .status == "False")'; }
wait_until 60 "bad to be Ready=False" says_why
kubectl get ksvc bad -o json | jq -c '.status.conditions[]'
kubectl get ksvc bad -o json | jq -e '[.status.conditions[].message // ""] | any(contains("no database at db.example"))' ||
  fail "the conditions do not say what the program said"
kubectl get revision bad-00001 -o json | jq -e '.status.conditions[] | select(.type == "ContainerHealthy" and .status == "False" and .reason == "ExitCode3")' ||
  fail "the revision has no ContainerHealthy=False with ExitCode3"
kubectl describe ksvc bad > "$WORK/describe" || fail "describe"
grep -q 'no database at db.example' "$WORK/describe" || { cat "$WORK/describe"; fail "describe does not say why"; }

get good | grep -q Hello || fail "good does not answer any more"
after=$(kubectl get pods -l serving.knative.dev/service=good -o jsonpath='{.items[*].metadata.name} {.items[*].status.containerStatuses[*].restartCount}')
[ "$before" = "$after" ] || [ -z "${after// /}" ] || fail "good was touched: $before -> $after"
curl -sS --noproxy '*' --max-time 30 -o /dev/null -w '%{http_code}\n' "$(url bad)" | grep -q '^[45]' || fail "bad should answer with an error"

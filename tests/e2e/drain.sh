#!/usr/bin/env bash
# Pods are deleted and a node is drained, by kubectl and by updraft, while requests keep coming: each instance is replaced,
# finishes what it has, and no request is lost. A namespace that is deleted takes everything with it.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
ANNOTATIONS='autoscaling.knative.dev/min-scale: "1"' service hello | kubectl apply -f -
ready hello

touch "$WORK/codes"
ask() { while [ -e "$WORK/codes" ]; do curl -sS --noproxy '*' --max-time 30 -o /dev/null -w '%{http_code}\n' "$(url hello)" >> "$WORK/codes.$1"; done; }
ask 1 & ask 2 & ask 3 &
answered() { cat "$WORK"/codes.? 2> /dev/null | wc -l; }
more_answers() { [ "$(answered)" -ge $((before + 20)) ]; }
before=0; wait_until 30 "the first answers" more_answers

running() { kubectl get pods --field-selector=status.phase=Running -l serving.knative.dev/service=hello -o name; }
replaced() { local now; now=$(running); [ -n "$now" ] && [ "$now" != "$pod" ]; }
node=$(kubectl get nodes -o name | cut -d/ -f2)

pod=$(running)
kubectl delete "$pod" --timeout=60s
wait_until 30 "another instance in its place" replaced
before=$(answered); wait_until 30 "answers of the other instance" more_answers

for tool in kubectl "$BIN/updraft"; do
  pod=$(running)
  "$tool" drain "$node" --timeout 60s || fail "$tool drain"
  [ -z "$(kubectl get pods -A --field-selector="spec.nodeName=$node" -o name)" ] || fail "something is left on the node"
  kubectl get nodes | grep SchedulingDisabled > /dev/null || fail "the node is not cordoned"
  kubectl uncordon "$node"
  wait_until 30 "another instance in its place" replaced
done
before=$(answered); wait_until 30 "answers of the last instance" more_answers
rm "$WORK/codes"; wait
[ -z "$(cat "$WORK"/codes.? | grep -v '^200$')" ] || { sort "$WORK"/codes.? | uniq -c; fail "requests were lost"; }
log "$(answered) requests, three instances replaced, none lost"

kubectl create namespace team
service inside | kubectl apply -n team -f -
kubectl wait -n team --for=condition=Ready ksvc/inside --timeout=60s
kubectl delete namespace team --timeout=60s
[ -z "$(kubectl get ksvc,revisions,routes,configurations,events -n team -o name)" ] || fail "the namespace has left something"

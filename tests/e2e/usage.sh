#!/usr/bin/env bash
# A revision of class hpa gets instances for what it uses of its node: the node-agent reads it from cgroups every 15 s.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
kubectl apply -f - <<END
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: busy}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/class: hpa.autoscaling.knative.dev
        autoscaling.knative.dev/metric: cpu
        autoscaling.knative.dev/target: "50"
        autoscaling.knative.dev/max-scale: "3"
    spec:
      containers:
      - image: dev.local/sample:latest
        resources: {requests: {cpu: 1m}}
END
ready busy
"$BIN/updraft_load" --url "$(url busy)" --concurrency 4 --seconds 60 > "$WORK/load" & load_pid=$!
CLEANUP+=("kill $load_pid")
several() { [ "$(pods_of busy | wc -l)" -eq 3 ]; }
wait_until 90 "three instances for what one uses" several
log "three instances"

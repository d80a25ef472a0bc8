#!/usr/bin/env bash
# What is inside: a cluster-local service is there for instances alone, and found by its name; several containers of one
# instance share its network and its volumes, have logs and statuses of their own; init containers come first.
source "$(dirname "$0")/lib.sh"

platform_up
load_sample
kubectl patch configmap config-features -n knative-serving --type merge \
  -p '{"data": {"kubernetes.podspec-init-containers": "enabled", "kubernetes.podspec-fieldref": "enabled"}}'
kubectl create -f - <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {key: sesame}
END

service hidden MESSAGE=hidden | sed '0,/name: hidden/s//name: hidden\n  labels: {networking.knative.dev\/visibility: cluster-local}/' |
  kubectl apply -f -
kubectl apply -f - <<END
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: caller}
spec:
  template:
    metadata:
      annotations: {autoscaling.knative.dev/min-scale: "1"}
    spec:
      initContainers:
      - name: prepare
        image: dev.local/sample:latest
        env:
        - {name: WRITE_FILE, value: /shared/prepared}
        - {name: MESSAGE, value: prepared}
        - {name: EXIT_AT_START, value: "0"}
        - {name: EXIT_MESSAGE, value: all is prepared}
        volumeMounts: [{name: shared, mountPath: /shared}]
      containers:
      - name: user
        image: dev.local/sample:latest
        ports: [{containerPort: 8080}]
        livenessProbe: {httpGet: {path: /live}, periodSeconds: 1, failureThreshold: 3}
        env:
        - name: COLOUR
          valueFrom: {configMapKeyRef: {name: settings, key: colour}}
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        - name: HOST_IP
          valueFrom: {fieldRef: {fieldPath: status.hostIP}}
        - name: NODE
          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
        - {name: PLACE, value: "\$(POD_IP) on \$(NODE)"}
        envFrom: [{secretRef: {name: keys}}]
        volumeMounts:
        - {name: shared, mountPath: /shared}
        - {name: optional, mountPath: /optional, readOnly: true}
        - {name: all, mountPath: /all, readOnly: true}
      - name: beside
        image: dev.local/sample:latest
        env: [{name: PORT, value: "8081"}, {name: MESSAGE, value: beside}]
        volumeMounts: [{name: shared, mountPath: /shared}]
      volumes:
      - {name: shared, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
      - {name: optional, configMap: {name: none, optional: true}}
      - name: all
        projected:
          sources:
          - secret: {name: keys}
          - configMap: {name: settings}
          - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
          - serviceAccountToken: {path: token, audience: api}
END
ready hidden
ready caller
pod=$(pods_of caller)
is() { [ "$1" = "$2" ] || fail "$3: \"$1\" instead of \"$2\""; }

is "$(kubectl get ksvc hidden -o 'jsonpath={.status.url}')" http://hidden.default.svc.cluster.local "the URL of a cluster-local service"
for host in hidden.default.svc.cluster.local hidden.default.svc hidden.default caller.default.svc.cluster.local; do
  is "$(curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -H "Host: $host" "http://127.0.0.1:$HTTP_PORT/")" 404 "$host from outside"
done
is "$(get caller /fetch/hidden.default.svc.cluster.local/ | tail -n 1)" hidden "a cluster-local service from inside"
is "$(get caller /fetch/caller.default/file/shared/prepared | tail -n 1)" prepared "a short name from inside"
is "$(get caller /fetch/none.default.svc.cluster.local/)" "no address for none.default.svc.cluster.local" "a service that is not there"
get caller /file/etc/resolv.conf | grep '^search default.svc.cluster.local svc.cluster.local cluster.local' > /dev/null || fail "no search for services"

is "$(get caller /file/shared/prepared)" prepared "what the init container wrote"
is "$(get caller /fetch/127.0.0.1:8081/file/shared/prepared | tail -n 1)" prepared "what the other container sees of it"
is "$(get caller /fetch/127.0.0.1:8081/ | tail -n 1)" beside "the other container on the same network"
for file in key=sesame colour=blue "name=${pod#pod/}"; do
  is "$(get caller "/file/all/${file%%=*}")" "${file#*=}" "the projected file ${file%%=*}"
done
get caller /file/all/token | grep -Eq '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.' || fail "no token"
get caller /env | grep -x COLOUR=blue > /dev/null || fail "no variable from the ConfigMap"
get caller /env | grep -x key=sesame > /dev/null || fail "no variable from the Secret"

environment=$(get caller /env)
value() { grep "^$1=" <<< "$environment" | cut -d= -f2-; }
of_pod() { kubectl get "$pod" -o "jsonpath={$1}"; }
is "$(value POD_IP)" "$(of_pod .status.podIP)" "the pod's address"
is "$(value HOST_IP)" "$(of_pod .status.hostIP)" "the node's address"
is "$(value NODE)" "$(of_pod .spec.nodeName)" "the node's name"
is "$(value PLACE)" "$(of_pod .status.podIP) on $(of_pod .spec.nodeName)" "what is made of them"

is "$(kubectl logs "$pod" -c prepare)" "all is prepared" "the init container's log"
is "$(kubectl logs "$pod" -c beside)" "listening on 8081" "the other container's log"
is "$(kubectl logs "$pod" 2> /dev/null)" "listening on 8080" "the log without a name"
status() { kubectl get "$pod" -o "jsonpath=$1"; }
is "$(status '{.status.initContainerStatuses[*].name}/{.status.containerStatuses[*].name}')" "prepare/user beside" "the statuses"
is "$(status '{.status.initContainerStatuses[0].state.terminated.reason}')" Completed "the init container's end"
is "$(kubectl get revision caller-00001 -o 'jsonpath={.status.initContainerStatuses[*].name}')" prepare "the revision's status"

log "a tag is hidden by a label"
kubectl patch ksvc caller --type merge -p '{"spec": {"traffic": [{"latestRevision": true, "percent": 100, "tag": "now"}]}}'
outside() { [ "$(curl -s --noproxy '*' -o /dev/null -w '%{http_code}' "$(url now-caller)")" = "$1" ]; }
wait_until 10 "the tag to answer" outside 200
kubectl label service now-caller networking.knative.dev/visibility=cluster-local
wait_until 10 "the tag to be hidden" outside 404
ready caller
is "$(kubectl get ksvc caller -o 'jsonpath={.status.traffic[0].url}')" http://now-caller.default.svc.cluster.local "the URL of a hidden tag"
is "$(get caller /fetch/now-caller.default.svc.cluster.local/file/shared/prepared | tail -n 1)" prepared "a hidden tag from inside"

log "the container beside crashes: it is restarted alone"
get caller /fetch/127.0.0.1:8081/exit > /dev/null
restarted() { [ "$(status '{.status.containerStatuses[1].restartCount}{.status.containerStatuses[0].restartCount}{.status.containerStatuses[1].ready}')" = 10true ]; }
wait_until 15 "the container beside to be restarted" restarted
wait_until 15 "the container beside to answer" sh -c "curl -s --noproxy '*' http://caller.default.localhost:$HTTP_PORT/fetch/127.0.0.1:8081/ | grep -q beside"
is "$(get caller /file/shared/prepared)" prepared "what the init container wrote, after that"

log "the liveness probe fails: the container is restarted, the instance stays"
get caller '/live?fail' > /dev/null
wait_until 15 "the container to be restarted" sh -c "kubectl get $pod -o 'jsonpath={.status.containerStatuses[0].restartCount}{.status.containerStatuses[0].ready}' | grep -qx 1true"
is "$(get caller /file/shared/prepared)" prepared "what the init container wrote, after that"

log "a ConfigMap and a Secret change: the next instance has it"
kubectl patch configmap settings --type merge -p '{"data": {"colour": "green"}}'
kubectl patch secret keys --type merge -p '{"stringData": {"key": "barley"}}'
kubectl delete "$pod"
changed() { [ "$(get caller /file/all/colour)$(get caller /file/all/key)" = greenbarley ] && get caller /env > "$WORK/env"; }
wait_until 30 "an instance with the new values" changed
grep -qx COLOUR=green "$WORK/env" || fail "no new variable from the ConfigMap"
grep -qx key=barley "$WORK/env" || fail "no new variable from the Secret"

#!/usr/bin/env bash
# Commands in instances, connections to their ports and their logs, with the real kubectl over each of its transports.
source "$(dirname "$0")/lib.sh"

"$ROOT/tests/images/build-image" --binary "$BIN/sample_server" --busybox "$(command -v busybox)" \
  --reference dev.local/shell:latest --output "$WORK/shell.tar"
platform_up
"$BIN/updraft" image load --agent "unix:$RUN/node-agent.sock" "$WORK/shell.tar"
# Two instances, so that one that ends does not count as the revision's failure.
IMAGE=dev.local/shell:latest ANNOTATIONS='autoscaling.knative.dev/min-scale: "2"' service shell | kubectl apply -f -
ready shell
POD=$(pods_of shell)
POD=${POD%%$'\n'*}
POD=${POD#pod/}

expect() { [ "$2" = "$3" ] || fail "$1: wanted \"$3\", got \"$2\""; }
inside() { kubectl exec "$POD" -- "$@"; }
sessions() { find "$RUN/node-agent/sessions" -mindepth 1 2> /dev/null | wc -l; }
quiet() { [ "$(sessions)" = 0 ]; }
runs() { pgrep -f "$1" > /dev/null; }
ended() { ! runs "$1"; }
curl_port() { curl -sS --noproxy '*' --max-time 10 "http://127.0.0.1:$1${2:-/}"; }

for websockets in true false; do
  export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets KUBECTL_PORT_FORWARD_WEBSOCKETS=$websockets
  log "websockets: $websockets"

  expect "output" "$(inside echo hello 2>&1)" hello
  expect "the user" "$(inside id -u)" 65532
  expect "standard error apart" "$(inside sh -c 'echo out; echo err >&2' 2>&1 > /dev/null)" err
  code=0; inside sh -c 'exit 3' 2> "$WORK/err" || code=$?
  expect "the exit code" "$code" 3
  code=0; inside no-such-command > "$WORK/out" 2>&1 || code=$?
  [ $code -ne 0 ] && grep -q no-such-command "$WORK/out" || fail "a command that is not there: $code $(cat "$WORK/out")"
  expect "input" "$(printf 'a\nb\nc\n' | kubectl exec -i "$POD" -- wc -l)" 3
  expect "a container by name" "$(kubectl exec "$POD" -c user-container -- echo named)" named
  ! kubectl exec "$POD" -c other -- true 2> "$WORK/err" || fail "a container that is not there"

  # Much, both ways, through a process that is slower than we are.
  head -c 20000000 /dev/urandom > "$WORK/much"
  kubectl exec -i "$POD" -- cat < "$WORK/much" > "$WORK/back"
  cmp "$WORK/much" "$WORK/back" || fail "20 MB came back changed"
  expect "a reader that leaves" "$(inside yes | head -n 3 | wc -l)" 3

  # A terminal: that it is one, and its size, which is told once the process runs.
  sized='tty; for i in $(seq 100); do [ "$(stty size)" = "33 101" ] && echo sized && break; usleep 50000; done; exit 4'
  script -qec "stty rows 33 cols 101; kubectl exec -it $POD -- sh -c '$sized'" /dev/null \
    < /dev/null > "$WORK/terminal" && code=0 || code=$?
  expect "the exit code from a terminal" "$code" 4
  grep -q '/dev/pts/' "$WORK/terminal" && grep -q sized "$WORK/terminal" || fail "terminal: $(cat "$WORK/terminal")"

  # Whoever goes takes the process along, and what it has started.
  kubectl exec "$POD" -- sh -c 'sleep 4711; true' & client=$!
  wait_until 10 "a process inside" runs '^sleep 4711'
  kill -9 $client
  wait_until 10 "its end" ended 'sleep 4711'
  wait_until 10 "its fifos' end" quiet

  # Ports.
  port=$(free_port)
  kubectl port-forward "$POD" "$port:8080" > "$WORK/forward" 2>&1 & forward=$!
  wait_until 10 "port-forward" curl_port "$port"
  expect "through a port" "$(curl_port "$port")" "Hello from Updraft!"
  expect "20 MB through a port" "$(curl_port "$port" '/?bytes=20000000' | wc -c)" 20000000
  for i in 1 2 3 4 5 6 7 8; do curl_port "$port" '/?sleep=200' > "$WORK/port.$i" & list[$i]=$!; done
  wait "${list[@]}" || fail "eight connections at once"
  kill $forward
  wait $forward 2> /dev/null || true
  kubectl port-forward "$POD" "$port:81" > "$WORK/forward" 2>&1 & forward=$!
  refused() { ! curl_port "$port" && grep -qi refused "$WORK/forward"; }
  wait_until 10 "word that nobody listens at port 81" refused
  kill $forward 2> /dev/null || true
  wait $forward 2> /dev/null || true
done

log "cp"
echo precious > "$WORK/file"
kubectl cp "$WORK/file" "$POD:/tmp/file"
kubectl cp "$POD:/tmp/file" "$WORK/copy" > /dev/null
cmp "$WORK/file" "$WORK/copy" || fail "a file came back changed"

log "attach and logs"
kubectl attach "$POD" > "$WORK/attached" 2>&1 & attached=$!
kubectl logs -f "$POD" > "$WORK/followed" 2>&1 & followed=$!
IP=$(kubectl get pod "$POD" -o jsonpath='{.status.podIP}')
says() { curl -sS --noproxy '*' --max-time 5 "http://$IP:8080/log?lines=1" > /dev/null; grep -q . "$WORK/attached"; }
wait_until 10 "attached output" says
kill $attached
wait $attached 2> /dev/null || true
before=$(kubectl logs "$POD" | wc -l)
[ "$before" -ge 1 ] || fail "no logs"
expect "--tail" "$(kubectl logs "$POD" --tail=1 | wc -l)" 1
expect "--limit-bytes" "$(kubectl logs "$POD" --limit-bytes=5 | wc -c)" 5
expect "--timestamps" "$(kubectl logs "$POD" --tail=1 --timestamps | grep -c '^20..-..-..T')" 1
expect "--since" "$(kubectl logs "$POD" --since=1h | wc -l)" "$before"
# The container ends and is started again: who follows stays, who asks for the run before gets it.
curl -sS --noproxy '*' --max-time 5 "http://$IP:8080/exit?code=9" > /dev/null 2>&1 || true
restarted() {
  [ "$(kubectl get pod "$POD" -o jsonpath='{.status.containerStatuses[0].restartCount}')" = 1 ] &&
    curl -sS --noproxy '*' --max-time 5 "http://$IP:8080/log?lines=1" > /dev/null
}
wait_until 30 "the restart" restarted
follows() { [ "$(wc -l < "$WORK/followed")" -gt "$before" ]; }
wait_until 10 "lines of the next run" follows
[ -n "$(kubectl logs "$POD" --previous)" ] || fail "--previous says nothing"
kill $followed
wait $followed 2> /dev/null || true

# Whatever is killed, no process and no fifo is left of it. (Over SPDY kubectl takes a connection that breaks for an end.)
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true
for part in controller node-agent containerd; do
  log "$part is killed"
  wait_until 20 "a command to run" inside true
  kubectl exec "$POD" -- sh -c 'sleep 4712; true' > /dev/null 2>&1 & client=$!
  wait_until 10 "a process inside" runs '^sleep 4712'
  kill -9 "$(pid_of $part)"
  if wait $client; then fail "exec ended well"; fi
  wait_until 20 "its end" ended 'sleep 4712'
  wait_until 10 "its fifos' end" quiet
done
wait_until 20 "a command to run" inside true

log "an instance that goes takes its commands along"
kubectl exec "$POD" -- sleep 4713 > /dev/null 2>&1 & client=$!
wait_until 10 "a process inside" runs '^sleep 4713'
kubectl delete ksvc shell --wait=false
if wait $client; then fail "exec ended well"; fi
wait_until 10 "its fifos' end" quiet

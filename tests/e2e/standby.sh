#!/usr/bin/env bash
# Of two controllers on one etcd one works and the other stands by. It takes over at once from one that is told to stop or is
# seen to be gone, and after its lease from one that is frozen; one that wakes up too late ends. What was acknowledged is there.
source "$(dirname "$0")/lib.sh"

mapfile -t ports < <(free_ports 6)
store=etcd://127.0.0.1:${ports[0]}/updraft
declare -A API=([a]=${ports[2]} [b]=${ports[3]}) OPERATIONS=([a]=${ports[4]} [b]=${ports[5]}) PID=()

etcd --data-dir "$WORK/etcd" --listen-client-urls "http://127.0.0.1:${ports[0]}" --advertise-client-urls "http://127.0.0.1:${ports[0]}" \
  --listen-peer-urls "http://127.0.0.1:${ports[1]}" --log-level error > "$WORK/etcd.log" 2>&1 &
CLEANUP+=("kill -9 $!")
start() {
  "$BIN/controller" --store "$store" --api-address "127.0.0.1:${API[$1]}" --grpc-address "unix:$WORK/$1.sock" \
    --metrics-address "127.0.0.1:${OPERATIONS[$1]}" >> "$WORK/$1.log" 2>&1 &
  PID[$1]=$!
  CLEANUP+=("kill -9 $! 2> /dev/null")
}
operations() { curl -s --max-time 2 "http://127.0.0.1:${OPERATIONS[$1]}/$2"; }
# Not grep -q: what it leaves unread would be an error of who writes.
says() { operations "$1" metrics | grep -x "updraft_controller_leader $2" > /dev/null; }
leads() { says "$1" 1 && [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:${OPERATIONS[$1]}/readyz")" = 200 ]; }
stands_by() { says "$1" 0 && operations "$1" readyz | grep "standing by: .*127.0.0.1:${API[$2]} leads" > /dev/null; }
ask() { local of=$1; shift; kubectl -s "http://127.0.0.1:${API[$of]}" "$@"; }
has() { ask "$1" get configmap "${@:2}" > /dev/null || fail "$1 lacks ${*:2}"; }

start a
wait_until 20 "a to lead" leads a
start b
wait_until 10 "b to stand by" stands_by b a
ask a create configmap one

log "a is told to stop"
kill "${PID[a]}"
wait_until 5 "b to lead at once" leads b
has b one
ask b create configmap two
start a
wait_until 10 "a to stand by" stands_by a b

log "b is killed"
kill -9 "${PID[b]}"
wait_until 5 "a to lead at once" leads a
has a one two
ask a create configmap three
start b
wait_until 10 "b to stand by" stands_by b a

log "a is frozen"
kill -STOP "${PID[a]}"
wait_until 20 "b to lead" leads b
has b one two three
ask b create configmap four
kill -CONT "${PID[a]}"
gone() { ! kill -0 "${PID[a]}" 2> /dev/null; }
wait_until 5 "a to end" gone
grep -q '"event":"lead_lost"' "$WORK/a.log" || fail "a does not say why it ended"
leads b || fail "b does not lead any more"
has b four

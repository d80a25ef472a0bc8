# Sourced after peers.sh: what a request costs in instructions and system calls, counted. Both are the difference of, or
# are taken between, two moments of one load, so that starting up is no part of them, and neither depends on the machine's
# other work.

# Why instructions, or system calls, cannot be counted here; empty: they can.
cannot_count_instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null true > /dev/null 2>&1 || echo "valgrind does not work here"
}
cannot_count_calls() {
  local scope=/proc/sys/kernel/yama/ptrace_scope
  strace -o /dev/null true > /dev/null 2>&1 || { echo "strace does not work here"; return; }
  [ "$(id -u)" = 0 ] || [ ! -e $scope ] || [ "$(cat $scope)" = 0 ] || echo "only root may trace here"
}

# instructions_at TARGET REQUESTS LOAD...: in user space, of the thread that carries requests, in a whole run with so many.
instructions_at() {
  local target=$1 requests=$2 out=$WORK/callgrind.$1
  shift 2
  "start_$target" valgrind --quiet --tool=callgrind --separate-threads=yes --callgrind-out-file="$out" > /dev/null
  "$@" "$target" "$requests" > /dev/null
  stop "$target"
  # A file for each thread; an activator has several, of which the worker alone knows of exchanges.
  if grep -q updraft::Loop "$out"-*; then
    grep -l updraft::http::Http1Connection::ServeRequest "$out"-* | xargs awk '/^totals:/ { print $2 }'
  else
    awk '/^totals:/ { sum += $2 } END { printf "%.0f\n", sum }' "$out"-*
  fi
  rm -f "$out" "$out"-*
}
# instructions_per_request TARGET FEW MANY LOAD...: LOAD is a command that takes the target and a number of requests.
instructions_per_request() {
  local target=$1 few=$2 many=$3 at_few at_many
  shift 3
  at_few=$(instructions_at "$target" "$few" "$@")
  at_many=$(instructions_at "$target" "$many" "$@")
  echo $(((at_many - at_few) / (many - few)))
}
one_by_one() { load "$1" --connections 1 --requests "$2"; }

# calls_per_request TARGET REQUESTS COMMAND...: of the thread that carries them, while COMMAND sends so many. The target
# runs and is warm.
calls_per_request() {
  local target=$1 requests=$2 worker pid
  shift 2
  worker=$(worker_of "$target")
  strace -c -o "$WORK/strace" -p "$worker" > /dev/null 2>&1 &
  pid=$!
  wait_for 10 "strace" grep -Eq '^TracerPid:\s+[1-9]' "/proc/${PID[$target]}/task/$worker/status"
  "$@" > /dev/null
  kill -INT $pid
  wait $pid 2> /dev/null || true
  awk -v n="$requests" '$NF == "total" { printf "%.2f\n", $4 / n }' "$WORK/strace"
}

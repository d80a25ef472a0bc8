# Sourced after lib.sh by what measures the activator beside HAProxy and nginx: each with one worker on one core, in front
# of one backend, with the same hosts to route by. Backend and load have the other core.
WORK=$(mktemp -d /tmp/updraft-bench.XXXXXX)
PROXY_CORE=0 LOAD_CORE=$(($(nproc) > 1))
HOSTS=1000
HOST=h0.bench        # the one that is asked for
GRPC_HOST=grpc.bench  # its instance speaks HTTP/2
declare -A PID PORT TLS_PORT METRICS CONTROL_PID CONTROL_IN

at_exit() {  # all that runs beside is a program of its own, no shell that would leave one behind
  local pids
  pids=$(jobs -p)
  [ -z "$pids" ] || kill $pids 2> /dev/null || true
  wait 2> /dev/null || true
  rm -rf "$WORK"
}
trap at_exit EXIT

die() {
  echo "$BENCH: $*" >&2
  tail -n 5 "$WORK"/*.log >&2 || true
  exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" 2> /dev/null; do
    [ $SECONDS -lt $deadline ] || die "waited in vain for $what"
    sleep 0.05
  done
}

# A port on loopback that nothing listens on and that no connection gets by itself.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    grep -qi ":$(printf %04X $port) " /proc/net/tcp /proc/net/tcp6 || { echo $port; return; }
  done
}
listens() { grep -qi ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp; }

start_backend() {
  BACKEND=$(free_port)
  taskset -c "$LOAD_CORE" "$BIN/updraft_bench_backend" "$BACKEND" 2> "$WORK/backend.log" &
  wait_for 5 "the backend" listens "$BACKEND"
}

# For all three: a certificate with an ECDSA key on P-256.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$HOST" \
  -addext "subjectAltName=DNS:$HOST" -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2> /dev/null
cat "$WORK/tls.crt" "$WORK/tls.key" > "$WORK/tls.pem"

# stop TARGET: in order, so that a profiler writes what it found.
stop() {
  kill -TERM "${PID[$1]}" 2> /dev/null || true
  wait "${PID[$1]}" 2> /dev/null || true
  [ -n "${CONTROL_PID[$1]:-}" ] || return 0
  kill "${CONTROL_PID[$1]}"
  wait "${CONTROL_PID[$1]}" 2> /dev/null || true
  exec {CONTROL_IN[$1]}>&-
  unset "CONTROL_PID[$1]"
}

# start_activator NAME [WRAPPER...]: under a name of its own. CONTROL_FLAGS go to the fake controller, ACTIVATOR_FLAGS to
# the activator.
start_activator() {
  local name=$1 socket=$WORK/$1.sock
  shift
  rm -f "$WORK/$name.in" "$socket"
  mkfifo "$WORK/$name.in"
  taskset -c "$LOAD_CORE" "$BIN/updraft_fake_control" --listen "unix:$socket" --backend "$BACKEND" --routes $HOSTS ${CONTROL_FLAGS:-} \
    < "$WORK/$name.in" > "$WORK/$name.out" 2> "$WORK/$name.control.log" &
  CONTROL_PID[$name]=$!
  exec {CONTROL_IN[$name]}> "$WORK/$name.in"
  PORT[$name]=$(free_port) TLS_PORT[$name]=$(free_port) METRICS[$name]=$(free_port)
  taskset -c $PROXY_CORE "$@" "$BIN/activator" --workers 1 --http-address "127.0.0.1:${PORT[$name]}" --id bench \
    --https-address "127.0.0.1:${TLS_PORT[$name]}" --tls-cert "$WORK/tls.crt" --tls-key "$WORK/tls.key" \
    --controller "unix:$socket" --autoscaler "unix:$socket" --metrics-address "127.0.0.1:${METRICS[$name]}" \
    --drain-seconds 5 ${ACTIVATOR_FLAGS:-} > "$WORK/$name.log" 2>&1 &
  PID[$name]=$!
  wait_for 200 "the activator's routes" grep -q routed "$WORK/$name.out"
  wait_for 10 "the activator" listens "${PORT[$name]}"
}
start_updraft() { start_activator updraft "$@"; }
# wake_up NAME: the instances of an activator whose controller was told that they sleep.
wake_up() { echo wake >&"${CONTROL_IN[$1]}"; }
# start_updates NAME RATE: so many routes change a second.
start_updates() { echo "updates $2" >&"${CONTROL_IN[$1]}"; }
# stop_updates NAME: how many the activator has applied.
stop_updates() {
  local before
  before=$(grep -c updated "$WORK/$1.out" || true)
  echo "updates 0" >&"${CONTROL_IN[$1]}"
  wait_for 10 "the last update" more_updated "$1" "$before"
  awk '$1 == "updated" { count = $2 } END { print count }' "$WORK/$1.out"
}
more_updated() { [ "$(grep -c updated "$WORK/$1.out")" -gt "$2" ]; }
# metric NAME METRIC: the sum of its series.
metric() {
  curl -s "http://127.0.0.1:${METRICS[$1]}/metrics" |
    awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { printf "%.0f\n", sum }'
}

# The addresses that the fake controller gives to so many instances.
instance_addresses() {
  local i
  for ((i = 0; i < $1; ++i)); do echo "127.0.$((i / 250)).$((i % 250 + 1)):$BACKEND"; done
}
# What a worker of the activator does beside: limits, timeouts, forwarding fields, a map of hosts, statistics.
# start_haproxy_as NAME INSTANCES [WRAPPER...]: of two servers at random the one with fewer requests, as the activator does.
start_haproxy_as() {
  local name=$1 instances=$2 i
  shift 2
  PORT[$name]=$(free_port) TLS_PORT[$name]=$(free_port)
  { for ((i = 0; i < HOSTS; ++i)); do echo "h$i.bench instances"; done; echo "$GRPC_HOST http2"; } > "$WORK/$name.map"
  cat > "$WORK/$name.cfg" << END
global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout client 300s
  timeout server 300s
  timeout connect 2s
  timeout http-request 10s
  timeout http-keep-alive 300s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:${PORT[$name]}
  bind 127.0.0.1:${TLS_PORT[$name]} ssl crt $WORK/tls.pem
  http-request set-header X-Forwarded-Proto http
  use_backend %[req.hdr(host),lower,map($WORK/$name.map)]
backend instances
  balance random(2)
$(instance_addresses "$instances" | awk '{ print "  server i" NR " " $1 " maxconn 1000" }')
backend http2
  server i0 127.0.0.1:$BACKEND proto h2 maxconn 1000
END
  taskset -c $PROXY_CORE "$@" haproxy -db -f "$WORK/$name.cfg" > "$WORK/$name.log" 2>&1 &
  PID[$name]=$!
  wait_for 60 HAProxy listens "${PORT[$name]}"
}
start_haproxy() { start_haproxy_as haproxy 1 "$@"; }

start_nginx() {
  PORT[nginx]=$(free_port) TLS_PORT[nginx]=$(free_port) NGINX_HTTP2=$(free_port)
  local i
  mkdir -p "$WORK/nginx"
  for ((i = 0; i < HOSTS; ++i)); do echo "h$i.bench instances;"; done > "$WORK/nginx.map"
  cat > "$WORK/nginx.conf" << END
daemon off;
master_process off;
worker_processes 1;
pid $WORK/nginx/pid;
error_log $WORK/nginx.err;
events { worker_connections 9000; }
http {
  access_log off;
  client_body_temp_path $WORK/nginx/body;
  proxy_temp_path $WORK/nginx/proxy;
  fastcgi_temp_path $WORK/nginx/fastcgi;
  uwsgi_temp_path $WORK/nginx/uwsgi;
  scgi_temp_path $WORK/nginx/scgi;
  keepalive_requests 100000000;
  keepalive_timeout 300s;
  map_hash_max_size 8192;
  map \$host \$upstream { include $WORK/nginx.map; }
  upstream instances {
    server 127.0.0.1:$BACKEND max_conns=1000;
    keepalive 256;
    keepalive_requests 100000000;
  }
  upstream http2 {
    server 127.0.0.1:$BACKEND max_conns=1000;
    keepalive 256;
    keepalive_requests 100000000;
  }
  server {
    server_name $GRPC_HOST;
    listen 127.0.0.1:$NGINX_HTTP2 http2;
    location / {
      grpc_pass grpc://http2;
      grpc_set_header Host \$host;
      grpc_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
      grpc_set_header X-Forwarded-Proto \$scheme;
    }
  }
  server {
    server_name _;
    listen 127.0.0.1:${PORT[nginx]};
    listen 127.0.0.1:${TLS_PORT[nginx]} ssl;
    ssl_certificate $WORK/tls.crt;
    ssl_certificate_key $WORK/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    listen 127.0.0.1:$NGINX_HTTP2 http2 default_server;
    http2_max_concurrent_streams 1000;
    location / {
      proxy_pass http://\$upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host \$host;
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto \$scheme;
    }
  }
}
END
  taskset -c $PROXY_CORE "$@" nginx -e "$WORK/nginx.err" -c "$WORK/nginx.conf" > "$WORK/nginx.log" 2>&1 &
  PID[nginx]=$!
  wait_for 60 nginx listens "${PORT[nginx]}"
}

# Where HTTP/2 with prior knowledge is spoken.
http2_port() { if [ "$1" = nginx ]; then echo "$NGINX_HTTP2"; else echo "${PORT[$1]}"; fi; }
# The thread that carries the requests.
worker_of() {
  local task
  for task in "/proc/${PID[$1]}/task"/*; do
    [ -z "${CONTROL_PID[$1]:-}" ] || [ "$(cat "$task/comm")" = worker-0 ] || continue
    basename "$task"
    return
  done
}
# Run time of all threads so far, in nanoseconds.
cpu_ns() { cat "/proc/${PID[$1]}/task"/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
# The same of the thread that carries the requests.
worker_ns() { cut -d' ' -f1 "/proc/${PID[$1]}/task/$(worker_of "$1")/schedstat"; }
pss_bytes() { awk '/^Pss:/ { printf "%.0f\n", $2 * 1024 }' "/proc/${PID[$1]}/smaps_rollup"; }
load() { taskset -c "$LOAD_CORE" "$BIN/updraft_bench_load" --port "${PORT[$1]}" --host $HOST "${@:2}"; }

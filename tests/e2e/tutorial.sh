#!/usr/bin/env bash
# Runs docs/tutorial.md: files are written as shown, every `sh` block has to succeed, every `sh fails` block to fail.
source "$(dirname "$0")/lib.sh"

platform_up
"$ROOT/tests/images/build-image" --binary "$BIN/sample_server" --reference dev.local/hello:latest --output "$WORK/hello.tar"
"$BIN/updraft" image load --agent "unix:$RUN/node-agent.sock" "$WORK/hello.tar"
export PATH=$BIN:$PATH
cd "$WORK"
# Blocks become files: NNN.sh, NNN.fails, or the named file.
awk -v port="$HTTP_PORT" '
  /^```sh fails$/ { n++; out = sprintf("%03d.fails", n); next }
  /^```sh$/ { n++; out = sprintf("%03d.sh", n); next }
  /^```yaml file=/ { out = substr($0, index($0, "=") + 1); next }
  /^```/ { out = ""; next }
  out != "" { gsub(/localhost:8080/, "localhost:" port); gsub(/127\.0\.0\.1:8080/, "127.0.0.1:" port); print > out }
' "$ROOT/docs/tutorial.md"
count=0
for block in [0-9][0-9][0-9].*; do
  log "$block: $(head -n1 "$block")"
  count=$((count + 1))
  if bash -euo pipefail "$block" > out 2>&1; then ok=1; else ok=0; fi
  cat out
  case $block in
    *.fails) [ $ok = 0 ] || fail "$block should have failed" ;;
    *) [ $ok = 1 ] || fail "$block failed" ;;
  esac
done
[ $count -ge 9 ] || fail "only $count blocks were found"

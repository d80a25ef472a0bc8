#!/usr/bin/env bash
# The README's commands, as written there, on this machine: the platform comes up, hello answers from zero, and the
# phases of its cold start are printed and add up.
source "$(dirname "$0")/lib.sh"
unset KUBECONFIG

[ ! -e /run/updraft/platform.json ] || fail "a platform is up on this machine: stop it first with updraft down"
CLEANUP+=("'$BIN/updraft' down --purge > /dev/null 2>&1")
for command in deploy/quickstart tests/run; do
  grep -q "^ *$command\$" "$ROOT/README.md" || fail "README.md does not show $command"
done
"$ROOT/deploy/quickstart" 2>&1 | tee "$WORK/out" || fail "deploy/quickstart"
grep -q 'Hello from Updraft!' "$WORK/out" || fail "no reply was printed"
awk '/^  [a-z_]+ +[0-9.]+$/ { if ($1 == "total") total = $2; else sum += $2 } END { print "phases", sum, "total", total; d = sum - total; exit !(total > 0 && d < 0.5 && d > -0.5) }' \
  "$WORK/out" || fail "the phases do not add up to the total"
"$BIN/updraft" status || fail "updraft status"

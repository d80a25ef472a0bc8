# Sourced by every benchmark: medians, rows, and the two forms of output.
#   source "$(dirname "$0")/lib.sh"; options: --json, --rounds N, --bin FOLDER, and --seconds N and --only REGEX where
#   a benchmark has loads that take time or parts that can be left out
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH=$(basename "$0")
JSON= ROUNDS= SECONDS_EACH= ONLY= BIN=$ROOT/build/release/bin
while [ $# -gt 0 ]; do
  case $1 in
    --json) JSON=1 ;;
    --rounds) ROUNDS=$2; shift ;;
    --seconds) SECONDS_EACH=$2; shift ;;
    --only) ONLY=$2; shift ;;
    --bin) BIN=$(cd "$2" && pwd); shift ;;
    *) echo "$BENCH: unknown option $1: use --json, --rounds N, --seconds N, --only REGEX, --bin FOLDER" >&2; exit 2 ;;
  esac
  shift
done
[ -x "$BIN/updraft" ] || { echo "$BENCH: $BIN/updraft is missing: build first, or use --bin" >&2; exit 2; }

# quantile FRACTION FILE: of one number a line.
quantile() { sort -g "$2" | awk -v q="$1" '{ v[NR] = $1 } END { i = int(q * NR) + 1; if (i > NR) i = NR; print v[i] }'; }

# row NAME VALUE UNIT [PEER PEER_VALUE [higher|lower]]: ratio above 1 is better than the peer; lower values are better
# unless said.
row() {
  local name=$1 value=$2 unit=$3 peer=${4:-} peer_value=${5:-} better=${6:-lower} ratio=
  if [ -n "$peer_value" ]; then
    ratio=$(awk -v a="$value" -v b="$peer_value" -v h="$better" 'BEGIN { printf "%.2f", (h == "higher" ? a / b : b / a) }')
  fi
  if [ -n "$JSON" ]; then
    jq -cn --arg bench "$BENCH" --arg row "$name" --argjson value "$value" --arg unit "$unit" --arg peer "$peer" \
      --argjson peer_value "${peer_value:-null}" --argjson ratio "${ratio:-null}" \
      '{bench: $bench, row: $row, value: $value, unit: $unit, peer: $peer, peer_value: $peer_value, ratio: $ratio}'
  else
    printf '%-34s %10s %-4s  %-12s %10s  %s\n' "$name" "$value" "$unit" "$peer" "$peer_value" "${ratio:+ratio $ratio}"
  fi
}
note() { [ -n "$JSON" ] || printf '%s\n' "$*"; }

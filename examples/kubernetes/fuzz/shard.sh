#!/bin/sh
# Runs the shard of this pod, or continues it if an earlier pod of the same index was evicted or failed.
set -eu
folder="$REPORTS/shard-$JOB_COMPLETION_INDEX"
if [ -f "$folder/state.json" ]; then
  set -- --resume "$folder"
else
  set -- --report "$folder" --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" --time "$DURATION" --seed "$SEED"
fi
code=0
# OPTIONS holds several options, so it is split into words.
# shellcheck disable=SC2086
contract-tests run --target "$TARGET" ${CALLERS:+--callers "$CALLERS"} $OPTIONS "$@" || code=$?
# 1 is a verdict: the shard is done, and the merge reports it.
[ "$code" = 1 ] || exit "$code"

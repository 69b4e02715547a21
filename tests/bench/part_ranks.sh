# Memory of 64 ranks on this host while they train 2 x 650, V = 10,000: the sum of their proportional set sizes.
source "$(dirname "$0")/support.sh"
ranks=${RANKS:-64} # fewer, to try it
model B
needed_free=3000000 # kB that must stay available: the host shall not begin to kill

available() { awk '/^MemAvailable/ {print $2}' /proc/meminfo; }
rank_processes() { pgrep -f "^$BUILD/seqtrain --run $WORK/crowd " || true; } # below the launcher or its proxy
proportional() { # PID... -> kB
  local pid
  for pid in "$@"; do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done | awk '/^Pss:/ {sum += $2} END {print sum + 0}'
}

rm -rf "$WORK/crowd"
launcher_command $ranks
"${launch[@]}" "$BUILD/seqtrain" --run "$WORK/crowd" --log-every 1 "${model_options[@]}" --steps 2 \
  >>"$log" 2>&1 </dev/null &
job=$!
trap 'kill -TERM $job 2>/dev/null || true; wait' EXIT
most=0
refused=
while kill -0 $job 2>/dev/null; do
  now=$(proportional $(rank_processes))
  [ "$now" -le "$most" ] || most=$now
  if [ "$(available)" -lt $needed_free ]; then
    refused="stopped at $((most / 1024)) MiB: the memory of this host is used up"
    kill -KILL $(rank_processes) || true
    break
  fi
  sleep 0.5
done
wait $job || [ -n "$refused" ] || { tail -5 "$log" >&2; exit 1; }
trap - EXIT
if [ -n "$refused" ]; then
  skip ranks "$ranks ranks, B" "$refused"
else
  report ranks "$ranks ranks, B" "$(calc "$most * 1024 / 1e9")" GB 1 \
    "$(calc "$most * 1024 / ($ranks * 4 * $parameters)")" 'parameters of all ranks'
fi

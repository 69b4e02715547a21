# Which checkpoint a rollback goes back to, whatever stopped or killed the run before, and what becomes of the others.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
"$SEQTRAIN" --help | grep -q -- '--inject' || { echo "built without SEQ_FAULT_INJECTION" >&2; exit 77; }
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 12 --embed 8 --batch 2 --window 8 --epochs 99 --replicas 4 --shards 2 --no-checkpoint-background
  --on-bad-numbers rollback)
stop_at() { # stop_at POINT STEP RUN COMMAND...: by SIGTERM; then its newest checkpoint is of this step
  signal_at "$1" TERM "$3" "${@:4}" --run "$work/$3"
  [ $code -eq 75 ] || bad "$3: exit code $code, expected 75: $(tail -1 "log.$3")"
  [ "$(ls "$3/checkpoints" | tail -1)" = "$(printf step-%09d "$2")" ] || bad "$3: not stopped after step $2: $(ls "$3/checkpoints")"
}

# A signal's checkpoint is nothing that a rollback may go back to: it goes behind it, also to the beginning, and keeps what it needs.
experiment "stopped by signals before rollbacks, killed in them, continued on another P" "the bytes of the run that nothing happened to"
runs=0
faults="nan-loss:step=3;spike-loss:step=14,replica=1,by=4;spike-norm:step=18,replica=2"
rolling=("${train[@]}" --keep 1 --steps 22 --checkpoint-every 4 --on-spike rollback --spike-window 8 --inject "$faults")
expect 0 finished "${rolling[@]}" --run planned
stopped() { # stopped UPDATE STEP JOB...: a checkpoint of this step is there then, and newer than the one to go back to
  signal_at "train-update:$1" TERM signalled "${@:3}" "${rolling[@]}" --run "$work/signalled"
  [ $code -eq 75 ] || bad "exit code $code, expected 75: $(tail -1 log.signalled)"
  [ -e "signalled/checkpoints/step-0000000$2" ] || bad "not stopped after step $2: $(ls signalled/checkpoints)"
  runs=$((runs + 1))
}
stopped 1 02
stopped 11:1 13 run_mpi 4
for point in save.renewed retain.manifest-removed; do # killed before and while it removes the checkpoint of step 13
  code=0
  (SEQ_CRASH_AT=$point exec "${rolling[@]}" --run signalled) >log.txt 2>&1 || code=$?
  was_killed $code && grep -q "rolled back to step 12" log.txt || bad "$point: exit code $code: $(tail -2 log.txt)"
  runs=$((runs + 1))
done
[ ! -e signalled/checkpoints/step-000000013/manifest.json ] && [ -e signalled/checkpoints/step-000000013 ] || bad "not killed in a removal: $(ls signalled/checkpoints)"
stopped 3 17
expect 0 "rolled back" "${rolling[@]}" --run signalled
same_tree planned/checkpoints signalled/checkpoints
outcome $runs

experiment "stopped in a validation that ends in a rollback" "behind the window that is condemned, not to the validated step; same bytes"
for keep in 3 1; do
  invalid=("${train[@]}" --steps 30 --checkpoint-every 4 --validate-every 12 --keep $keep --inject nan-validation:step=12)
  expect 5 "rolled back to step 8 .*" "${invalid[@]}" --run valid-$keep # whenever it comes there
  stop_at train-validate:2 12 halted-$keep "${invalid[@]}"
  expect 5 "rolled back to step 8 " "${invalid[@]}" --run halted-$keep
  same_tree valid-$keep/checkpoints halted-$keep/checkpoints
done
outcome 2

# back_to STEP RUN OPTION...: where a rollback leads.
back_to() { expect 0 "rolled back to step $1 " "${train[@]}" --run "${@:2}"; }
experiment "no checkpoint is due by the plan of this session" "the newest, not the beginning"
expect 0 finished "${train[@]}" --run other-every --checkpoint-every 10 --steps 50
back_to 50 other-every --checkpoint-every 7 --steps 80 --inject nan-loss:step=52
expect 0 finished "${train[@]}" --run late-every --checkpoint-every 0 --validate-every 10 --steps 55
back_to 55 late-every --checkpoint-every 30 --validate-every 0 --steps 80 --inject nan-loss:step=57
stop_at train-update:45 46 late-rollback "${train[@]}" --on-bad-numbers stop --keep 1 --checkpoint-every 10 --steps 80
back_to 46 late-rollback --keep 1 --checkpoint-every 10 --steps 80 --inject nan-loss:step=47
outcome 3

experiment "a split without validation, its epochs of one step" "the last that --checkpoint-every or --checkpoint-epochs asks for"
make_text 40 >short.txt
expect 0 train "$SEQPREP" --unit char -o bare short.txt
for epochs in 0:10 3:12; do
  bare=(--data bare --window 60000 --checkpoint-every 10 --checkpoint-epochs "${epochs%:*}" --steps 16)
  stop_at train-update:13 14 "bare${epochs%:*}" "${train[@]}" "${bare[@]}"
  back_to "${epochs#*:}" "bare${epochs%:*}" "${bare[@]}" --inject nan-loss:step=15
done
outcome 2

experiment "the one that is due is of another cut of the streams" "cut anew from there, and said so"
stop_at train-update:12 13 cut "${train[@]}" --checkpoint-every 10 --steps 40
back_to 10 cut --replicas 2 --override replicas --checkpoint-every 10 --steps 40 --inject nan-loss:step=17
[ "$(grep -c '"event": "recut"' cut/metrics.jsonl)" -eq 2 ] || bad "cut $(grep -c '"event": "recut"' cut/metrics.jsonl) times: $(grep recut cut/metrics.jsonl)"
expect 0 verified "$SEQINFO" cut --verify
outcome 1

# What the checkpoint does not have begins at zero again, so a rollback ends like a run that skips the window at once.
experiment "the one to go back to was another rule's, or of another cut" "moments and states are zero again, whatever they have become"
expect 0 finished "${train[@]}" --run before --steps 10 --checkpoint-every 10 --optimizer sgd
for change in "optimizer adam" "batch 3"; do
  name=${change% *}
  changed=(--override "$name" "--$name" "${change#* }" --checkpoint-every 10 --steps 20 --rollback-factor 1)
  cp -r before "$name-back"
  cp -r before "$name-skip"
  back_to 10 "$name-back" "${changed[@]}" --inject nan-parameter:step=17
  expect 0 "is skipped" "${train[@]}" --run "$name-skip" "${changed[@]}" --on-bad-numbers skip --inject nan-loss:step=17
  for shard in 0 1; do
    same "$name-back/checkpoints/step-000000020/shard-000$shard.h5" "$name-skip/checkpoints/step-000000020/shard-000$shard.h5"
  done
done
outcome 2

experiment "the one that is due is damaged" "set aside; the newest, not the beginning"
stop_at train-update:12 13 damaged "${train[@]}" --keep 1 --checkpoint-every 5 --steps 30
printf X | dd of=damaged/checkpoints/step-000000010/shard-0001.h5 bs=1 seek=3000 conv=notrunc status=none
back_to 13 damaged --keep 1 --checkpoint-every 5 --steps 30 --inject nan-loss:step=15
[ -e damaged/checkpoints/step-000000010.damaged-0 ] || bad "not set aside: $(ls damaged/checkpoints)"
outcome 1

if [[ ${SANITIZE:-} != *thread* ]]; then # this sanitizer wants to be loaded first
  experiment "the checkpoint of the beginning cannot be written, --on-save-failure continue" "the newer one stays until there is another; the run goes on"
  full=("${train[@]}" --checkpoint-every 10 --steps 30 --on-save-failure continue --inject nan-loss:step=6)
  stop_at train-update:3 4 full "${full[@]}"
  code=0
  (LD_PRELOAD="$IO_SHIM" SEQ_IO_CALL=write SEQ_IO_PATH=step-000000000 SEQ_IO_ERRNO=ENOSPC SEQ_IO_TIMES=0 SEQ_CRASH_AT=train-update:4 exec "${full[@]}" --run full) \
    >log.full 2>&1 || code=$?
  was_killed $code && grep -q "rolled back to step 0" log.full || bad "exit code $code: $(tail -2 log.full)"
  [ "$(ls full/checkpoints)" = step-000000004 ] || bad "its checkpoints are $(ls full/checkpoints)"
  expect 0 "rolled back to step 0" "${full[@]}" --run full
  outcome 1
fi
finish

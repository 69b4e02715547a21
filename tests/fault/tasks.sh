# Every task with items, with all that a model of it can have: the same bytes on any number of ranks and after any kill, batches cut
# anew, the audit, the replica check, numbers that are none, and files that somebody has damaged or written with intent. A task that
# this script has no items for is a failure. The whole takes every task and every place, the default run two tasks and a few.
# Long: 1200
[ -w /dev/shm ] && export TMPDIR=/dev/shm # some hundred checkpoints, each synced to its disk
source "$SUPPORT/common.sh"
needs_fault_points
launcher_environment 0
whole=$((SCALE >= 10))

# items TASK COUNT FROM: sentences of 1 to 9 words, each with a label, a number, or a tag a word; or as many frames, with a label, or
# in files of their own with up to 3 labels, which strings are made of; or a source and a target, which only for validation may be empty.
items() {
  awk -v task="$1" -v count="$2" -v from="$3" 'BEGIN {
    if (task == "frames") print "@problemName none\n@timestamps false\n@univariate false\n@dimensions 2\n@equalLength false\n@classLabel true down even up\n@data"
    for (i = from; i < from + count; i++) {
      if (task == "transcribe" || task == "strings") {
        file = task "/" i ".csv"
        for (t = 0; t <= i * 7 % 9; t++) printf "%g,%g\n", (i * 5 + t * 3) % 23 / 7, (i * 5 + t * 3 + 1) % 23 / 7 - 1 >file
        close(file)
        printf "%d.csv\t", i
        for (t = 0; t < i % 4 && t <= i * 7 % 9; t++) printf "%s ", substr("abc", (i + t) % 3 + 1, 1)
        print ""
        continue
      }
      if (task == "frames") {
        for (k = 0; k < 2; k++) {
          for (t = 0; t <= i * 7 % 9; t++) printf "%s%g", t ? "," : k ? ":" : "", (i * 5 + t * 3 + k) % 23 / 7 - k
        }
        print ":" (i % 3 ? (i % 3 > 1 ? "up" : "even") : "down")
        continue
      }
      if (task == "classify" || task == "generate") printf "%s\t", i % 3 ? (i % 3 > 1 ? "up" : "even") : "down"
      if (task == "rate") printf "%s\t", i * 7 % 11 / 2 - 1
      for (t = 0; t <= i * 7 % 9; t++) {
        word = i % 5 == t ? "once" i : "w" (i * 5 + t * 3) % 23
        if (task == "translate" && t == i * 7 % 9) word = word "\t"
        if (task == "tag") print word "\t" (t % 3 == 1 ? "B-x" : t % 3 == 2 && i % 2 ? "I-x" : "O")
        else printf "%s ", word
      }
      for (t = 0; task == "translate" && t < i % 5 + (i < 100); t++) printf "%sv%d", t ? " " : "", (i * 3 + t * t) % 19
      print ""
    }
  }'
}

# begin TASK: `command` trains it, for 3 epochs of 6 steps. In the last of an epoch 3 of 4 replicas have no item, as in the last
# batch of validation.
begin() {
  local preparing=() words=(--embed 5 --embedding-dropout 0.1 --word-dropout 0.1 --singletons 0.5) kind=$1
  task=$1
  command=("$SEQTRAIN" --data "$task/data" --layers 2 --hidden 6,5 --bidirectional --feedforward-between 6 --feedforward 4 --dropout 0.2
    --dropout-locked --weight-drop 0.3 --replicas 4 --batch 2 --epochs 3 --steps 18
    --clip-norm 0.3 --schedule plateau --log-every 1 --keep 99 --checkpoint-every 4 --validate-every 5)
  input=text labels=label cut=(--batch 3 --override batch) answer=("$SEQPREDICT" "$task/valid.txt") changed='bidirectional no'
  case $task in
  classify) command+=(--pool attention --label-smoothing 0.1 --class-weights balanced) ;;
  frames) # classify, too
    command+=(--pool attention --label-smoothing 0.1 --class-weights balanced)
    input=frames kind=classify preparing=(--reader ts) words=()
    ;;
  rate)
    command+=(--cell gru --pool max-mean --loss huber --batch-tokens 16)
    cut=(--batch-tokens 25 --override batch-tokens)
    ;;
  transcribe)
    input=frames labels=symbols preparing=(--reader tsv --columns path=1,text=2 --unit word) words=()
    ;;
  translate)
    command+=(--attention additive --attention-order bahdanau --decoder-layers 2 --decoder-hidden 5 --scheduled-sampling 0.3
      --label-smoothing 0.1 --batch-tokens 16)
    words=(--embed 5 --embedding-dropout 0.1)
    cut=(--batch-tokens 25 --override batch-tokens)
    input=source labels=target preparing=(--columns source=1,target=2 --reader tsv)
    ;;
  strings) # 21 of the 41 items each epoch, so that a step of 4 has 6, and its last one item; joined by 1 to 3 frames
    kind=transcribe input=frames labels=symbols words=() cut=(--batch 2 --override batch)
    preparing=(--reader tsv --columns path=1,text=2 --unit word --strings 3 --string-count 9 --gap-least 1 --gap-most 3)
    command+=(--strings 3 --gap-least 1 --gap-most 3 --batch 1 --input-noise 0.1 --time-masks 1 --time-mask-width 2)
    ;;
  tag)
    command+=(--letters-hidden 4 --letters-embed 3 --normalize items)
    preparing=(--letters --store-tags iobes)
    labels=tag
    ;;
  generate)
    command+=(--condition first --condition-embed 3 --no-bidirectional)
    preparing=(--labels label)
    answer=("$SEQSAMPLE" --label label=up --quiet) changed='condition-embed 4'
    ;;
  *)
    bad "this test has no items for the task $task"
    return 1
    ;;
  esac
  command+=(${words[@]+"${words[@]}"})
  mkdir "$task"
  items "$task" 41 0 >"$task/train.txt"
  items "$task" 9 100 >"$task/valid.txt"
  expect 0 "train +41" "$SEQPREP" --task "$kind" ${preparing[@]+"${preparing[@]}"} --valid "$task/valid.txt" -o "$task/data" "$task/train.txt"
  expect 0 "audit +epoch 3: each of 41 items was read once" "${command[@]}" --run "$task/whole"
  newest=step-000000018
  before=step-000000016
}

equal_bytes() {
  local ranks
  experiment "$task: P = 1, 2, 4, and threads" "same bytes; replicas without items and a short validation among them"
  for ranks in $1; do
    expect 0 "audit +epoch 3: each of 41 items was read once" run_mpi "$ranks" "${command[@]}" --run "$task/on-$ranks"
    same_tree "$task/whole/checkpoints" "$task/on-$ranks/checkpoints"
  done
  if [ $whole -eq 1 ]; then
    expect 0 finished run_mpi 2 "${command[@]}" --threads 2 --overlap on --bucket 512 --run "$task/threads"
    same_tree "$task/whole/checkpoints" "$task/threads/checkpoints"
    expect 0 finished env SEQ_RANKS_PER_NODE=1 "${command[@]}" --threads 3 --run "$task/three"
    same_tree "$task/whole/checkpoints" "$task/three/checkpoints"
  fi
  outcome $(($(wc -w <<<"$1") + 2 * whole))
}

# resume PLACE:COUNT:RANK...: each session has 4, 1 or 2 ranks in turn and is killed there; the last is not.
resume() {
  local ranks=4 place code kills=0
  experiment "$task: SIGKILL, continued on another P" "same bytes, each epoch audited"
  rm -rf "$task/torn"
  for place in "$@" ""; do
    job=(run_mpi $ranks)
    [ $ranks -gt 1 ] || job=()
    code=0
    SEQ_CRASH_AT=$place ${job[@]+"${job[@]}"} "${command[@]}" --no-checkpoint-background --run "$task/torn" >log.txt 2>&1 || code=$?
    if [ -n "$place" ]; then
      was_killed $code || bad "$task, $ranks ranks, at $place: exit code $code: $(tail -2 log.txt)"
      kills=$((kills + 1))
    elif [ $code -ne 0 ]; then
      bad "$task, $ranks ranks: exit code $code: $(tail -2 log.txt)"
    fi
    ranks=$((ranks == 4 ? 1 : ranks * 2))
  done
  [ "$(grep -c '"resume"' "$task/torn/metrics.jsonl")" -ge 1 ] || bad "$task: never resumed"
  same_tree "$task/whole/checkpoints" "$task/torn/checkpoints"
  for epoch in 1 2 3; do
    grep '"audit"' "$task/torn/metrics.jsonl" | grep "\"epoch\": $epoch," | grep -q '"verdict": "each item once"' || bad "$task: no audit of epoch $epoch"
  done
  outcome $kills
}

# Of step 8, the second of the second epoch, onwards: what was read, less what was read twice, with what was not, is all.
cut_anew() {
  local read counts
  experiment "$task: batches cut anew on resume" "twice and missed are counted right, the next epoch is whole"
  expect 0 finished "${command[@]}" --steps 8 --run "$task/cut"
  expect 0 "buckets are cut anew: .*epoch 2 goes on at window [0-9]+ of [0-9]+ \(it was 2 of [0-9]+\)" \
    "${command[@]}" "${cut[@]}" --steps 0 --run "$task/cut"
  read=$(sed -nE 's/^audit +epoch 2 is mixed, its buckets were cut anew at step 8: ([0-9]+) items were read as planned.*/\1/p' .out)
  counts=$(sed -nE 's/.*"items_twice": ([0-9]+), "items_missed": ([0-9]+).*/\1 + \2/p' "$task/cut/metrics.jsonl")
  [ -n "$counts" ] && [ $((${read:-0} - $counts)) -eq 41 ] || bad "$task: read ${read:-nothing}, twice and missed: $counts"
  grep -q "audit *epoch 3: each of 41 items was read once" .out || bad "$task: epoch 3 is not whole: $(grep audit .out)"
  outcome 2
}

misread() {
  experiment "$task: a rank reads another's part of the items" "exit 3, rank and host named, not saved"
  SEQ_MISREAD=2 expect 3 "rank 2: data audit of epoch 1 at step 4: on host [^ ]+ it has not read its own part of the data, each item once" \
    run_mpi 4 "${command[@]}" --run "$task/wrong"
  absent "$task/wrong/checkpoints"
  outcome 1
}

flipped() {
  experiment "$task: a bit of one copy of the parameters flips" "exit 6, rank and host named; continued, same bytes"
  SEQ_RANKS_PER_NODE=1 SEQ_FLIP=0:9:2 expect 6 "replica check after step 10: .*rank 2 on host [^ ]+ differs from rank 0 " \
    run_mpi 4 "${command[@]}" --check-replicas 2 --no-checkpoint-background --run "$task/flip"
  [ "$(ls "$task/flip/checkpoints" | tail -1)" = step-000000008 ] || bad "$task: saved after the flip: $(ls "$task/flip/checkpoints" | tail -1)"
  expect 0 finished "${command[@]}" --run "$task/flip"
  same_tree "$task/whole/checkpoints" "$task/flip/checkpoints"
  outcome 1
}

# numbers RANKS...: a loss, a gradient and a parameter that are none, in step 11 of replica 2; checkpoints of each step.
numbers() {
  local fault ranks runs=0 code text from=$task/numbers
  experiment "$task: a number that is none stops the run, is skipped, rolled back" "exit 5 and a name; the step changes nothing; same bytes on any P"
  expect 0 finished "${command[@]}" --steps 9 --run "$from"
  for ranks in "$@"; do
    job=(run_mpi "$ranks")
    [ "$ranks" -gt 1 ] || job=()
    while read -r fault policy code text; do
      cp -r "$from" "$task/$policy-$fault-$ranks"
      expect "$code" "$text" ${job[@]+"${job[@]}"} "${command[@]}" --steps 14 --checkpoint-every 1 --run "$task/$policy-$fault-$ranks" --on-bad-numbers "$policy" \
        --inject "$fault:step=11$([ "$fault" = nan-parameter ] || echo ,replica=2)"
      grep -q "recurrent state" .out && bad "$task: states of items are told of: $(grep 'recurrent state' .out)"
      same_tree "$task/$policy-$fault-$1/checkpoints" "$task/$policy-$fault-$ranks/checkpoints"
      runs=$((runs + 1))
    done <<END
nan-gradient stop 5 step 11, epoch 2.*weight_hh_l0.*last good checkpoint is [^ ]*step-000000010
nan-loss skip 0 1 steps skipped, rolled back 0 times
nan-parameter rollback 0 rolled back 1 times, 1 windows passed over
END
  done
  cmp "$task/skip-nan-loss-$1/checkpoints/step-000000010/shard-0000.h5" "$task/skip-nan-loss-$1/checkpoints/step-000000011/shard-0000.h5" ||
    bad "$task: the skipped step has changed something"
  outcome $runs
}

refused=0
refuse() { # refuse CODE TEXT COMMAND...: one that hangs ends, too
  refused=$((refused + 1))
  expect "$1" "$2" timeout 300 "${@:3}"
}

# refuse_checkpoint TEXT: all readers of the newest checkpoint of $task/bad; seqtrain goes on from the one before it.
shown=0
refuse_checkpoint() {
  shown=$((shown + 1))
  if is_turn 0; then refuse 4 "$1" "$SEQINFO" "$task/bad/checkpoints/$newest" --verify; fi
  if is_turn 1; then refuse 4 "$1" "$SEQEVAL" "$task/bad/checkpoints/$newest" --data "$task/data"; fi
  if is_turn 2; then refuse 4 "$1" "$SEQPREDICT" "$task/bad/checkpoints/$newest" "$task/valid.txt"; fi
  if is_turn 3; then refuse 0 "step 18 cannot be used: .*($1)" "${command[@]}" --run "$task/bad"; fi
}
is_turn() { [ $whole -eq 1 ] || [ $((shown % 4)) -eq "$1" ]; }

fresh() {
  what=$1
  rm -rf "$task/bad"
  mkdir -p "$task/bad/checkpoints"
  cp -r "$task/whole/checkpoints/"{$before,$newest} "$task/bad/checkpoints/"
}
seal() { "$HOSTILE" seal "$1" "$2" || bad "cannot seal $1"; }
change() { # change SECTION KEY VALUE, of the checkpoint's manifest, all hashes right
  fresh "$1.$2 = $3"
  "$HOSTILE" set "$task/bad/checkpoints/$newest" manifest.json "$1" "$2" "$3" || bad "cannot change $what"
}

hostile_checkpoints() {
  local file key value text names
  refused=0
  experiment "$task: damaged and hostile checkpoints" "4 and the file named by seqinfo, seqeval and seqpredict; seqtrain falls back"
  names=$(cd "$task/whole/checkpoints/$newest" && ls vocabulary*)
  for file in $names; do
    fresh "$file is missing"
    rm "$task/bad/checkpoints/$newest/$file"
    refuse_checkpoint "$newest.*$file"
    fresh "a bit of $file"
    printf x | dd of="$task/bad/checkpoints/$newest/$file" bs=1 seek=90 conv=notrunc status=none
    refuse_checkpoint "$newest.*$file"
    fresh "$file with a row twice"
    tail -1 "$task/bad/checkpoints/$newest/$file" | sed "s/^[0-9]*/$(($(wc -l <"$task/bad/checkpoints/$newest/$file") - 1))/" >>"$task/bad/checkpoints/$newest/$file"
    seal "$task/bad/checkpoints/$newest" manifest.json
    refuse_checkpoint "$newest.*$file"
    fresh "$file with one row more"
    printf '%d\t1\tmore\n' $(($(wc -l <"$task/bad/checkpoints/$newest/$file") - 1)) >>"$task/bad/checkpoints/$newest/$file"
    seal "$task/bad/checkpoints/$newest" manifest.json
    refuse_checkpoint "$newest: the model was made for [0-9]+ symbols of $file, which has [0-9]+"
  done
  fresh "no sizes, as early versions wrote it"
  sed -zi 's/,\n *"vocabulary[.][a-z-]*[.]size": "[0-9]*"//g; s/  "hash": "[0-9a-f]*"\n}\n$//' "$task/bad/checkpoints/$newest/manifest.json"
  "$HOSTILE" sign "$task/bad/checkpoints/$newest/manifest.json" || bad "cannot sign"
  expect 0 "" "${answer[0]}" "$task/bad/checkpoints/$newest" "${answer[@]:1}"
  while read -r key value; do
    change schema "$key" "$value"
    refuse_checkpoint "$newest.*(schema|task is none|list the files|options? of|no such option|values|no field|neither labels)"
  done < <(hostile_schemas)
  change state parameters 2147483648
  refuse_checkpoint "$newest.*parameters"
  change model hidden 65536,65536
  refuse_checkpoint "$newest.*(record|values|parameters)"
  change options $changed
  refuse_checkpoint "$newest.*values"
  outcome $refused
}

# What no data set of the task says of its columns: KEY VALUE.
hostile_schemas() {
  cat <<END
task none
task lm
field.$input.kind number
field.$input.kind label
field.$input.kind nothing
field.$input.axis example
field.$input.axis nothing
$([ $input != frames ] && printf "field.$input.vocabulary nothing\nfield.$input.vocabulary 2147483648\n" || printf 'field.frames.width 0\nfield.frames.width 3\nfield.frames.deviation 1,0\n')
field.$labels.axis $([ "$task" = tag ] && echo example || echo $input)
field.$labels.axis nothing
field.$labels.kind $([ "$task" = translate ] && echo label || echo ids)
target nothing
$([ "$task" = generate ] && echo target label || echo target $input)
length example
axes example
axis.$input.parent $input
axis.$input.parent nothing
vocabularies text,text,text
vocabularies text,$labels,letters,more
fields $input
fields $labels
END
}

# refuse_data TEXT: seqtrain and seqinfo --verify.
refuse_data() {
  refuse 3 "$1" "${command[@]}" --data "$task/bad-data" --run "$task/none" --resume never
  rm -rf "$task/none"
  [ $whole -eq 0 ] || refuse 3 "$1" "$SEQINFO" "$task/bad-data" --verify
}
fresh_data() {
  what="data: $1"
  rm -rf "$task/bad-data"
  cp -r "$task/data" "$task/bad-data"
}
hostile_data() {
  local vector index value file key
  refused=0
  experiment "$task: damaged and hostile data sets" "3 and the place, the data set and its shard or file named"
  while read -r vector index value; do
    [ -n "$vector" ] || continue
    fresh_data "$vector[$index] = $value"
    "$HOSTILE" element "$task/bad-data/train-0000.h5" "$vector" "$index" "$value" || bad "cannot change $what"
    seal "$task/bad-data" dataset.json
    refuse_data "shard 0 of train: .*(: the data set is damaged|of the vocabulary|not finite)"
  done <<END
$input.ends 3 0
$input.ends 3 4294967295
$input.ends -1 200
$input.ends -1 202
$([ $input != frames ] && echo $input 7 255 || printf 'frames 7 nan\nframes -1 inf\n')
$([ "$task" = rate ] && printf 'label 5 nan\nlabel 5 inf\n' || echo "$labels 7 255")
$([ "$task" = translate ] && printf 'target.ends 3 0\ntarget.ends -1 4294967295\n')
$([ "$task" = tag ] && printf 'letters.ends 8 1\nletters.ends -1 4294967295\nletter 9 255\n')
END
  for file in train-0000.h5 valid-0000.h5 $(cd "$task/data" && ls vocabulary*); do
    fresh_data "$file is missing"
    rm "$task/bad-data/$file"
    refuse_data "$file"
    fresh_data "a bit of $file"
    printf x | dd of="$task/bad-data/$file" bs=1 seek=90 conv=notrunc status=none
    refuse_data "$file"
  done
  while read -r key value; do
    fresh_data "$key = $value"
    "$HOSTILE" set "$task/bad-data" dataset.json data "$key" "$value" || bad "cannot change $what"
    refuse_data "${key%%.*}|$key|train"
  done <<END
train_shards 42
train_shards 40
train_shards 2147483647
train_shards 41,41
train_rows.$input 202
train_rows.$input 9223372036854775807
train_partial 1
END
  while read -r key value; do
    fresh_data "schema.$key = $value"
    "$HOSTILE" set "$task/bad-data" dataset.json schema "$key" "$value" || bad "cannot change $what"
    refuse 3 "data set $task/bad-data: .*(schema|damaged|task none|vocabular)|bad-data.*vocabular" "${command[@]}" --data "$task/bad-data" --run "$task/none"
  done < <([ $whole -eq 1 ] && hostile_schemas || hostile_schemas | grep target)
  outcome $refused
}

mapfile -t tasks < <("$SEQPREP" --task none -o none none 2>&1 | sed -n 's/.*expected one of lm, //p' | sed 's/, /\n/g')
[ ${#tasks[@]} -ge 3 ] || bad "the tasks are not told: ${tasks[*]}"
if [ $whole -eq 1 ]; then
  for task in "${tasks[@]}" frames strings; do
    begin "$task" || continue
    equal_bytes "1 2 4"
    resume train-backward:15:1 train-backward:9 train-exchange:2:1 checkpoint.shard-digested:1:2 train-update:1 train-validate:1:1 train-epoch:1:3
    cut_anew
    misread
    flipped
    numbers 1 4
    hostile_checkpoints
    hostile_data
  done
else
  begin tag
  equal_bytes 4
  resume train-backward:15:1
  numbers 1
  hostile_checkpoints
  hostile_data
  begin translate
  resume train-update:9:1
fi
finish

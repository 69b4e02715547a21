# Settings of `lm` whose results are never to change: a table, and run_setting, which trains one. Sourced by compare.sh (two builds)
# and check.sh (a build and digests.txt). Models take milliseconds; 20 steps cross the end of an epoch, and end in five checkpoints.
# Columns: name; data (chars, words); ranks of the sessions, the first of which ends at step 7 where there are two; options. A + behind
# the ranks: --overlap on. The result depends on none of the ranks. The eight that begin with * are in the default run.
settings() {
  sed 's/ *#.*//; /^$/d' <<'END'
*lstm          chars 1,2   --cell lstm --layers 2 --hidden 12,9 --dropout 0.2
*peephole      words 2+    --cell lstm-peephole --layers 2 --hidden 10 --tied --embed 10 --dropout-output 0.4 --optimizer momentum --lr 0.5
*gru           words 1     --cell gru --hidden 11 --output sampled --samples 20 --optimizer rmsprop --schedule plateau --decay 0.5
*reset-after   words 2,1   --cell gru-reset-after --layers 3 --hidden 9,8,17 --output adaptive --dropout-between 0.3 --optimizer adamw --weight-decay 0.01
*gru-simple    chars 4     --cell gru-simple --hidden 14 --feedforward 11,8 --feedforward-activation tanh --optimizer sgd --lr 0.5 --loss-scale sum
*rnn           chars 2,4+  --cell rnn --layers 2 --hidden 13 --init orthogonal --clip-norm 0.05 --optimizer adagrad --dropout-input 0.3
*tied-sampled  words 4,2   --cell lstm --hidden 8 --embed 8 --tied --output sampled --samples 30 --dropout 0.25 --clip-element 0.01
*bf16          chars 1     --cell lstm --layers 2 --hidden 17,12 --precision bf16 --feedforward 10 --dropout 0.1 --schedule cosine --warmup 3
lstm-dropout   chars 2     --cell lstm --layers 2 --dropout-input 0.1 --dropout-between 0.2 --dropout-output 0.3
lstm-adaptive  words 4     --cell lstm --layers 2 --hidden 20 --output adaptive --cutoffs 10,40 --optimizer sgd --lr 1
lstm-sampled   words 2     --cell lstm --layers 2 --hidden 9 --output sampled --samples 8192 --loss-scale sum --optimizer adagrad
lstm-momentum  chars 4,1   --cell lstm --layers 1 --hidden 16 --optimizer momentum --momentum 0.7 --lr 0.3 --weight-decay 0.001
lstm-uniform   chars 1     --cell lstm --init uniform --init-scale 0.3 --forget-bias 1 --clip-norm 0 --schedule halve --decay-after 1
lstm-dense     words 2+    --cell lstm --feedforward 12,16 --dropout 0.3 --output adaptive --optimizer rmsprop --lr 0.01
lstm-threads   chars 2     --cell lstm --layers 3 --hidden 33 --embed 40 --threads 2 --clip-norm 0.1
lstm-flow      chars 2     --cell lstm --layers 2 --report-gradient-flow 5 --loss-scale sum --clip-norm 1
lstm-skip      words 2     --cell lstm --loss-limit 4.5 --on-bad-numbers skip --max-skips 99 --dropout 0.5 --lr 0.05
lstm-rollback  chars 2     --cell lstm --on-spike rollback --spike-sigma 1 --spike-window 5 --max-rollbacks 9 --lr 0.1 --max-skips 99
lstm-long      chars 4+    --cell lstm --window 33 --batch 1 --hidden 18 --optimizer adam --beta1 0.8 --beta2 0.99 --epsilon 1e-6
lstm-gzip      words 1,4   --cell lstm --compression gzip --shards 3 --keep-every 10
peephole-deep  chars 2,1   --cell lstm-peephole --layers 3 --hidden 8,12,6 --dropout-between 0.5 --optimizer adamw --weight-decay 0.1
peephole-ada   words 4     --cell lstm-peephole --output adaptive --feedforward 18 --optimizer adagrad --lr 0.05 --loss-scale sum
gru-tied       words 4+    --cell gru --layers 2 --hidden 14,10 --embed 10 --tied --dropout 0.2 --clip-element 0.005 --clip-norm 0
gru-normal     chars 2     --cell gru --layers 2 --embed-init normal --precision bf16 --optimizer sgd --lr 0.3
gru-few        words 2+    --cell gru --hidden 20 --embed 50 --batch 1 --window 3 --optimizer sgd --lr 0.5 --clip-norm 0.5 --clip-element 0.02
after-sampled  words 1,4+  --cell gru-reset-after --output sampled --samples 15 --feedforward 10 --dropout-output 0.2 --optimizer momentum --lr 0.1
after-sum      chars 2     --cell gru-reset-after --layers 2 --loss-scale sum --clip-norm 2 --schedule plateau --patience 1 --min-lr 0.001
simple-tied    words 2,4   --cell gru-simple --layers 2 --hidden 9 --embed 9 --tied --output sampled --samples 25 --optimizer adamw
simple-ada     words 2     --cell gru-simple --hidden 16 --output adaptive --dropout-input 0.2 --schedule cosine --optimizer rmsprop --beta2 0.9
rnn-adaptive   words 4,2+  --cell rnn --layers 2 --hidden 15 --output adaptive --feedforward 16 --dropout 0.15 --loss-scale sum
rnn-sampled    words 2     --cell rnn --output sampled --samples 40 --embed-init scaled --clip-element 0.003 --optimizer momentum --lr 0.2
rnn-bf16       chars 4     --cell rnn --layers 2 --precision bf16 --dropout 0.2 --optimizer adagrad --tied --embed 12
replicas       chars 2     --cell lstm --replicas 8 --batch 1 --check-replicas 4 --wire bf16 --bucket 100 --overlap on
END
}

# make_data: the data sets chars and words in the current folder, by $SEQPREP.
make_data() {
  awk 'BEGIN { for (i = 1; i <= 130; i++) print "the " i * i % 97 " boats of river " i % 13 " meet at harbour " i * 7 % 31 }' >text.txt
  "$SEQPREP" --quiet --unit char --valid 0.1 -o chars text.txt && "$SEQPREP" --quiet --unit word --valid 0.1 -o words text.txt
}

# run_setting NAME KERNELS RANKS DATA OPTION...: trains the run NAME in the current folder with $SEQTRAIN, and writes what $SEQEVAL and
# $SEQSAMPLE make of it to NAME/eval.txt, NAME/score.txt and NAME/sample.txt.
run_setting() {
  local name=$1 kernels=$2 layout=$3 data=$4 overlap=() sessions session=0 end
  shift 4
  if [[ $layout = *+ ]]; then overlap=(--overlap on); fi
  IFS=, read -ra sessions <<<"${layout%+}"
  for ranks in "${sessions[@]}"; do
    session=$((session + 1))
    end=20
    if [ $session -lt ${#sessions[@]} ]; then end=7; fi
    on_ranks "$ranks" "$SEQTRAIN" --data "$data" --run "$name" --kernels "$kernels" --layers 1 --hidden 12 --embed 11 --replicas 4 --batch 2 \
      --window 6 --epochs 9 --steps $end --validate-every 5 --keep 99 --seed 5 --log-every 1 "${overlap[@]}" "$@" >"$name.log" 2>&1 </dev/null || {
      echo "setting $name, kernels $kernels, $ranks ranks, session $session: exit code $?: $(tail -n 2 "$name.log")" >&2
      return 1
    }
  done
  "$SEQEVAL" "$name" --newest --kernels "$kernels" --json 2>"$name.log" </dev/null >"$name.eval" &&
    sed 's/, "seconds": [^,}]*//' "$name.eval" >"$name/eval.txt" &&
    head -n 3 text.txt | "$SEQEVAL" "$name" --newest --kernels "$kernels" --per-token --score - >"$name/score.txt" 2>"$name.log" &&
    "$SEQSAMPLE" "$name" --newest --kernels "$kernels" --tokens 30 --count 2 --seed 3 --prime "the " >"$name/sample.txt" 2>"$name.log" </dev/null || {
    echo "setting $name, kernels $kernels: reading it: $(tail -n 2 "$name.log")" >&2
    return 1
  }
}

# on_ranks RANKS COMMAND...: one rank is a process without a launcher. MPI's own leaks are not ours.
on_ranks() {
  if [ "$1" -eq 1 ]; then
    "${@:2}"
  else
    launcher_command "$1"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 "${launch[@]}" "${@:2}"
  fi
}

# kernels_of PROGRAM: those that give the same bits, and that this CPU has.
kernels_of() {
  case $("$1" --version) in
  *'kernels: avx512'*) echo portable avx2 avx512 ;;
  *'kernels: avx2'*) echo portable avx2 ;;
  *'kernels: neon'*) echo portable neon ;;
  *) echo portable ;;
  esac
}

# What a run has measured, of metrics.jsonl, without times, paths and names of this machine.
figures() {
  sed -E '/"event": "(step|validation|gradient_flow|skip|rollback|spike|jump)[a-z_]*"/!d
    s/"[a-z_]*(time|seconds?|bytes)[a-z_]*": ("[^"]*"|[^,}]*),? ?//g; s/"[a-z_]*per_second[a-z_]*": [^,}]*,? ?//g; s/,? *}$/}/' "$1/metrics.jsonl"
}

# circumstances RUN: where digests hold. exp, log, pow and cos are the C library's, and it chooses among its versions by the CPU.
circumstances() {
  local cpu=other
  case $("$SEQTRAIN" --version) in *'kernels: avx'*) cpu='x86_64 with avx2 and fma' ;; esac
  echo "libm: $(getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown)"
  echo "cpu: $cpu"
  echo "denormals: $(sed -n 's/.*"event": "start".*"denormals": "\([a-z]*\)".*/\1/p' "$1/metrics.jsonl" | head -n 1)"
}

# digest_run NAME: lines of digests.txt, by $DIGEST. The last checkpoint is told tensor by tensor, the others as a whole; a new field of manifests
# must stand in added_fields.txt. program.version and program.storage may change, and kernels is what the caller varies.
digest_run() {
  local name=$1 checkpoint last
  last=$(ls -d "$name"/checkpoints/step-* | tail -n 1)
  for checkpoint in "$name"/checkpoints/step-*; do
    "$DIGEST" "$checkpoint" >"$checkpoint.digests" || return 1
    sed -E 's/[ \t]*#.*//; /^$/d; s/^/field /' "$SOURCE/tests/golden/unchanged/added_fields.txt" >"$work/.added"
    grep -vxFf "$work/.added" "$checkpoint.digests" | grep -vE '^field (program\.(version|storage)|options\.kernels)=' |
      sort >"$checkpoint.kept"
    echo "$name ${checkpoint##*/} fields $(grep ^field "$checkpoint.kept" | "$DIGEST" -)"
    if [ "$checkpoint" = "$last" ]; then
      grep -v ^field "$checkpoint.kept" | sed "s|^|$name ${checkpoint##*/} |"
    else
      echo "$name ${checkpoint##*/} tensors $(grep -v ^field "$checkpoint.kept" | "$DIGEST" -)"
    fi
  done
  echo "$name vocabulary $("$DIGEST" - <"$last/vocabulary.tsv")"
  echo "$name figures $(figures "$name" | "$DIGEST" -)"
}

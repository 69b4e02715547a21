# fifty_steps.sh FOLDER [KERNELS]: trains small models for 50 steps into FOLDER/NAME, with $SEQPREP and $SEQTRAIN. Two processors are
# compared by it: what lies in FOLDER/NAME/checkpoints is to be equal, byte for byte. Among the models is all that calls the
# system's mathematics: pow (Adam, decay), cos, log (softmax), log1p and exp (sampled output), and products in bf16.
set -eu
export LC_ALL=C.UTF-8
folder=$1 kernels=${2:-auto}
mkdir "$folder"
cd "$folder"
for i in $(seq 300); do
  echo "the $((i * i % 97)) boats of river $((i % 13)) meet at harbour $((i * 7 % 31))"
done >text.txt
$SEQPREP --unit char --valid 0.1 -o chars text.txt >prepare.log
$SEQPREP --unit word --valid 0.1 -o words text.txt >>prepare.log

# run NAME DATA OPTION...
run() {
  local name=$1 data=$2
  shift 2
  $SEQTRAIN --data "$data" --run "$name" --steps 50 --checkpoint-every 25 --keep 9 --kernels "$kernels" --batch 5 --window 9 --seed 7 \
    --epochs 50 --validate-every 25 "$@" >"$name.log" 2>&1 || {
    tail -n 3 "$name.log" >&2
    exit 1
  }
}
run lstm chars --cell lstm --layers 2 --hidden 44,37 --embed 13 --dropout 0.2 --optimizer adam --schedule cosine --warmup 5 --clip-norm 0.5
run gru words --cell gru-reset-after --layers 1 --hidden 33 --embed 21 --output sampled --optimizer adam --lr 0.01
run rnn words --cell rnn --layers 1 --hidden 50 --embed 9 --output adaptive --optimizer rmsprop --schedule plateau --decay 0.5
run bf16 chars --cell lstm-peephole --layers 1 --hidden 61 --embed 10 --precision bf16 --optimizer adagrad --feedforward 17 --replicas 2

# A disk that fills up at any point: exit code 7, the path in the message, older checkpoints whole, nothing half-written.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 48 --embed 16 --batch 4 --window 8 --epochs 99 --checkpoint-every 10 --validate-every 1000 --keep 9)
expect 0 finished "${train[@]}" --run run --steps 10
limited() { # limited KIB COMMAND...: files cannot grow beyond this
  (
    ulimit -f "$1"
    shift
    exec "$@"
  )
}
for limit in 1 4 8 12; do
  expect 7 "run/" limited $limit "${train[@]}" --run run --steps 20
  expect 0 verified "$SEQINFO" run --verify
  [ "$(ls run/checkpoints | wc -l)" -eq 1 ] || bad "limit $limit KiB: something half-written is left: $(ls run/checkpoints)"
done
expect 0 finished "${train[@]}" --run run --steps 20
expect 7 "small" limited 1 "$SEQPREP" --unit char -o small text.txt
absent small
[ -z "$(ls -d small* 2>/dev/null)" ] || bad "seqprep left $(ls -d small*)"

# A file system that is full, when we may mount one.
mkdir disk
if mount -t tmpfs -o size=300k tmpfs disk 2>/dev/null; then
  expect 7 "disk/run" "${train[@]}" --run disk/run --steps 200 --keep 50 --log-every 1
  expect 0 verified "$SEQINFO" disk/run --verify
  make_text 20000 >long.txt
  expect 7 "disk/data" "$SEQPREP" --unit word -o disk/data long.txt
  absent disk/data
  umount disk
else
  echo "skipped: a tmpfs cannot be mounted here (not root, or a container without the right)" >&2
fi
finish

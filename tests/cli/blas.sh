# --blas FILE: another library with the C interface of BLAS computes, is named in records by what it is and not by where it lies, and
# one that cannot be used is refused with the reason.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 20 --embed 8 --batch 2 --window 8 --steps 12 --checkpoint-every 6 --shards 1)
last=checkpoints/step-000000012
small=$BUILD/tests/support/libsmall_blas
cp ${small}_good.so libfirst.so
loss() { awk -F'"loss": *' '/"event": *"validation"/ {split($2, a, /[,}]/); value = a[1]} END {print value}' "$1/metrics.jsonl"; }
near() { awk "BEGIN {d = $1 - $2; exit !(d < 1e-4 && d > -1e-4)}" || bad "$3: $1 and $2"; }

# It computes, the same bits again, by path or by name; --kernels openblas is implied.
expect 0 finished "${train[@]}" --run own
own=$(loss own)
expect 0 'kernels libfirst.so [0-9a-f]{16}, ' "${train[@]}" --run first --blas ./libfirst.so
mkdir lib
cp libfirst.so lib
expect 0 finished env LD_LIBRARY_PATH=$PWD/lib "${train[@]}" --run again --kernels openblas --blas libfirst.so
same_tree first/checkpoints again/checkpoints
near "$own" "$(loss first)" "the loss with another library"
cmp -s own/$last/shard-0000.h5 first/$last/shard-0000.h5 && bad "the library was not used"
grep -Eq '"arithmetic": "libfirst.so [0-9a-f]{16}"' first/$last/manifest.json || bad "not recorded: $(grep arithmetic first/$last/manifest.json)"
grep -q "$PWD" first/$last/manifest.json && bad "a path in the manifest"
for threads in 2 3; do
  expect 0 finished "${train[@]}" --run threads$threads --threads $threads --blas ./libfirst.so
  near "$own" "$(loss threads$threads)" "$threads threads"
done
expect 0 . "$SEQSAMPLE" own --tokens 20 --greedy --seed 1
cp .out own.txt
expect 0 . "$SEQSAMPLE" own --tokens 20 --greedy --seed 1 --blas ./libfirst.so
same own.txt .out
expect 0 'perplexity' "$SEQEVAL" own --blas ./libfirst.so
"$SEQTRAIN" --dry-run "${train[@]:1}" --blas ./libfirst.so >plan.txt 2>&1 || bad "--dry-run: $(tail -1 plan.txt)"

# On resume: the same library from another place is the same; other bytes are another order, and so is what --blas no longer says.
expect 0 finished "$SEQTRAIN" --run first --blas lib/libfirst.so --steps 14
! grep -q 'not in bits' .out || bad "the same library: $(grep 'not in bits' .out)"
cp libfirst.so lib/libfirst.so
echo >>lib/libfirst.so
expect 0 'arithmetic libfirst.so [0-9a-f]*, here it is libfirst.so [0-9a-f]*: results are equal in statistics, not in bits' \
  "$SEQTRAIN" --run first --blas lib/libfirst.so --steps 16
expect 0 'arithmetic fused|unfused, here it is libfirst.so [0-9a-f]*: results are equal in statistics' "$SEQTRAIN" --run own --blas ./libfirst.so --steps 14
echo 'Some Other CPU' >again/cpu.txt
expect 0 'a CPU Some Other CPU, this is .*: a library such as libfirst.so [0-9a-f]* may add in another order' \
  "$SEQTRAIN" --run again --blas ./libfirst.so --steps 14

# What cannot be used: nothing is begun.
mkfifo pipe.so
echo 'INPUT(-lblas)' >script.so
head -c 1000 libfirst.so >short.so
{ head -c 18 libfirst.so; printf '\363\000'; tail -c +21 libfirst.so; } >riscv.so
for program in "${train[0]}" "$SEQSAMPLE" "$SEQEVAL"; do
  command=("${train[@]}" --run never)
  [ "$program" = "$SEQTRAIN" ] || command=("$program" own)
  expect 2 '--blas ./nowhere.so: No such file' "${command[@]}" --blas ./nowhere.so
  expect 2 '--blas libnowhere.so: cannot be loaded: .*a name without / is looked for' "${command[@]}" --blas libnowhere.so
  expect 2 "--blas ${small}_good.so: a library for --kernels openblas, not for --kernels portable" "${command[@]}" --blas ${small}_good.so --kernels portable
done
never() { expect 2 "$1" timeout $((20 * slower)) "${train[@]}" --run never --blas "$2"; }
never '--blas ./data: a shared library was expected, this is no file' ./data
never '--blas ./pipe.so: a shared library was expected' ./pipe.so
never '--blas ./script.so: not a shared library' ./script.so
never '--blas ./short.so: a damaged library: it has 1000 bytes, and should have [0-9]+' ./short.so
never '--blas ./riscv.so: a library for another kind of CPU .*machine 243; expected' ./riscv.so
never 'its integers have 64 bits .ILP64.; the build with integers of 32 bits' ${small}_wide.so
never 'its integers have 64 bits .it has cblas_sgemm64_, not cblas_sgemm.' ${small}_renamed.so
never 'a product of whole numbers is wrong' ${small}_wrong.so
never 'it has no function cblas_sgemm, so it is no library with the C interface' "$IO_SHIM"
never '--blas.*empty|--blas: ' ''
expect 2 'it has no products in bf16' "${train[@]}" --run never --blas ./libfirst.so --precision bf16
absent never/checkpoints
expect 0 'has started 1 threads of its own' "${train[@]}" --run threaded --blas ${small}_threaded.so

# Libraries of this machine.
for name in libopenblas.so.0 libblis.so.4 libcblas.so.3 libblas.so.3 libmkl_rt.so.2; do
  if "${train[@]}" --run run-$name --blas $name >.out 2>&1; then
    near "$own" "$(loss run-$name)" "$name"
    expect 0 finished "${train[@]}" --run run-$name.again --blas $name
    same_tree run-$name/checkpoints run-$name.again/checkpoints
    echo "$name: $(sed -n 's/.*"arithmetic": "\([^"]*\)".*/\1/p' run-$name/metrics.jsonl)"
  else
    grep -q -- "--blas $name: cannot be loaded" .out || bad "$name: $(tail -1 .out)"
    echo "$name: not tried: not installed"
  fi
done
finish

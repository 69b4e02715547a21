# Small limits of the system: the stack, the address space, a standard output that takes nothing. And OpenBLAS, which needs
# threads and memory, comes when it is asked for and not before.
source "$SUPPORT/common.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--data data --layers 1 --hidden 70 --embed 8 --batch 4 --window 10 --steps 4)
expect 0 finished "$SEQTRAIN" "${small[@]}" --run run
sed 's/^[^ ]*/a/; 2~2s/^a/b/' text.txt >items.txt
expect 0 train "$SEQPREP" --task classify -o items items.txt
expect 0 finished "$SEQTRAIN" --data items --run classes --layers 1 --hidden 20 --embed 8 --steps 4
limited() { (ulimit "$1" "$2" && shift 2 && exec timeout -s KILL $((60 * slower)) "$@"); } # limited LIMIT KILOBYTES COMMAND...
programs=(seqprep seqtrain seqsample seqpredict seqeval seqinfo)
# The commands of a user, one a program; they make `new`.
commands() {
  rm -rf new
  command=()
  case $1 in
  seqprep) command=("$SEQPREP" --unit word -o new text.txt --threads "${2:-1}") ;;
  seqtrain) command=("$SEQTRAIN" "${small[@]}" --run new --threads "${2:-1}") ;;
  seqsample) command=("$SEQSAMPLE" run --tokens 3 --weights bf16) ;;
  seqpredict) command=("$SEQPREDICT" classes text.txt --threads "${2:-1}") ;;
  seqeval) command=("$SEQEVAL" run) ;;
  seqinfo) command=("$SEQINFO" run --verify) ;;
  esac
}

# A product has 222 KB on the stack; libraries have theirs.
while read -r size threads; do
  commands seqtrain $threads
  expect 0 finished limited -s $size "${command[@]}"
  same_tree run/checkpoints new/checkpoints
  commands seqprep $threads
  expect 0 'tokens' limited -s $size "${command[@]}"
done <<<$'64 1\n64 8\n128 2\n256 2\n1024 8'
for program in seqsample seqpredict seqeval seqinfo; do
  commands $program
  expect 0 . limited -s 64 "${command[@]}"
done
if [ -n "$MPIEXEC" ]; then
  rm -rf new
  expect 0 finished run_mpi 2 bash -c 'ulimit -s 64 && exec "$0" "$@"' "$SEQTRAIN" "${small[@]}" --run new --threads 2 --overlap on
fi
# Ctrl-C reaches what waits in a thread that stands for the main one.
mkfifo pipe
(ulimit -s 128 && exec "$SEQPREP" --unit char -o interrupted --quiet pipe) 2>interrupted.txt & # opens the pipe when there is a writer
job=$!
exec 5<>pipe
printf 'text' >&5
wait_for or_ended $job [ -d interrupted.tmp-$job ]
kill -TERM $job
wait $job
code=$?
[ $code -ne 0 ] && [ $code -ne 139 ] || bad "an interrupted seqprep ended with $code: $(cat interrupted.txt)"
exec 5>&-

# With enough address space for their own work, programs do it, and at less they end with a reason.
if [ -n "${SANITIZE:-}" ]; then
  echo "skipped: limits of the address space: sanitizers reserve terabytes"
else
  for program in "${programs[@]}"; do
    commands $program 2
    expect 0 . limited -v 150000 "${command[@]}"
    for size in 50000 30000; do
      commands $program 2
      limited -v $size "${command[@]}" >out.txt 2>&1
      code=$?
      case $code in
      0) ;;
      1 | 7) grep -qi 'memory' out.txt || bad "$program with $size KB: exit code $code without a reason: $(tail -1 out.txt)" ;;
      127) grep -q 'shared librar' out.txt || bad "$program with $size KB: $(tail -1 out.txt)" ;;
      *) bad "$program with $size KB: exit code $code: $(tail -1 out.txt)" ;;
      esac
    done
  done
  # The limit is named: by one process, and by ranks that share memory.
  big=("$SEQTRAIN" "${small[@]}" --hidden 1500 --run big)
  named='; ulimit -v allows this process [0-9.]* MB, of which [0-9.]* MB are left'
  expect 1 "out of memory$named" limited -v 150000 "${big[@]}"
  expect 7 "Cannot allocate memory$named" run_mpi 2 bash -c 'ulimit -v 400000 && exec "$0" "$@"' "${big[@]}"
  expect 1 "out of memory; ulimit -d allows this process" limited -d 60000 "${big[@]}"
  if has_openblas "limits of the address space for OpenBLAS"; then
    for threads in 1 2; do
      commands seqtrain $threads
      for size in 130000 180000; do # OpenBLAS 0.3.29 waits for ever instead
        expect 1 'OpenBLAS needs .* MB .* not to be had .ulimit -v.' limited -v $size "${command[@]}" --kernels openblas
      done
    done
  fi
fi

# OpenBLAS is loaded for --kernels openblas alone; where it is not there, its package is named.
for program in "${programs[@]}"; do
  commands $program
  LD_DEBUG=files "${command[@]}" >loaded.txt 2>&1 || bad "$program under LD_DEBUG fails"
  grep -q 'libc\.so' loaded.txt || bad "LD_DEBUG tells nothing about $program"
  grep -q openblas loaded.txt && bad "$program loads OpenBLAS"
  LD_DEBUG=files "${command[0]}" --version >loaded.txt 2>&1
  grep -q 'libopenblas' loaded.txt && bad "$program --version loads OpenBLAS"
done
mkdir missing
: >missing/libopenblas.so.0
for program in seqtrain seqeval seqsample seqpredict; do
  commands $program
  [ $program = seqsample ] && command=("$SEQSAMPLE" run --tokens 3)
  expect 2 'OpenBLAS cannot be loaded: .*libopenblas0-pthread' env LD_LIBRARY_PATH=missing "${command[@]}" --kernels openblas
done
grep -q '"kernels": "openblas 0\.' run/metrics.jsonl && bad "the first run has OpenBLAS"
if has_openblas "--kernels openblas of each program"; then
  for program in seqeval seqsample seqpredict seqtrain; do
    commands $program
    [ $program = seqsample ] && command=("$SEQSAMPLE" run --tokens 3)
    expect 0 'file=libopenblas.so.0' env LD_DEBUG=files "${command[@]}" --kernels openblas
  done
  grep -q '"kernels": "openblas 0\.[0-9.]* [A-Za-z0-9]*, ' new/metrics.jsonl || bad "the record does not name OpenBLAS: $(head -1 new/metrics.jsonl)"
fi

# What cannot be written is told by all programs.
for program in "$SEQPREP" "$SEQTRAIN" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
  for option in --help --version --man --completion; do
    "$program" $option >/dev/full 2>error.txt
    code=$?
    [ $code -eq 7 ] || bad "$(basename "$program") $option >/dev/full: exit code $code"
    grep -q 'standard output' error.txt || bad "$(basename "$program") $option >/dev/full: $(cat error.txt)"
  done
done
finish

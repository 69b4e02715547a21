#!/bin/bash
# launch/quickstart.sh [FILE]: from a clone to generated text in minutes. Installs what is needed, builds, prepares a corpus
# (FILE, or the King James text that Debian ships), trains a deep LSTM on all cores through mpirun or mpiexec, samples from it and scores
# a sentence. Safe to repeat: a finished stage is not done again. Everything it makes lies in build/ and run/.
source "$(dirname "$0")/common.sh"
started=$SECONDS
build=$root/build
programs=$build
ranks=$cores

corpus=${1:-}
if [ -n "$corpus" ]; then
  [ -r "$corpus" ] || fail_with 3 "$corpus: cannot be read: name a text, or a folder of texts"
  corpus=$(realpath "$corpus")
  name=$(basename "$corpus" | tr -c 'A-Za-z0-9\n' -)
  prime=
else
  name=kjv
  prime='And God said, '
  needed_programs+=(bible)
fi
work=$root/run/$name

say "Building in $build"
configure_and_build "$build" -DCMAKE_BUILD_TYPE=Release -DSEQ_TESTS=OFF
mkdir -p "$work"

if [ ! -e "$work/data/dataset.json" ]; then
  if [ -z "$corpus" ]; then
    corpus=$work/kjv.txt
    make_king_james "$corpus"
  fi
  say "Preparing the data set: seqprep"
  "$programs/seqprep" --unit char --valid 0.02 --output "$work/data" "$corpus"
fi

launcher_environment
launcher_find "$build"
say "Training on $ranks ranks: $launcher -n $ranks seqtrain"
train=("$programs/seqtrain" --data "$work/data" --run "$work/run" --replicas "$ranks" "${quick_start_model[@]}"
  --steps 2500 --validate-every 500 --time-limit 4m)
code=0
run_mpirun "$ranks" "${train[@]}" || code=$?
[ $code -ne 75 ] || [ -z "$asked_to_stop" ] || fail_with 75 "stopped as asked; run this again to go on from the last checkpoint"
case $code in
0) ;;
75) echo "This machine needed more than the time limit: the text below comes from the last checkpoint. Run this again to go on." ;;
*) fail_with "$code" "training ended with exit code $code" ;;
esac

say "400 characters: seqsample"
"$programs/seqsample" "$work/run" --tokens 400 --temperature 0.6 --seed 1 ${prime:+--prime "$prime"}
echo
say "On the held-out part: seqeval"
"$programs/seqeval" "$work/run" --split valid --batch 16
say "Log-probability of a sentence, and of the same letters in disorder"
printf '%s\n' 'And the king said unto his servants.' 'sdnA the gnik dias onut his vresants.' |
  "$programs/seqeval" "$work/run" --score -

as_root=
case $launcher_kind/$(id -u) in
openmpi?/0) as_root='--allow-run-as-root ' ;;
esac
cat <<END

Done in $((SECONDS - started)) s. Try next:
  build/seqsample run/$name/run --prime 'The ' --tokens 1000 --temperature 0.9 --seed 7
  build/seqinfo run/$name/run
  build/seqtrain --help
  ${launcher##*/} $as_root-n $ranks build/seqtrain --run run/$name/run --steps 6000 --time-limit 0    (trains on)
  launch/quickstart.sh YOUR-BOOK.txt
END

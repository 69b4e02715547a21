# What an attacker writes: checkpoints and data sets whose manifests and hashes fit. Each is refused by every program that reads it,
# with a message, at once and in little memory (both are in the table). The whole shows each file to every program, the default to one of them in turn.
# Long: 1200
source "$SUPPORT/common.sh"
limit=65536 # KiB
[ -z "${SANITIZE:-}" ] || limit=99999999
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.2 -o data text.txt
expect 0 finished "$SEQTRAIN" --data data --run run --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --steps 5 --shards 2
good=run/checkpoints/step-000000005
slowest=0 largest=0 refused=0

# refuse CODE TEXT COMMAND...: expect, and the memory and the processor's time that it takes. 20 seconds by the clock are a hang.
refuse() {
  local code=$1 text=$2 got time memory
  shift 2
  "$HOSTILE" run .measured "$@" >.out 2>&1 </dev/null || bad "cannot run $*"
  read -r got time memory <.measured
  [ "$got" -eq "$code" ] || { bad "exit code $got, expected $code: $what: $*"; tail -3 .out >&2; }
  grep -Eq -- "$text" .out || { bad "'$text' is not in the output: $what: $*"; tail -3 .out >&2; }
  no_report "$what: $*"
  [ "$memory" -le $limit ] || bad "$what: $memory KiB: $*"
  slowest=$(awk -v a="$slowest" -v b="$time" 'BEGIN { print (a + 0 > b + 0) ? a : b }')
  [ "$memory" -gt "$largest" ] && largest=$memory
  refused=$((refused + 1))
}

# The readers of a checkpoint: a program that loads it, and ones that score, look, and go on with it.
shown=0
trains=yes # seqtrain reads it, too
is_turn() { [ $SCALE -ge 10 ] || [ $((shown % $2)) -eq "$1" ]; }
refuse_checkpoint() {
  local text=$1 programs=4
  [ $trains = yes ] || programs=3
  shown=$((shown + 1))
  if is_turn 0 $programs; then refuse 4 "$text" "$SEQSAMPLE" bad/$good --tokens 3; fi
  if is_turn 1 $programs; then refuse 4 "$text|none of its" "$SEQEVAL" bad/run --data data; fi
  if is_turn 2 $programs; then refuse 4 "$text|damaged" "$SEQINFO" bad/$good --verify; fi
  if is_turn 3 $programs && [ $trains = yes ]; then
    refuse 4 "$text|cannot be used|none of its" "$SEQTRAIN" --data data --run bad/run --steps 9
  fi
}

fresh() {
  what=$1
  rm -rf bad
  mkdir bad
  cp -r run bad/
}

done_with() {
  outcome $refused "exit code 4 or 3 each time; $((largest / 1024)) MiB at most" "$slowest"
  slowest=0 largest=0 refused=0
}

seal() { "$HOSTILE" seal "$1" "$2" || bad "cannot seal $1"; }

experiment "hostile vectors in shards" "refused by seqsample, seqeval, seqinfo and seqtrain under 1 s and 64 MiB"
while read -r kind; do
  fresh "$kind"
  "$HOSTILE" vector "$kind" bad/$good/shard-0001.h5 parameters || bad "cannot make $kind"
  seal bad/$good manifest.json
  case $kind in
  external-link | soft-*) text="not a plain link" ;;
  external-storage) text="another file|not in chunks" ;;
  virtual-elsewhere) text="virtual" ;;
  huge-length) text="more chunks than|values, expected" ;;
  many-chunks) text="more chunks than" ;;
  huge-chunk) text="chunks of a size" ;;
  no-chunks | missing) text="missing" ;;
  *-filter) text="filters that are not allowed" ;;
  wrong-type | string-type) text="another type" ;;
  *-rank) text="one dimension" ;;
  wrong-length) text="parameters has [0-9]+ values, expected" ;;
  deep-groups) text="not a vector|damaged object header" ;;
  nan) text="(parameter .*|value .*)nan" ;;
  infinity) text="(parameter .*|value .*)-inf" ;;
  zstd-no-size) text="does not say its size" ;;
  zstd-huge-size | zstd-bomb) text="another size|larger than any chunk" ;;
  zstd-bad-checksum) text="damaged zstd frame" ;;
  zstd-truncated | zstd-trailing) text="not one whole zstd frame" ;;
  zstd-skippable) text="zstd frame" ;;
  deflate-bomb) text="does not unpack|larger than any chunk" ;;
  fletcher32) text="Fletcher32" ;;
  esac
  refuse_checkpoint "$text"
done < <("$HOSTILE" kinds)
done_with

experiment "something else in place of a shard" "the same"
for kind in user-block not-hdf5 empty sparse half; do
  fresh "$kind"
  "$HOSTILE" file $kind bad/$good/shard-0000.h5 || bad "cannot make $kind"
  seal bad/$good manifest.json
  refuse_checkpoint "HDF5|shards of|not worth"
done
for file in vocabulary.tsv model.h5; do
  fresh "sparse $file"
  "$HOSTILE" file sparse bad/$good/$file || bad "cannot make $what"
  seal bad/$good manifest.json
  refuse_checkpoint "not worth"
done
for file in shard-0000.h5 vocabulary.tsv model.h5 manifest.json; do
  for kind in pipe directory device link; do
    fresh "$kind as $file"
    rm bad/$good/$file
    case $kind in
    pipe) mkfifo bad/$good/$file ;;
    directory) mkdir bad/$good/$file ;;
    device) ln -s /dev/zero bad/$good/$file ;;
    link) ln -s $file bad/$good/$file ;;
    esac
    refuse_checkpoint "it is a|Is a directory|Too many levels"
  done
done
done_with

# manifest BODY...: signed, in place of the checkpoint's.
manifest() {
  printf "$@" >bad/$good/manifest.json
  "$HOSTILE" sign bad/$good/manifest.json
}
repeat() { head -c "$2" /dev/zero | sed "s/\x00/$1/g"; }
experiment "hostile manifests" "the same"
begin='{"kind": "seqtrain checkpoint", "version": 1, '
fresh "deep nesting"
manifest '%s"sections": %s' "$begin" "$(repeat '[' 100000)"
refuse_checkpoint "line 1"
fresh "deep nesting, closed"
manifest '%s"sections": %s1%s,\n' "$begin" "$(repeat '[' 1000)" "$(repeat ']' 1000)"
refuse_checkpoint "not as they should be"
fresh "many values"
manifest '%s"sections": {}, "files": [%s1],\n' "$begin" "$(repeat '1,' 400000)"
refuse_checkpoint "not as they should be"
fresh "many keys"
manifest '%s"sections": {"model": {%s"z": "z"}}, "files": [],\n' "$begin" "$(seq 40000 | sed 's/.*/"k&": "v",/' | tr -d '\n')"
refuse_checkpoint "not as they should be"
fresh "a large file"
{ printf '%s"a": "' "$begin"; repeat x 3000000; printf '",\n'; } >bad/$good/manifest.json
"$HOSTILE" sign bad/$good/manifest.json
refuse_checkpoint "larger than"
fresh "a huge number"
manifest '{"kind": "seqtrain checkpoint", "version": 1%s,\n' "$(repeat 0 400)"
refuse_checkpoint "too big|format version"
fresh "a real version"
manifest '{"kind": "seqtrain checkpoint", "version": 1e999,\n'
refuse_checkpoint "overflow|format version"
fresh "duplicate keys"
manifest '%s"version": 1, "sections": {}, "files": [],\n' "$begin"
refuse_checkpoint "duplicate"
fresh "a NUL in a text"
manifest '%s"sections": {"model": {"cell": "a\\u0000b"}}, "files": [],\n' "$begin"
refuse_checkpoint "NUL|\\\\u0000|not allowed"
fresh "a NUL in the file"
printf '%s\0"files": [],\n' "$begin" >bad/$good/manifest.json
"$HOSTILE" sign bad/$good/manifest.json
refuse_checkpoint "damaged"
for body in '"sections": 1, "files": []' '"sections": {"model": []}, "files": []' '"sections": {"model": {"cell": 3}}, "files": []' \
  '"sections": {}, "files": {}' '"sections": {}, "files": [[]]' '"sections": {}, "files": [{"name": "a", "size": -1, "xxh3_128": "00000000000000000000000000000000"}]' \
  '"sections": {}, "files": [{"name": "a", "size": 1.5, "xxh3_128": "00000000000000000000000000000000"}]' '"sections": {}, "files": [{"name": "a", "size": 1, "xxh3_128": "zz"}]'; do
  fresh "$body"
  manifest '%s%s,\n' "$begin" "$body"
  refuse_checkpoint "not as they should be"
done
for name in /etc/passwd ../../../text.txt .. . '' a/b; do
  fresh "a file named $name"
  manifest '%s"sections": {}, "files": [{"name": "%s", "size": 1, "xxh3_128": "00000000000000000000000000000000"}],\n' "$begin" "$name"
  refuse_checkpoint "not as they should be"
done
done_with

# change SECTION KEY TEXT: of the manifest, everything else right.
change() {
  fresh "$1.$2 = $3"
  "$HOSTILE" set bad/$good manifest.json "$1" "$2" "$3" || bad "cannot change $1.$2"
}
experiment "shapes that are not there" "the same"
for value in 65536 99999999 -1 x '' 8,8 8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8; do
  change model hidden "$value"
  "$HOSTILE" set bad/$good manifest.json options hidden "$value"
  refuse_checkpoint "record|values, the model needs|hidden|window|would"
done
change model vocabulary 16000000
refuse_checkpoint "tokens|values, the model needs"
change model cell "nothing of the kind"
refuse_checkpoint "cell"
for value in 0 3 4096 5000 -1 x; do
  change state shards $value
  refuse_checkpoint "does not list the files"
done
for value in 0 1 99999999999999 -1 x; do
  change state parameters $value
  refuse_checkpoint "parameters"
done
done_with

trains=no # it takes the vocabulary of its data set
experiment "hostile vocabularies" "refused by seqsample, seqeval and seqinfo under 1 s and 64 MiB"
for kind in nul header fields ids twice huge cut utf8; do
  fresh "vocabulary: $kind"
  file=bad/$good/vocabulary.tsv
  case $kind in
  nul) printf '\0' >>$file ;;
  header) sed -i 1s/seqtrain/another/ $file ;;
  fields) { head -1 $file | tr '\n' '\t'; seq -f 'k%.0f=v' 200000 | paste -s; sed 1d $file; } >header.txt; mv header.txt $file ;;
  ids) sed -i '3s/^1/7/' $file ;;
  twice) tail -1 $file | sed "s/^[0-9]*/$(($(wc -l <$file) - 1))/" >>$file ;;
  huge) sed -i '3s/^1\t[0-9]*/1\t99999999999999999999/' $file ;;
  cut) truncate -s -1 $file ;;
  utf8) printf '%d\t1\t\xff\xfe\n' $(($(wc -l <$file) - 1)) >>$file ;;
  esac
  seal bad/$good manifest.json
  refuse_checkpoint "vocabulary.tsv"
done
done_with

# The same for a data set.
refuse_data() {
  shown=$((shown + 1))
  if is_turn 0 2; then refuse 3 "$1" "$SEQINFO" bad/data --verify; fi
  if is_turn 1 2; then
    refuse 3 "$1" "$SEQTRAIN" --data bad/data --run fresh --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --steps 5
    rm -rf fresh
  fi
}
fresh_data() {
  what="data: $1"
  rm -rf bad
  mkdir bad
  cp -r data bad/
}
experiment "hostile data sets" "refused by seqinfo and seqtrain under 1 s and 64 MiB"
for kind in external-link soft-loop virtual-elsewhere huge-length huge-chunk unknown-filter wrong-type wrong-rank zstd-no-size zstd-bad-checksum \
  deflate-bomb fletcher32 great-token missing; do
  fresh_data "$kind"
  "$HOSTILE" vector "$kind" bad/data/train-0000.h5 tokens || bad "cannot make $kind"
  seal bad/data dataset.json
  refuse_data "train-0000.h5|token 255"
done
for file in train-0000.h5 vocabulary.tsv; do
  fresh_data "sparse $file"
  "$HOSTILE" file sparse bad/data/$file || bad "cannot make $what"
  seal bad/data dataset.json
  refuse_data "not worth"
done
for kind in pipe directory device; do
  for file in train-0000.h5 dataset.json vocabulary.tsv; do
    fresh_data "$kind as $file"
    rm bad/data/$file
    case $kind in
    pipe) mkfifo bad/data/$file ;;
    directory) mkdir bad/data/$file ;;
    device) ln -s /dev/zero bad/data/$file ;;
    esac
    refuse_data "it is a|Is a directory"
  done
done
for value in 0 -1 x 99999999999999999999; do
  fresh_data "shard_tokens = $value"
  "$HOSTILE" set bad/data dataset.json data shard_tokens "$value"
  refuse_data "shard_tokens"
  fresh_data "train_tokens = $value"
  "$HOSTILE" set bad/data dataset.json data train_tokens "$value"
  [ "$value" = 0 ] || refuse_data "train_tokens"
done
fresh_data "more tokens than there are"
"$HOSTILE" set bad/data dataset.json data train_tokens 4000000000000000000
refuse_data "too many for its 1 shards"
done_with
finish

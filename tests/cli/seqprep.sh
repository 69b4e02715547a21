# seqprep: what its options do to a text, every kind of input, and every way to get it wrong.
source "$SUPPORT/common.sh"

# tokens DATASET SPLIT -> number of tokens; entry DATASET TOKEN -> its line of vocabulary.tsv.
tokens() { "$SEQINFO" "$1" | awk -v part="$2" '$1 == part {print $2}'; }
types() { sed 1d "$1/vocabulary.tsv" | wc -l; }
has_type() { sed 1d "$1/vocabulary.tsv" | cut -f3 | grep -Fxq -- "$2" || bad "$1 has no token '$2'"; }
has_no_type() { sed 1d "$1/vocabulary.tsv" | cut -f3 | grep -Fxq -- "$2" && bad "$1 has the token '$2'"; }
count_is() { [ "$(tokens "$1" "$2")" = "$3" ] || bad "$1: $2 has $(tokens "$1" "$2") tokens, expected $3"; }

printf 'The cat sat.\nThe dog, too: "Wow!"\n\xc3\x89t\xc3\xa9 e\xcc\x81\n' >text
expect 0 train "$SEQPREP" --unit byte -o byte text
count_is byte train "$(stat -c %s text)"
[ "$(types byte)" -eq 256 ] || bad "bytes: $(types byte) types"
expect 0 train "$SEQPREP" --unit char -o char text
count_is char train "$(wc -m <text)"
expect 0 train "$SEQPREP" --unit char --nfc --lower -o nfc text
count_is nfc train $(($(wc -m <text) - 1))
has_no_type nfc T
expect 0 train "$SEQPREP" --unit word -o word text
count_is word train 12 # 9 words, 3 ends
has_type word '"Wow!"'
expect 0 train "$SEQPREP" --unit word --punctuation split --lower -o split text
has_type split wow
has_type split '"'
expect 0 train "$SEQPREP" --unit word --punctuation drop --eos none -o drop text
count_is drop train 9
has_type drop Wow
has_no_type drop '<eos>'
expect 0 train "$SEQPREP" --unit word --eos document -o document text
count_is document train 10

# The vocabulary: from the training part only, by count, by size, reused.
{ for i in $(seq 50); do echo "a b c a b a"; done; echo "d d d"; } >counts
expect 0 valid "$SEQPREP" --unit word --valid 0.01 -o cut counts
has_no_type cut d
grep -q '<unk>' cut/vocabulary.tsv || bad "no <unk> though the validation part needs it"
"$SEQINFO" cut | grep -Eq 'valid.*(75|[0-9.]+) ?%' || bad "the UNK rate of the validation part is not shown"
expect 0 train "$SEQPREP" --unit word --min-count 60 -o often counts
has_type often a
has_no_type often c
expect 0 train "$SEQPREP" --unit word --max-vocab 4 -o top counts
[ "$(types top)" -eq 4 ] || bad "--max-vocab 4 gives $(types top) types"
has_type top a
has_type top b
expect 0 train "$SEQPREP" --vocab top -o reused text
cmp -s top/vocabulary.tsv reused/vocabulary.tsv || bad "the reused vocabulary differs"
expect 2 "leave it out" "$SEQPREP" --vocab top --unit char -o no text
expect 2 "leave it out" "$SEQPREP" --vocab top --lower -o no text
expect 0 train "$SEQPREP" --vocab top/vocabulary.tsv -o reused-file text
expect 3 "vocabulary" "$SEQPREP" --vocab text -o no text
# A corpus that writes <unk> and <eos> itself: they are the same tokens.
printf ' the <unk> sat \n the cat <eos>\n' >published
expect 0 train "$SEQPREP" --unit word -o published.data published
count_is published.data train 8
[ "$(types published.data)" -eq 5 ] || bad "published: $(types published.data) types"

# Inputs: folders in the order of names, standard input, packed, a BOM and CRLF.
mkdir -p folder/b
printf 'one\n' >folder/a
printf 'two\n' >folder/b/x
printf 'three\n' >folder/c
printf 'hidden\n' >folder/.hidden
cat folder/a folder/b/x folder/c >joined
expect 0 train "$SEQPREP" --unit char -o f1 folder
expect 0 train "$SEQPREP" --unit char -o f2 joined
same f1/train-0000.h5 f2/train-0000.h5
gzip -k joined
expect 0 train "$SEQPREP" --unit char -o f3 joined.gz
same f1/train-0000.h5 f3/train-0000.h5
"$SEQPREP" --unit char --quiet -o f4 - <joined >.out 2>&1 || bad "standard input: $(cat .out)"
[ ! -s .out ] || bad "--quiet printed: $(cat .out)"
same f1/train-0000.h5 f4/train-0000.h5
printf '\xef\xbb\xbfone\r\ntwo\r\nthree\r\n' >windows
expect 0 train "$SEQPREP" --unit char -o f5 windows
same f1/train-0000.h5 f5/train-0000.h5
expect 0 valid "$SEQPREP" --unit char --valid folder/a --test folder/c -o files joined
count_is files valid 4
count_is files test 6
expect 0 train "$SEQPREP" --unit char --compression none -o plain joined
expect 0 train "$SEQPREP" --unit char --compression gzip --compression-level 9 -o gzipped joined
expect 0 verified "$SEQINFO" --verify gzipped

# Any number of threads: the same data set. Many documents, several blocks of text.
mkdir -p library/shelf
for i in $(seq 120); do printf 'book %d\nsays: "\xc3\xa9t\xc3\xa9 %d"' "$i" $((i * i)) >library/shelf/$i; done
make_text 30000 | gzip >library/long.gz
for rules in "--unit byte" "--unit char --nfc --eos document" "--unit word --punctuation split --eos document" "--unit word --max-vocab 50"; do
  for threads in 1 2 3; do
    expect 0 train "$SEQPREP" $rules --threads $threads --valid 0.1 --shard-tokens 100k --force -o threads$threads library text library
  done
  same_tree threads1 threads2
  same_tree threads1 threads3
done
expect 2 "threads" "$SEQPREP" --threads -1 -o no joined

# Invalid bytes.
printf 'good\nba\xffd\n' >invalid
printf 'later\xff' >invalid2
expect 3 "invalid line 2" "$SEQPREP" --threads 3 --unit char -o no joined invalid invalid2 missing
expect 3 "invalid.*line 2.*byte offset 7" "$SEQPREP" --unit char -o no invalid
expect 0 "replaced" "$SEQPREP" --unit char --invalid replace -o replaced invalid
has_type replaced $'\xef\xbf\xbd'
expect 0 train "$SEQPREP" --unit byte -o bytes invalid

# Mistakes: a clear message, the exit code, nothing left behind.
: >empty
expect 3 "empty" "$SEQPREP" --unit char -o no empty
expect 3 "missing: No such file" "$SEQPREP" --unit char -o no missing
expect 3 "missing" "$SEQPREP" --unit char --valid missing -o no joined
expect 2 "unknown option|--bogus" "$SEQPREP" --bogus -o no joined
expect 2 "output" "$SEQPREP" --unit char joined
expect 2 "INPUT|operand|Usage" "$SEQPREP" --unit char -o no
expect 2 "byte, char, abc, word, subword" "$SEQPREP" --unit letter -o no joined
expect 2 "min-count" "$SEQPREP" --min-count 0 -o no joined
expect 2 "max-vocab" "$SEQPREP" --max-vocab -1 -o no joined
expect 2 "between 0 and 1" "$SEQPREP" --valid 1.5 -o no joined
expect 2 "nothing is left" "$SEQPREP" --valid 0.6 --test 0.5 -o no joined
expect 2 "gzip has levels" "$SEQPREP" --compression gzip --compression-level 15 -o no joined
expect 2 "--force" "$SEQPREP" --unit char -o f1 joined
expect 0 train "$SEQPREP" --unit char --force -o f1 joined
expect 2 "not empty" "$SEQPREP" --unit char --force -o folder joined
expect 2 "inside the input folder" "$SEQPREP" --unit char -o folder/data folder
expect 0 train "$SEQPREP" --unit char -o new/folders/data joined
ln -s loop loop
expect 3 "loop" "$SEQPREP" --unit char -o no loop
if [ "$(id -u)" -ne 0 ]; then
  unprivileged=()
elif command -v setpriv >/dev/null; then
  chmod 755 .
  unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
if [ -n "${unprivileged+set}" ] && ${unprivileged[@]+"${unprivileged[@]}"} "$SEQPREP" --version >/dev/null 2>&1; then
  mkdir -m 555 sealed
  expect 3 "sealed.*Permission denied" ${unprivileged[@]+"${unprivileged[@]}"} "$SEQPREP" --unit char -o sealed/data joined
  printf x >unreadable
  chmod 000 unreadable
  mkdir -m 777 open
  expect 3 "unreadable: Permission denied" ${unprivileged[@]+"${unprivileged[@]}"} "$SEQPREP" --unit char -o open/data unreadable
else
  echo "skipped: directories without permission (needs setpriv and a build tree that others can read)" >&2
fi
absent no
[ -z "$(ls -d no.* f1.* 2>/dev/null)" ] || bad "left behind: $(ls -d no.* f1.*)"

# Interrupted: nothing is left, and it ends by the signal.
mkfifo pipe
"$SEQPREP" --unit char -o stopped - <pipe >.out 2>&1 &
process=$!
exec 3>pipe
echo some text >&3
wait_for or_ended $process compgen -G 'stopped*' # it has begun
kill -TERM $process
code=0
wait $process || code=$?
exec 3>&-
[ $code -eq 143 ] || bad "interrupted: exit code $code: $(cat .out)"
[ -z "$(ls -d stopped* 2>/dev/null)" ] || bad "interrupted: left $(ls -d stopped*)"
finish

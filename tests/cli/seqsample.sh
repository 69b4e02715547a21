# seqsample: seeds, ends, numbers of sequences and of tokens, UTF-8 at all times, and its refusals.
source "$SUPPORT/common.sh"
{ make_text 150; for i in $(seq 60); do echo "Füße größer — çà et là 漢字 $i."; done; } >text.txt
train=(--layers 1 --hidden 32 --embed 12 --batch 4 --window 16 --steps 150 --epochs 99 --lr 0.01)
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o chars text.txt
expect 0 finished "$SEQTRAIN" --data chars --run run-chars "${train[@]}"
expect 0 train "$SEQPREP" --unit word --punctuation split --min-count 3 --valid 0.1 -o words text.txt
expect 0 finished "$SEQTRAIN" --data words --run run-words "${train[@]}"
expect 0 train "$SEQPREP" --unit byte --valid 0.1 -o bytes text.txt
expect 0 finished "$SEQTRAIN" --data bytes --run run-bytes "${train[@]}"

draw() { "$SEQSAMPLE" --quiet "$@" </dev/null 2>err.txt || bad "seqsample $*: $(cat err.txt)"; }
draw run-chars --seed 3 >a
draw run-chars --seed 3 >b
draw run-chars --seed 4 >c
same a b
cmp -s a c && bad "another seed drew the same text"
[ "$(wc -m <a)" -eq 401 ] || [ "$(wc -m <a)" -eq 400 ] || bad "400 tokens are $(wc -m <a) characters"
draw run-chars --seed 3 --prime 'the river' --no-echo >a
draw run-chars --seed 3 --prime 'the river' >b
[ "the river$(cat a)" = "$(cat b)" ] || bad "--echo does not take the prime away"
printf 'the river' >prime.txt
draw run-chars --seed 3 --prime-file prime.txt --no-echo >b
same a b
draw run-chars --greedy --seed 1 >a
draw run-chars --greedy --seed 2 >b
same a b
draw run-chars --top-k 1 --seed 9 >b
same a b
for temperature in 0 -0 1e-300 0.000001; do # as cold as it gets: greedy
  draw run-chars --temperature $temperature --seed 9 >b
  same a b
done
draw run-chars --seed 9000000000000000 --tokens 20 --top-k 30000000000 >a # more than there are: all
draw run-chars --seed 9000000000000000 --tokens 20 >b
same a b
expect 0 "top-k 30000000000: the vocabulary has [0-9]+ tokens: all" "$SEQSAMPLE" run-chars --tokens 5 --top-k 30G
expect 2 "seed 9000000000000001: expected an integer, 0 to 9000000000000000" "$SEQSAMPLE" run-chars --seed 9000000000000001
expect 2 "top-k 1000000000000001: expected an integer, 0 to 1000000000000000" "$SEQSAMPLE" run-chars --top-k 1000000000000001
# Side by side: the first of five is the one alone, each has its tokens.
draw run-chars --tokens 40 --seed 8 >one
draw run-chars --tokens 40 --seed 8 --count 5 >five
head -c "$(($(wc -c <one) - 1))" one | cmp -s - <(head -c "$(($(wc -c <one) - 1))" five) || bad "the first of five sequences differs from the one alone"
# UTF-8, whatever is drawn.
for run in run-chars run-words; do
  draw $run --temperature 5 --tokens 3000 --seed 2 | iconv -f UTF-8 -t UTF-16 >/dev/null || bad "$run: broken UTF-8"
  draw $run --temperature 5 --tokens 100 --seed 2 --count 20 | iconv -f UTF-8 -t UTF-16 >/dev/null || bad "$run: broken UTF-8"
done
draw run-bytes --tokens 300 --seed 2 >a
[ "$(wc -c <a)" -ge 300 ] || bad "300 bytes are $(wc -c <a)"
# Words: <unk> and <eos>.
draw run-words --temperature 2 --tokens 2000 --seed 1 >a
grep -q '<unk>' a || bad "<unk> is never drawn"
draw run-words --temperature 2 --tokens 2000 --seed 1 --no-unk >a
grep -q '<unk>' a && bad "--no-unk draws <unk>"
draw run-words --until-eos --seed 1 >a
[ "$(grep -c . a)" -le 1 ] || bad "--until-eos goes on after the end: $(cat a)"
draw run-words --until-eos --tokens 2 --seed 1 >a
[ "$(wc -w <a)" -le 3 ] || bad "--until-eos --tokens 2 draws $(wc -w <a) words"
# It streams: the reader may leave.
"$SEQSAMPLE" run-chars --quiet --tokens 100000000 2>/dev/null | head -c 50 >a
[ "$(wc -c <a)" -eq 50 ] || bad "the output is not streamed"

expect 2 "until-eos" "$SEQSAMPLE" run-chars --until-eos
expect 3 "prime.*(not in the vocabulary|unknown|vocabulary)" "$SEQSAMPLE" run-chars --prime 'Ω'
expect 3 "prime, byte offset 0: byte 0xff is not UTF-8, which this model reads$" "$SEQSAMPLE" run-chars --prime $'\xff'
expect 3 "prime, byte offset 4: byte 0xe6 is not UTF-8" "$SEQSAMPLE" run-chars --prime $'the \xe6\xbc' # cut off
expect 3 "prime, byte offset 8: 'Ω' is not in the vocabulary" "$SEQSAMPLE" run-chars --prime 'ça — Ω'
printf 'the\nriver \0 x' >nul.txt
expect 3 "prime-file, byte offset 10: a NUL byte is not text" "$SEQSAMPLE" run-chars --prime-file nul.txt
for prime in $'\xff' $'\xe6\xbc'; do # bytes are bytes
  draw run-bytes --prime "$prime" --tokens 3 >a
  [ "$(head -c ${#prime} a | od -An -tx1)" = "$(printf %s "$prime" | head -c ${#prime} | od -An -tx1)" ] || bad "a prime of bytes is echoed as $(od -An -tx1 a)"
done
expect 0 "warning: --prime: 2 of its 3 tokens are not in the vocabulary: the model reads <unk>" "$SEQSAMPLE" run-words --prime 'the qqq Ω' --tokens 3
expect 0 "warning: --prime: it holds no token" "$SEQSAMPLE" run-words --prime '  ' --tokens 3
draw run-chars --prime '' --tokens 20 >a
draw run-chars --tokens 20 >b
same a b
draw run-chars --prime 'the river' --tokens 20 >a
printf 'the river' | "$SEQSAMPLE" run-chars --quiet --prime-file - --tokens 20 | cmp -s - a || bad "a prime from standard input gives another text"
expect 3 "missing" "$SEQSAMPLE" run-chars --prime-file missing
gzip -c prime.txt >prime.gz
iconv -f UTF-8 -t UTF-16BE prime.txt >wide.txt
expect 3 "prime-file: reading prime.gz: it is gzip data, not text; unpack it first" "$SEQSAMPLE" run-chars --prime-file prime.gz
expect 3 "prime-file: reading wide.txt: it is text in UTF-16BE; convert it" "$SEQSAMPLE" run-chars --prime-file wide.txt
expect 2 "give one" "$SEQSAMPLE" run-chars --prime a --prime-file prime.txt
expect 2 "temperature -1: expected a number, 0 to 1000" "$SEQSAMPLE" run-chars --temperature -1
expect 2 "temperature" "$SEQSAMPLE" run-chars --temperature 1001
expect 2 "top-p" "$SEQSAMPLE" run-chars --top-p 1.5
expect 2 "count" "$SEQSAMPLE" run-chars --count 0
expect 2 "RUN|operand" "$SEQSAMPLE"
expect 4 "missing" "$SEQSAMPLE" missing
expect 4 "chars" "$SEQSAMPLE" chars
expect 4 "text.txt" "$SEQSAMPLE" text.txt
[ -w /dev/full ] && { "$SEQSAMPLE" run-chars --quiet >/dev/full 2>err.txt; [ $? -eq 7 ] || bad "a full output: $(cat err.txt)"; }
finish

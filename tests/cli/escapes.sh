# Text of others in messages and tables: paths, option values and records with line ends, terminal controls, bidirectional
# overrides and bytes that are no UTF-8. Every message is one line of plain UTF-8; every JSON file is JSON; the run is unharmed.
source "$SUPPORT/common.sh"
make_text 60 >text.txt
evil=$'d\n\t\x1b[2J\x1b]0;x\a\x7f\xc2\x9b31m\xe2\x80\xae\xff'
shown='d\\n\\t\\x1B\[2J\\x1B\]0;x\\x07\\x7F\\xC2\\x9B31m\\xE2\\x80\\xAE\\xFF'
small=(--layers 1 --hidden 8 --embed 4 --batch 2 --window 4)
clean() { # FILE: no control character but line ends, no C1, no override, valid UTF-8
  LC_ALL=C grep -q $'[\001-\010\013-\037\177]' "$1" && bad "$2: control characters: $(od -c "$1" | head -5)"
  LC_ALL=C grep -qF -e $'\xc2\x9b' -e $'\xe2\x80\xae' "$1" && bad "$2: C1 controls or overrides"
  iconv -f UTF-8 -t UTF-16 "$1" >/dev/null 2>&1 || bad "$2: not UTF-8"
}
says() { # CODE COMMAND...: the evil text is shown escaped, and nothing of it raw
  expect "$1" "$shown" "${@:2}"
  clean .out "${*:2:2}"
}
mkdir "$evil"
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o "$evil/data" text.txt
expect 0 finished "$SEQTRAIN" --data "$evil/data" --run "$evil/run" "${small[@]}" --steps 3
clean .out seqtrain
grep -q "data     $shown" .out || bad "the data set is not named: $(grep '^data' .out | od -c)"
# A path that is not UTF-8 makes no checkpoint that nobody can read.
run=$evil/run
for file in "$run"/metrics.jsonl "$run"/checkpoints/step-*/manifest.json; do clean "$file" "$(basename "$file")"; done
expect 0 "resumed .*step 3" "$SEQTRAIN" --data "$evil/data" --run "$run" --steps 4
says 0 "$SEQSAMPLE" "$run" --tokens 3
says 0 "$SEQEVAL" "$run" --data "$evil/data"
says 0 "$SEQINFO" "$run"
[ "$(wc -l <.out)" -eq 4 ] || bad "a path ends lines of seqinfo: $(cat .out)"
says 0 "$SEQINFO" "$evil/data" --verify
expect 0 verified "$SEQINFO" "$run"/checkpoints/step-000000004 --verify
clean .out "seqinfo CHECKPOINT"
# Values and names.
says 2 "$SEQTRAIN" --layers "$evil"
says 2 "$SEQTRAIN" --"$evil"
says 2 "$SEQTRAIN" --kernels="$evil"
says 3 "$SEQINFO" "$evil/missing"
says 4 "$SEQSAMPLE" "$evil/missing"
says 3 "$SEQPREP" -o new "$evil/missing"
says 3 "$SEQEVAL" "$run" --score "$evil/missing"
printf '%s' "$evil" | tr -d '\n' >key.ini
expect 2 "key.ini line 1: .*x1B" "$SEQTRAIN" --config key.ini
clean .out "a config file"
# What was trained on a path that is UTF-8, whatever it holds, continues without --data.
plain=${evil%$'\xff'}
cp -r "$evil/data" "$plain"
expect 0 finished "$SEQTRAIN" --data "$plain" --run plain "${small[@]}" --steps 3
expect 0 "resumed .*step 3" "$SEQTRAIN" --run plain --steps 4
finish

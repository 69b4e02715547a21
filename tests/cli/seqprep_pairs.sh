# seqprep --task translate: files side by side and tables give the same data set, units and vocabularies are those that were asked for,
# what is empty, too long or unknown is counted, and what is wrong is refused with its place.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # some dozen small files, each synced to its disk
source "$SUPPORT/common.sh"
says() { grep -Eq -- "$2" "$1/summary.txt" || bad "$1: '$2' is not in its summary: $(cat "$1/summary.txt")"; }
made() { # made NAME OPTIONS...
  expect 0 "items" "$SEQPREP" --force -o "$1" --task translate "${@:2}"
}
refused() { # refused CODE TEXT OPTIONS...: nothing is made
  expect "$1" "$2" "$SEQPREP" -o no "${@:3}"
  absent no
}
column() { sed 1d "$1" | cut -f3 | paste -sd ' '; }

printf 'ein Hund\nein Hund und ein Haus\nHaus\nHund\n' >de
printf 'a dog\na dog and a house\nhouse\ndog dog\n' >en
files=(--source de --target en)
made words "${files[@]}"
says words 'field +source: ids a row of source, 5 in the vocabulary source$'
says words 'field +target: ids a row of target, 6 in the vocabulary target, the target$'
says words 'train +4 +9 +14 +14$'
says words 'groups +4 of the inputs. items, 0 repeat another.s source'
says words '^pairs +0 with an empty side passed over in training, 0 kept in other parts$'
says words '^unknown +source: train 0 of 9 units \(0.00%\)$'
[ "$(column words/vocabulary.tsv)" = '<unk> Hund ein Haus und' ] || bad "source: $(column words/vocabulary.tsv)"
[ "$(column words/vocabulary-target.tsv)" = '<unk> <eos> dog a house and' ] || bad "target: $(column words/vocabulary-target.tsv)"
grep -q 'eos=none' words/vocabulary.tsv || bad "the source has an end"
grep -q 'eos=line' words/vocabulary-target.tsv || bad "the target has no end"
grep -q '^1	4	<eos>' words/vocabulary-target.tsv || bad "ends are counted wrong"

# A byte order mark, carriage returns, another form and packing: the same items.
{ printf '\357\273\277'; sed 's/$/\r/' de; } >de.crlf
printf '%s' "$(cat en)" >en.open
gzip -c en.open >en.gz
made other --source de.crlf --target en.gz
paste de en >pairs.tsv
{ printf 'target,id,source\n'; paste -d, en <(seq 4) de; } >named.csv
awk -F'\t' '{ printf "{\"de\": \"%s\", \"en\": \"%s\"}\n", $1, $2 }' pairs.tsv >pairs.jsonl
made table --columns source=1,target=2 pairs.tsv
made named named.csv
made json --columns source=de,target=en pairs.jsonl
for name in other table named json; do
  for file in train-0000.h5 vocabulary.tsv vocabulary-target.tsv; do same words/$file $name/$file; done
done
"$SEQPREP" --quiet --task translate -o piped --source - --target en <de || bad "standard input is not read"
same words/train-0000.h5 piped/train-0000.h5

# Vocabularies.
made joint "${files[@]}" --joint --min-count 2
says joint 'source: ids a row of source, 8 in the vocabulary text$'
says joint 'target: ids a row of target, 8 in the vocabulary text, the target$'
says joint 'source: train 1 of 9 units \(11.11%\)'
says joint 'target: train 1 of 10 units \(10.00%\)'
[ "$(column joint/vocabulary.tsv)" = '<unk> <eos> dog Hund a ein Haus house' ] || bad "joint: $(column joint/vocabulary.tsv)"
absent joint/vocabulary-target.tsv
made limits "${files[@]}" --min-count 3 --target-max-vocab 3 --target-min-count 1
[ "$(column limits/vocabulary.tsv)" = '<unk> Hund ein' ] || bad "limits: $(column limits/vocabulary.tsv)"
[ "$(column limits/vocabulary-target.tsv)" = '<unk> <eos> dog' ] || bad "limits: $(column limits/vocabulary-target.tsv)"
printf 'Maus ein\n' >lines
"$SEQPREP" --quiet --unit word --eos none -o outside lines
made known "${files[@]}" --joint --vocab outside
[ "$(column known/vocabulary.tsv)" = '<unk> <eos> dog Hund a ein Haus house and und Maus' ] || bad "joined: $(column known/vocabulary.tsv)"
made chars "${files[@]}" --unit char --lower
says chars 'train +4 +37 +38 +38$'
made bytes "${files[@]}" --unit byte
says bytes '256 in the vocabulary source$'
says bytes '257 in the vocabulary target, the target$'
# Subwords: merges of both sides together or of each; lengths are those of units.
made parts "${files[@]}" --unit subword --merges 3 --joint --max-length 9
says parts '^merges +3$'
says parts '1 longer than --max-length 9 left out of training$'
says parts '^train +3 +11 +15 +15$'
[ "$(sed 1d parts/merges.txt | paste -sd ,)" = 'n d</w>,u nd</w>,o g</w>' ] || bad "joint merges: $(cat parts/merges.txt)"
made apart "${files[@]}" --unit subword --merges 2
says apart '^merges +2$'
says apart '^ +2 of the target$'
[ "$(sed 1d apart/merges-target.txt | paste -sd ,)" = 'o g</w>,d og</w>' ] || bad "merges of the target: $(cat apart/merges-target.txt)"
[ "$(sed 1d apart/vocabulary-target.tsv | cut -f3 | head -4 | paste -sd ' ')" = '<unk> <eos> dog a' ] || bad "units of the target: $(column apart/vocabulary-target.tsv)"
# Words that are written as the symbols are none of them.
printf 'a <eos> b\n<unk>\n' >marks
made odd --source marks --target marks --joint
[ "$(column odd/vocabulary.tsv)" = '<unk> <eos> a b' ] || bad "odd: $(column odd/vocabulary.tsv)"
says odd 'target: train 2 of 4 units'

# Empty sides: passed over where one learns, kept where one is judged. What is too long is left out of training alone.
printf 'eins zwei drei\n\nvier\n \nsechs\n' >de2
printf 'one two three\ntwo\n\t\n\nsix\n' >en2
made gaps --source de2 --target en2 --valid-source de2 --valid-target en2 --test-source de --test-target en --max-length 2
says gaps '^pairs +3 with an empty side passed over in training, 3 kept in other parts; 1 longer than --max-length 2 left out of training$'
says gaps '^train +1 +1 +2 +2$'
says gaps '^valid +5 +5 +10 +10$'
says gaps '^test +4 +9 +14 +14$'
says gaps 'source: train 0 of 1 units \(0.00%\), valid 4 of 5 units \(80.00%\), test 9 of 9 units'
[ "$(strings -n 1 gaps/valid-0000.h5 | grep -c .)" -gt 0 ] || bad "no texts"
paste de2 <(tr '\t' ' ' <en2) <(printf 'train\ndev\ndev\ntrain\ntrain\n') >parts.tsv
made parts --columns source=1,target=2,part=3 --valid 'part=dev' parts.tsv
says parts '^pairs +1 with an empty side passed over in training, 2 kept in other parts$'

# References to characters.
printf 'Hans &amp; Grete &#91;neu&#93;\n&quot;x&quot; &amp;lt;\n' >esc
printf 'it &apos;s &#124; m&uuml;de &nope; &#x20AC;&#0;\na&lt;b&gt;\n' >esc.en
made escapes --source esc --target esc.en --unescape --unit word
[ "$(column escapes/vocabulary.tsv)" = '<unk> "x" & &lt; Grete Hans [neu]' ] || bad "unescaped: $(column escapes/vocabulary.tsv)"
[ "$(column escapes/vocabulary-target.tsv)" = "<unk> <eos> &nope; 's a<b> it müde | €&#0;" ] || bad "unescaped: $(column escapes/vocabulary-target.tsv)"
grep -q '"unescape": "1"' escapes/dataset.json || bad "that is not recorded"

# A source that occurs again is on one side of a draw.
for i in $(seq 40); do echo "w$((i % 10))"; done >rep
seq 40 >rep.en
made drawn --source rep --target rep.en --valid 20% --test 20%
says drawn 'groups +10 of the inputs. items, 30 repeat another.s source'
says drawn '^valid +8 '
says drawn '^test +8 '
made fold --source rep --target rep.en --folds 5 --fold 2
says fold 'fold +2 of 5'

# Mistakes.
tr -d '\n' <en >en.short
refused 3 'de has 4 lines and en2 has 5: expected as many' --task translate --source de --target en2
refused 3 'de2 has 5 lines and en has 4' --task translate --source de2 --target en
refused 3 'de2 has 5 lines and en has 4' --task translate "${files[@]}" --valid-source de2 --valid-target en
refused 2 '--source: needs --target' --task translate --source de
refused 2 '--target: without effect with no --source' --task translate --target en pairs.tsv
refused 2 '--valid-source: needs --valid-target' --task translate "${files[@]}" --valid-source de
refused 2 'pairs.tsv: the pairs are those of --source and --target' --task translate "${files[@]}" pairs.tsv
refused 2 '0 operands given' --task translate
refused 2 '--source: without effect with --task lm' --unit word "${files[@]}"
refused 2 '--joint: without effect with another task than translate' --task classify --joint pairs.tsv
refused 2 '--valid: with --source it is a fraction; --valid-source and --valid-target name files' --task translate "${files[@]}" --valid de
refused 2 '--valid-source: the part is that of --valid already' --task translate "${files[@]}" --valid 0.5 --valid-source de --valid-target en
refused 2 'standard input is one of them' --task translate --source - --target -
refused 2 '--columns: without effect with --source' --task translate "${files[@]}" --columns source=1
refused 2 '--target-min-count: without effect with --joint' --task translate "${files[@]}" --joint --target-min-count 2
refused 2 '--vocab: of one vocabulary' --task translate "${files[@]}" --vocab outside
refused 2 '--letters: without effect with --task translate' --task translate "${files[@]}" --letters
refused 2 '--labels: without effect with --task translate' --task translate "${files[@]}" --labels x
refused 2 '--bar-position: without effect with --task translate' --task translate "${files[@]}" --bar-position
refused 2 '--target: needs --source' --task translate --target en
refused 3 'none.de' --task translate --source none.de --target en
refused 3 'no column 3, there are 2' --task translate --columns source=1,target=3 pairs.tsv
refused 3 "no column 'de' among these: target, id, source" --task translate --columns source=de named.csv
refused 2 'no column is named target: --columns target=NAME' --task translate pairs.tsv
refused 3 "the object has no key 'source' \(--columns source=KEY names another\)" --task translate --columns target=en pairs.jsonl
printf '{"source": ["a", "b"], "target": "c"}\n' >list.jsonl
refused 3 "list.jsonl line 1: field 'source' is a list, expected a text" --task translate list.jsonl
refused 2 '--columns: more than 13 fields' --task translate --columns "$(printf 'f%d=1,' {1..18})source=1,target=2" pairs.tsv
printf 'a\nb\377\n' >broken
refused 3 'broken line 2' --task translate --source broken --target broken
refused 3 'no unit of the target side of the training part occurs 9 times' --task translate "${files[@]}" --target-min-count 9
refused 2 '--max-vocab 1: too few' --task translate "${files[@]}" --max-vocab 1
refused 3 '--max-length 1: all 2 training pairs have a longer side' --task translate --source <(head -2 de) --target <(head -2 en) --max-length 1
: >empty
refused 3 'empty, empty: there are no lines' --task translate --source empty --target empty
printf '\n\n' >blank
refused 3 'blank, blank: no pair has text on both sides' --task translate --source blank --target blank
finish

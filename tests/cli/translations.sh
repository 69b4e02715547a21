# seqeval --task translate without a model: BLEU and chrF of lines and of JSON lines, several references, two outputs, lower case,
# smoothing; subwords, other numbers of lines and bytes that are no text are refused.
source "$SUPPORT/common.sh"
printf 'The dog bit the man.\nIt was not unexpected.\nThe man bit him first.\n' >one.en
printf 'The dog had bit the man.\nNo one was surprised.\nThe man had bitten the dog.\n' >two.en
printf "The dog bit the man.\nIt wasn't surprising.\nThe man had just bitten him.\n" >out.en
printf 'the dog bit a man.\n\nThe man had just bitten him.\n' >other.en
figure() { awk -v key="$2" '$1 == key {print $2; exit}' "$1"; }
equal() { [ "$1" = "$2" ] || bad "$3: '$1', expected '$2'"; }
texts=("$SEQEVAL" --task translate)

# The figures are sacreBLEU's.
"${texts[@]}" --gold one.en --gold two.en --predictions out.en >both.txt
equal "$(figure both.txt bleu)" 48.5308 "13a"
equal "$(figure both.txt bleu_none)" 49.192 "none"
equal "$(figure both.txt bleu_intl)" 43.9162 "intl"
equal "$(figure both.txt chrf)" 59.7275 "chrf"
grep -Eq '^bleu +nrefs:2\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:seqtrain-[0-9.]+$' both.txt || bad "signature: $(cat both.txt)"
grep -Eq '^bleu +82.4/50.0/45.5/37.5 +0.942873 +0.944444 +17 +18$' both.txt || bad "parts: $(cat both.txt)"
"${texts[@]}" --gold 'one.en;two.en' --predictions out.en | cmp - both.txt || bad "a list of references is another than two of them"
equal "$("${texts[@]}" --gold one.en --predictions other.en --lower | awk '$1 == "bleu" {print $2; exit}')" 15.5425 "lower case"
equal "$("${texts[@]}" --gold one.en --predictions other.en | awk '$1 == "bleu" {print $2; exit}')" 10.2275 "mixed case"
equal "$("${texts[@]}" --gold one.en --predictions other.en --smooth-method floor --smooth-value 0.5 | awk '$1 == "bleu" {print $2; exit}')" 12.1626 "floor"

# JSON lines: several references a line.
cat >gold.jsonl <<'END'
{"index": 0, "gold": ["The dog bit the man.", "The dog had bit the man."]}
{"index": 1, "gold": ["It was not unexpected.", "No one was surprised."]}
{"index": 2, "gold": ["The man bit him first.", "The man had bitten the dog."]}
END
cat >out.jsonl <<'END'
{"index": 0, "output": "The dog bit the man."}
{"index": 1, "output": "It wasn't surprising."}
{"index": 2, "output": "The man had just bitten him."}
END
"${texts[@]}" --gold gold.jsonl --predictions out.jsonl | grep -E '^(bleu|chrf)' >json.txt
grep -E '^(bleu|chrf)' both.txt | cmp - json.txt || bad "JSON lines have other figures"
sed 's/"It.*"/["a"]/' out.jsonl >list.jsonl
expect 3 'list.jsonl line 2: expected a text' "${texts[@]}" --gold one.en --predictions list.jsonl

# Two outputs, on the same resamples; items.
"${texts[@]}" --gold one.en --predictions out.en other.en --json --per-item items.tsv >two.json
"${texts[@]}" --gold one.en --predictions out.en other.en --json | cmp - two.json || bad "a second run has other figures"
grep -q '"differences": {"bleu": {"value": .*"p_paired_bs": ' two.json || bad "differences: $(cat two.json)"
grep -q '"bleu_char": "nrefs:1|case:mixed|eff:no|tok:char|' two.json || bad "signatures: $(cat two.json)"
printf 'index\tline\tgold\toutput\tbleu\tchrf\toutput2\tbleu2\tchrf2\n' | cmp - <(head -1 items.tsv) || bad "items: $(head -1 items.tsv)"
awk -F '\t' 'NR == 3 {exit !($7 == "" && $8 == 0 && $9 == 0)}' items.tsv || bad "an empty output: $(cat items.tsv)"
awk -F '\t' 'NR == 2 {exit !($5 == 100 && $6 == 100)}' items.tsv || bad "an equal output: $(cat items.tsv)"

# What is refused.
printf 'The dog bit the man.\nIt was@@ n\n.\n' >subwords.en
expect 3 'subwords.en line 2: it still holds subwords \(@@\)' "${texts[@]}" --gold one.en --predictions subwords.en
printf 'The dog\n\xe2\x96\x81It was\n.\n' >pieces.en
expect 3 'pieces.en line 2: it still holds subwords \(U\+2581\)' "${texts[@]}" --gold one.en --predictions pieces.en
expect 3 'pieces.en line 2: it still holds subwords' "${texts[@]}" --gold one.en --gold pieces.en --predictions out.en
head -2 out.en >short.en
expect 3 'short.en at its end differs from one.en at line 3: 2 items, expected 3' "${texts[@]}" --gold one.en --predictions short.en
expect 3 'short.en at its end differs from one.en at line 3: 2 items, expected 3' "${texts[@]}" --gold one.en --gold short.en --predictions out.en
printf 'a\nb \xff\nc\n' >bytes.en
expect 3 'bytes.en line 2: byte 3 is not UTF-8' "${texts[@]}" --gold one.en --predictions bytes.en
expect 2 'several files are references of --task translate' "$SEQEVAL" --gold one.en --gold two.en --predictions out.en
expect 2 '--lower: of --task translate' "$SEQEVAL" --gold one.en --predictions out.en --lower
expect 2 '--lower: of translations, not with --score' "$SEQEVAL" run --lower --score one.en
expect 2 'of --smooth-method floor or add-k' "${texts[@]}" --gold one.en --predictions out.en --smooth-value 1
expect 2 '--predictions FILE: missing' "${texts[@]}" --gold one.en
expect 2 '--columns: one.en holds lines of text' "${texts[@]}" --gold one.en --predictions out.en --columns gold=2
finish

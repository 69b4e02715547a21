# --task translate from files to figures: what seqeval tells of a model of one unit is what awk computes from its parameters, whatever
# the batch; the best checkpoint is the one of the least loss a target token; what does not fit is refused.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # small checkpoints, each synced to its disk
source "$SUPPORT/common.sh"
printf 'a b\nb\nb a a\n' >de
printf 'x\ny x\nx y y\n' >en
printf 'b c\n\na\n' >valid.de
printf 'x z\ny\n\n' >valid.en
"$SEQPREP" --quiet --task translate --source de --target en --valid-source valid.de --valid-target valid.en -o data || bad "no data set"
expect 0 'validation at step 2 \(epoch 1\): loss [0-9.]+  perplexity [0-9.]+  accuracy ' "$SEQTRAIN" --data data --run run --cell rnn --layers 1 \
  --embed 1 --hidden 1 --attention none --best-by loss --epochs 4 --batch 2 --lr 0.3 --init-scale 1 --label-smoothing 0.3 --compression none --keep 9
least=$(grep '"event": "validation"' run/metrics.jsonl | sed -E 's/.*"step": ([0-9]+).*"loss": ([0-9.]+).*/\2 \1/' | sort -g | head -1)
grep -Eq "best validation loss $(cut -c1-4 <<<"$least")[0-9]* nats at step ${least#* }\$" .out || bad "the best is not the least, $least: $(tail -1 .out)"

expect 0 'perplexity ' "$SEQEVAL" run --split train --per-item items.tsv --resamples 0
expect 0 '"tokens": 9, "loss": \{"value": [0-9.]+, "low": [0-9.]+, "high": [0-9.]+\}, "perplexity": \{"value"' "$SEQEVAL" run --split train --json
sed 's/, "seconds".*//' .out >all
expect 0 tokens "$SEQEVAL" run --split train --json --batch 1
sed 's/, "seconds".*//' .out >alone
[ "$(grep loss all)" = "$(grep loss alone)" ] || bad "the batch changes the figures: $(cat all alone)"
expect 0 tokens "$SEQEVAL" run --per-item valid.tsv
[ "$(sed 1d valid.tsv | cut -f 1,3-)" = "$(printf '0\t3\t1\tb c\tx z\n1\t2\t0\t\ty\n2\t1\t0\ta\t')" ] || bad "items of the validation split: $(cat valid.tsv)"

# The same by hand, where h5dump is installed: encoder, tanh of its mean, decoder, softmax.
best=$(printf 'run/checkpoints/step-%09d' "${least#* }")
for name in bridge.weight bridge.bias embedding.weight decoder.embedding.weight {encoder,decoder}.{weight,bias}_{ih,hh}_l0 output.weight output.bias; do
  command -v h5dump >/dev/null || continue
  echo "$name $(h5dump -y -w 0 -m %.9g -d "/$name" "$best/model.h5" | sed -n '/DATA {/,/^ *}/p' | sed '1d;$d' | tr -d '\n,')"
done >weights
judge() { # judge ITEMS TEXTS: columns of sources and targets stand beside losses
  awk -F'\t' '
    function tanh(x, e) { e = exp(2 * x); return (e - 1) / (e + 1) }
    function cell(part, x, h) {
      return tanh(w[part ".weight_ih_l0", 1] * x + w[part ".bias_ih_l0", 1] + w[part ".weight_hh_l0", 1] * h + w[part ".bias_hh_l0", 1])
    }
    function id_of(list, word) { return ((list, word) in id ? id[list, word] : 0) + 1 }
    FILENAME == "weights" { n = split($0, part, " "); for (i = 2; i <= n; i++) w[part[1], i - 1] = part[i]; next }
    FILENAME ~ /vocabulary/ { if (FNR > 1) { id[FILENAME, $3] = $1; count[FILENAME]++ } next }
    {
      n = split($2, from, " "); m = split($3 " <eos>", to, " "); h = mean = x = loss = 0
      for (t = 1; t <= n; t++) { h = cell("encoder", w["embedding.weight", id_of("data/vocabulary.tsv", from[t])], h); mean += h / n }
      h = tanh(w["bridge.weight", 1] * mean + w["bridge.bias", 1])
      for (t = 1; t <= m; t++) {
        h = cell("decoder", x, h); sum = 0
        for (k = 1; k <= count["data/vocabulary-target.tsv"]; k++) sum += exp(w["output.weight", k] * h + w["output.bias", k])
        k = id_of("data/vocabulary-target.tsv", to[t])
        loss += log(sum) - w["output.weight", k] * h - w["output.bias", k]
        x = w["decoder.embedding.weight", k]
      }
      if (loss - $1 > 1e-5 || $1 - loss > 1e-5) { print "by hand " loss ": " $0; wrong = 1 }
      lines++
    }
    END { exit wrong || lines != 3 }' weights data/vocabulary.tsv data/vocabulary-target.tsv - || bad "by hand, $1"
}
if command -v h5dump >/dev/null; then
  sed 1d items.tsv | cut -f 2 | paste - de en | judge train
  sed 1d valid.tsv | cut -f 2 | paste - valid.de valid.en | judge valid
fi

expect 2 '--baseline: of labels and numbers' "$SEQEVAL" run --baseline majority
expect 3 'data has no test split' "$SEQEVAL" run --split test
"$SEQPREP" --quiet --task translate --joint --source de --target en -o joint
expect 3 'has another vocabulary' "$SEQEVAL" run --data joint --split train
finish

# Other programs read a checkpoint: h5ls and h5dump, with our plugin (skipped where they are not installed).
source "$SUPPORT/common.sh"
command -v h5ls >/dev/null && command -v h5dump >/dev/null || {
  echo "skipped: h5ls and h5dump (package hdf5-tools) are not installed"
  exit 77
}
export HDF5_PLUGIN_PATH=$BUILD/hdf5-plugin
[ -z "${SANITIZE:-}" ] || exit 77 # the plugin is built with sanitizers, the programs are not
make_text 120 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
expect 0 finished "$SEQTRAIN" --data data --run run --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --steps 5 --shards 3
cd run/checkpoints/step-000000005 || exit 1
experiment "h5ls and h5dump on a checkpoint" "names of tensors, their values; NaN where a shard is missing"
for tensor in 'embedding.weight +Dataset \{[0-9]+, 4\}' 'rnn.weight_ih_l0 +Dataset \{32, 4\}' 'rnn.weight_hh_l0 +Dataset \{32, 8\}' \
  'rnn.bias_ih_l0 +Dataset \{32\}' 'output.weight +Dataset \{[0-9]+, 8\}'; do
  expect 0 "$tensor" h5ls model.h5
done
expect 0 'parameters +Dataset' h5ls shard-0000.h5
expect 0 'stream_states +Dataset' h5ls shard-0000.h5
expect 0 'USER_DEFINED_FILTER|zstd' h5dump -p -H -d parameters shard-0000.h5

# values FILE DATASET: one a line.
values() { h5dump -y -w 1 -m %.9g -d "$2" "$1" | sed -n 's/^ *\(-\{0,1\}[0-9n][^ ,]*\),\{0,1\}$/\1/p'; }
for shard in 0 1 2; do values shard-000$shard.h5 parameters; done >flat
for tensor in embedding.weight rnn.weight_ih_l0 rnn.weight_hh_l0 rnn.bias_ih_l0 rnn.bias_hh_l0 output.weight output.bias; do values model.h5 $tensor; done >whole
# The flat vector pads nothing between tensors that this test would not see: all values of the tensors, in order.
[ -s whole ] && [ -s flat ] || bad "h5dump prints no values"
awk 'NR == FNR { flat[NR] = $1; n = NR; next } { while (at < n && flat[++at] != $1); if (flat[at] != $1) exit 1 }' flat whole || bad "model.h5 is not what the shards hold"
grep -q nan whole && bad "a whole model has NaN"
mv shard-0001.h5 away
for tensor in embedding.weight rnn.weight_ih_l0 rnn.weight_hh_l0 rnn.bias_ih_l0 rnn.bias_hh_l0 output.weight output.bias; do values model.h5 $tensor; done >holes
[ "$(wc -l <holes)" -eq "$(wc -l <whole)" ] || bad "a missing shard changes the number of values"
paste whole holes | awk '$2 != $1 && $2 !~ /nan/ { exit 1 } $2 ~ /nan/ { n++ } END { exit n < NR / 4 || n > NR / 2 }' || bad "a missing shard is not NaN where it is missing"
outcome 1
finish

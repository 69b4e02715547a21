# h5py reads every data set of a checkpoint, through our plugin and through hdf5plugin. Skipped where Python has them not: the
# programs need neither. PYTHON names another Python (Debian has python3-h5py; its hdf5plugin comes without zstd, pip's with it).
source "$SUPPORT/common.sh"
has() { $python -c "import $1" 2>/dev/null; }
for python in ${PYTHON:-} python3 /usr/bin/python3; do has h5py && break; done
has h5py || {
  echo "skipped: h5py (package python3-h5py) is not installed"
  exit 77
}
[ -z "${SANITIZE:-}" ] || {
  echo "skipped: the plugin is built with sanitizers, Python is not"
  exit 77
}
make_text 120 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
expect 0 finished "$SEQTRAIN" --data data --run run --layers 2 --hidden 300 --embed 100 --batch 2 --window 4 --steps 5 --shards 3 --optimizer adam
reads() { # NAME [PLUGIN_DIRECTORY]
  expect 0 "^[0-9]+ of [0-9]+ values are NaN without shard-0002.h5, the others are right" \
    $python "$SOURCE/tests/h5py/read_checkpoint.py" run/checkpoints/step-000000005 ${2:-}
  grep -q "^4 vectors and 11 tensors read" .out || bad "$1: not all data sets were read: $(cat .out)"
}
experiment "h5py on a checkpoint, with our plugin" "every data set; model.h5 as the shards; NaN where a shard is missing"
reads "our plugin" "$BUILD/hdf5-plugin"
outcome 1
if has "hdf5plugin, h5py; assert h5py.h5z.filter_avail(32015)"; then
  experiment "h5py on a checkpoint, with hdf5plugin" "the same"
  reads hdf5plugin
  outcome 1
else
  echo "skipped: hdf5plugin with zstd (pip install hdf5plugin) is not installed for $python: its row is left out"
fi
finish

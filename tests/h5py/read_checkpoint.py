#!/usr/bin/env python3
"""read_checkpoint.py CHECKPOINT [PLUGIN-DIRECTORY]: h5py reads every data set of a checkpoint.

With PLUGIN-DIRECTORY (build/hdf5-plugin) through the project's zstd plugin, without through hdf5plugin. Compares model.h5 with the
shards value by value, then takes a shard away from a copy and looks for NaN in its place. By hand: needs h5py and numpy.
"""
import glob
import json
import os
import shutil
import sys
import tempfile

if len(sys.argv) > 2:
    os.environ["HDF5_PLUGIN_PATH"] = sys.argv[2]
try:
    import h5py
    import numpy as np
    if len(sys.argv) == 2:
        import hdf5plugin  # noqa: F401
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)


def read_all(directory):
    """{data set: values} of the shards joined, and of model.h5."""
    flat = {}
    for path in sorted(glob.glob(os.path.join(directory, "shard-*.h5"))):
        with h5py.File(path, "r") as file:
            for name in file:
                flat.setdefault(name, []).append(file[name][:])
    with h5py.File(os.path.join(directory, "model.h5"), "r") as file:
        model = {name: file[name][:] for name in file}
    return {name: np.concatenate(parts) for name, parts in flat.items()}, model


checkpoint = sys.argv[1]
flat, model = read_all(checkpoint)
with open(os.path.join(checkpoint, "manifest.json")) as file:
    state = json.load(file)["sections"]["state"]
for name, values in flat.items():
    assert len(values) == int(state[name]), (name, len(values))
    assert np.isfinite(values).all(), name
assert set(flat) == set(state) - {"shards"}, set(flat)
parameters = flat["parameters"]
for name, values in model.items():
    wanted = values.ravel()
    starts = [at for at in np.flatnonzero(parameters == wanted[0])
              if np.array_equal(parameters[at:at + wanted.size], wanted)]
    assert starts, name + " is not in the shards"
print(f"{len(flat)} vectors and {len(model)} tensors read: {', '.join(sorted(model))}")

with tempfile.TemporaryDirectory() as place:
    copy = os.path.join(place, "copy")
    shutil.copytree(checkpoint, copy)
    shards = sorted(glob.glob(os.path.join(copy, "shard-*.h5")))
    os.remove(shards[-1])
    _, holes = read_all(copy)
    lost = sum(int(np.isnan(values).sum()) for values in holes.values())
    for name, values in holes.items():
        kept = ~np.isnan(values)
        assert np.array_equal(values[kept], model[name][kept]), name
    assert lost > 0, "a missing shard shows nowhere"
    print(f"{lost} of {sum(v.size for v in model.values())} values are NaN without {os.path.basename(shards[-1])}, the others are right")

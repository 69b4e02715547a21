"""Writes the HDF5 files of tests/fuzz/corpus/arrays with h5py (made with h5py 3.16.0, HDF5 2.0.0): python3 generate_arrays.py
tests/unit/prep/test_reader_hdf5.c knows their values; none is larger than 16 KB."""
import os

import h5py
import numpy as np

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "arrays")
os.makedirs(folder, exist_ok=True)


def new(name, **options):
    return h5py.File(os.path.join(folder, name), "w", **options)


def count(*shape, dtype="f4"):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def compact(group, name, values):
    """A data set whose values lie in its header."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    plist.set_obj_track_times(False)
    values = np.ascontiguousarray(values)
    kind, space = h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(group.id, name, kind, space, plist).write(h5py.h5s.ALL, h5py.h5s.ALL, values)


def implicit(group, name, values, chunk):
    """Chunks one behind another, without an index."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunk)
    plist.set_obj_track_times(False)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    kind, space = h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(group.id, name.encode(), kind, space, plist).write(h5py.h5s.ALL, h5py.h5s.ALL, values)


with new("types.h5") as f:  # the default form; each label in another way
    for name, dtype in dict(f2="<f2", f4="<f4", f8="<f8", b4=">f4", i2="<i2", u1="u1", flag="?").items():
        f["a/" + name] = count(1, 2, dtype=dtype)
    f["a/f8"].attrs["label"] = "far"
    f["a/b4"].attrs["label"] = np.bytes_("near")
    f["a/i2"].attrs["label"] = -7
    f["a/u1"].attrs["label"] = 0.5
    compact(f["a"], b"inside", count(2, 2))
    f["b/c/row"] = count(3)
    f["b/text"] = "not frames"
    f["b/single"] = 4.0
    f["b/none"] = np.zeros((0, 3), "f4")
    f["b/soft"] = h5py.SoftLink("/a/f4")
    f["b/loop"] = f["/"]

with new("many.h5") as f:  # items along the first axis
    f.create_dataset("X", data=count(5, 3, 2), chunks=(2, 2, 2), compression="gzip", shuffle=True, fletcher32=True)
    f["y"] = ["one", "two", "three", "one", "two"]
    f["subject"] = np.array([1, 1, 2, 2, 300])
    f["other"] = np.zeros(3)

with new("tree.h5") as f:  # a tree of chunks with two levels
    f.create_dataset("x", data=count(70, 2, dtype="u1"), chunks=(1, 1))

with new("latest.h5", libver="latest") as f:
    f.create_dataset("g/fixed", data=count(5, 3, dtype="i2"), chunks=(2, 2), compression="gzip")
    f.create_dataset("g/grows", data=count(30, 1, dtype="i2"), chunks=(1, 1), maxshape=(None, 1))
    f.create_dataset("g/single", data=count(2, 3, dtype="i2"), chunks=(2, 3), compression="gzip")
    f.create_dataset("g/capped", data=count(3, 3, dtype="i2"), chunks=(2, 2), maxshape=(4, 7))
    f["g/whole"] = count(2, 2)
    f["g/whole"].attrs["label"] = "latest"
    implicit(f["g"], "implicit", count(3, 3, dtype="i2"), (2, 2))

with new("paged.h5", libver="latest") as f:  # a fixed array that is divided into pages
    f.create_dataset("x", data=count(1030, 1, dtype="u1"), chunks=(1, 1))

with new("dense.h5", libver="latest") as f:  # links and attributes in heaps of one block and of several
    f["a"] = count(1, 2)
    for i in range(9):
        f["a"].attrs[f"n{i}"] = i
    f["a"].attrs["label"] = "one of many"
    for i in range(80):
        f[f"links/this-is-a-long-name-{i:02}"] = f["a"]

with new("refused-growing.h5", libver="latest") as f:
    f.create_dataset("x", data=count(2, 2), chunks=(1, 1), maxshape=(None, None))

with new("refused-filter.h5") as f:
    f.create_dataset("x", data=count(20, 2), chunks=(10, 2), compression="lzf")

with new("refused-unwritten.h5") as f:
    f.create_dataset("x", shape=(4, 2), dtype="f4", chunks=(2, 2))[:2] = 1

with new("refused-labels.h5") as f:
    f["X"] = count(3, 1, 1)
    f["y"] = count(2)

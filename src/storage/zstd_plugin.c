// The filter as a plugin of HDF5: h5py, h5dump and others find it through
// HDF5_PLUGIN_PATH and read our files. Tests: tests/unit/storage/test_plugin.c,
// tests/fault/h5py.sh.
#include "zstd_filter.h"
#include <H5PLextern.h>

H5PL_type_t H5PLget_plugin_type(void) {
    return H5PL_TYPE_FILTER;
}

const void *H5PLget_plugin_info(void) {
    return &seq_zstd_filter;
}

// HDF5 by itself, without the filter of our library, reads our files through
// the plugin. The filter is taken out first, and reading must fail, so the
// plugin is what reads. Checks src/storage/zstd_plugin.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <hdf5.h>
#include <seqtrain/storage/vector_file.h>
#include "temporary.h"

enum { COUNT = 3000 };

static bool read_plainly(const char *path, float *out) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT),
          dataset = H5Dopen2(file, "v", H5P_DEFAULT);
    herr_t failed = H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    H5Dclose(dataset);
    H5Fclose(file);
    return failed >= 0;
}

static void plugin_reads(void **state) {
    (void)state;
    static float values[COUNT], read[COUNT];
    temporary place;
    seq_error error = {0};
    seq_vector_file *file = NULL;
    temporary_create(&place);
    const char *path = temporary_path(&place, "v.h5");
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(i % 17);
    assert_int_equal(seq_storage_begin(&error), SEQ_OK);
    assert_int_equal(seq_vector_file_create(path, &file, &error), SEQ_OK);
    assert_int_equal(seq_vector_write(file, "v", SEQ_F32, values, COUNT, 700,
                                      (seq_pipeline){SEQ_COMPRESS_ZSTD, 1}, &error),
                     SEQ_OK);
    assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
    assert_true(H5Zunregister(32015) >= 0);
    assert_false(read_plainly(path, read));
    H5PLset_loading_state(H5PL_ALL_PLUGIN);
    H5PLprepend(PLUGIN_DIRECTORY);
    assert_true(read_plainly(path, read));
    assert_memory_equal(read, values, sizeof values);
    temporary_destroy(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plugin_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

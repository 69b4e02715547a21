// Files are replaced whole or not at all: a limit of file size stands for a
// full disk. Paths, removal without following links, arenas, records, and the
// exit code of every status have a case each. Checks src/base/file.c, memory.c,
// record.c and status.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/record.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/seq-file-XXXXXX";

static int make_root(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : 1;
}

static int remove_root(void **state) {
    (void)state;
    seq_error error = {0};
    return seq_directory_remove(root, &error);
}

static void path_of(char out[SEQ_PATH], const char *name) {
    seq_error error = {0};
    assert_int_equal(seq_path_join(out, root, name, &error), SEQ_OK);
}

static void content_is_replaced_whole(void **state) {
    (void)state;
    char path[SEQ_PATH], *bytes;
    size_t size;
    seq_error error = {0};
    path_of(path, "file");
    assert_int_equal(seq_file_write_atomic(path, "one", 3, &error), SEQ_OK);
    assert_int_equal(seq_file_write_atomic(path, "three", 5, &error), SEQ_OK);
    assert_int_equal(seq_file_read(path, 100, &bytes, &size, &error), SEQ_OK);
    assert_int_equal(size, 5);
    assert_string_equal(bytes, "three");
    free(bytes);
    assert_int_equal(seq_file_read(path, 4, &bytes, &size, &error), SEQ_BAD_INPUT);
}

static void paths_have_a_directory_and_a_name(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"a/b/c", "a/b", "c"}, {"/a", "/", "a"}, {"a", ".", "a"}, {"/a/", "/a", ""}};
    char above[SEQ_PATH];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(seq_path_split(cases[i][0], above), cases[i][2]);
        assert_string_equal(above, cases[i][1]);
    }
}

// A file size limit stands for a full disk: the old content stays, no temporary file is left.
static void a_full_disk_keeps_the_old_content(void **state) {
    (void)state;
    char path[SEQ_PATH], *bytes, **names, big[4096] = {0};
    size_t size, count;
    seq_error error = {0}, later = {0};
    struct rlimit old, small;
    path_of(path, "precious");
    assert_int_equal(seq_file_write_atomic(path, "old", 3, &error), SEQ_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    seq_status status = seq_file_write_atomic(path, big, sizeof big, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, SEQ_NO_SPACE);
    assert_int_equal(seq_file_read(path, 100, &bytes, &size, &later), SEQ_OK);
    assert_string_equal(bytes, "old");
    free(bytes);
    assert_int_equal(seq_directory_list(root, &names, &count, &later), SEQ_OK);
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(names[i], "tmp"));
    seq_names_free(names, count);
}

static void removal_does_not_follow_links(void **state) {
    (void)state;
    char outside[SEQ_PATH], tree[SEQ_PATH], deep[SEQ_PATH], link[SEQ_PATH];
    seq_error error = {0};
    path_of(outside, "outside");
    path_of(tree, "tree");
    path_of(deep, "tree/a/b");
    path_of(link, "tree/a/link");
    assert_int_equal(seq_directory_create(outside, &error), SEQ_OK);
    assert_int_equal(seq_directory_create(deep, &error), SEQ_OK);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(seq_directory_remove(tree, &error), SEQ_OK);
    assert_false(seq_path_exists(tree));
    assert_true(seq_path_is_directory(outside));
}

static void failures_have_their_status(void **state) {
    (void)state;
    char *bytes;
    size_t size;
    seq_error missing = {0}, directory = {0};
    assert_int_equal(seq_file_read("/nonexistent/x", 10, &bytes, &size, &missing), SEQ_BAD_INPUT);
    assert_non_null(strstr(missing.text, "/nonexistent/x"));
    assert_int_equal(seq_directory_create("/proc/none", &directory), SEQ_BAD_INPUT);
}

static void errors_keep_the_first_and_gain_context(void **state) {
    (void)state;
    seq_error error = {0};
    assert_int_equal(seq_error_set(&error, SEQ_BAD_INPUT, "first %d", 1), SEQ_BAD_INPUT);
    assert_int_equal(seq_error_set(&error, SEQ_IO, "second"), SEQ_BAD_INPUT);
    seq_error_add_context(&error, "loading");
    assert_string_equal(error.text, "loading: first 1");
    static const int codes[] = {0, 75, 2, 3, 4, 5, 7, 1, 1, 6};
    for (int status = SEQ_OK; status <= SEQ_RANK_FAILED; status++)
        assert_int_equal(seq_status_exit_code((seq_status)status), codes[status]);
}

static seq_status close_stream(FILE *stream, char **text, seq_error *error) {
    *error = (seq_error){0};
    return seq_memory_stream_close(stream, text, error, "describing %d hosts", 2);
}

// A device that is full stands for memory that is out while it is printed; a text that is not there
// for memory that is out in the end.
static void memory_streams_are_whole_or_refused(void **state) {
    (void)state;
    seq_error error;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    fputs("whole", stream);
    assert_int_equal(close_stream(stream, &text, &error), SEQ_OK);
    assert_string_equal(text, "whole");
    free(text);
    text = NULL;
    assert_int_equal(close_stream(NULL, &text, &error), SEQ_NO_MEMORY);
    assert_string_equal(error.text, "describing 2 hosts: out of memory");
    for (int flushed = 0; flushed < 2; flushed++) {
        text = strdup("a part");
        stream = fopen("/dev/full", "we");
        assert_non_null(stream);
        fputs("whole", stream);
        if (flushed) assert_int_equal(fflush(stream), EOF);
        assert_int_equal(close_stream(stream, &text, &error), SEQ_NO_MEMORY);
        assert_null(text);
    }
    stream = fopen("/dev/null", "we");
    assert_int_equal(close_stream(stream, &text, &error), SEQ_NO_MEMORY);
}

static void arenas_serve_what_they_planned(void **state) {
    (void)state;
    seq_arena arena = {0};
    seq_error error = {0};
    float *first = NULL, *second = NULL;
    for (int life = 0; life < 2; life++) {
        first = SEQ_ARENA_FLOATS(&arena, 3);
        second = SEQ_ARENA_FLOATS(&arena, 100);
        if (life == 0) assert_int_equal(seq_arena_commit(&arena, "test", &error), SEQ_OK);
    }
    assert_int_equal((uintptr_t)second % SEQ_ALIGNMENT, 0);
    assert_true(second >= first + 3 && second[99] == 0);
    seq_arena_clear(&arena);
    void *huge;
    assert_int_equal(seq_allocate(&huge, SIZE_MAX / 2, 4, "too much", &error), SEQ_NO_MEMORY);
}

static void records_read_back_and_refuse(void **state) {
    (void)state;
    seq_record record = {0};
    seq_error error = {0};
    int64_t integer;
    double real;
    int list[4], count;
    const int values[] = {3, 1, 2};
    seq_record_set_real(&record, "real", 0.1, &error);
    seq_record_set_real(&record, "infinite", INFINITY, &error);
    seq_record_set_integer(&record, "integer", -5, &error);
    seq_record_set_integers(&record, "list", values, 3, &error);
    seq_record_set_integers(&record, "empty", values, 0, &error);
    assert_int_equal(seq_record_get_real(&record, "real", &real, &error), SEQ_OK);
    assert_true(real == 0.1);
    assert_int_equal(seq_record_get_real(&record, "infinite", &real, &error), SEQ_OK);
    assert_true(isinf(real));
    assert_int_equal(seq_record_get_integers(&record, "list", 1, 3, list, 4, &count, &error),
                     SEQ_OK);
    assert_true(count == 3 && list[0] == 3 && list[2] == 2);
    assert_int_equal(seq_record_get_integers(&record, "empty", 1, 3, list, 4, &count, &error),
                     SEQ_OK);
    assert_int_equal(count, 0);
    assert_int_equal(seq_record_get_integer(&record, "integer", -5, 5, &integer, &error), SEQ_OK);
    static const char *const bad[] = {"integer", "real", "absent"};
    for (int i = 0; i < 3; i++) {
        seq_error refused = {0};
        assert_int_equal(seq_record_get_integer(&record, bad[i], 0, 5, &integer, &refused),
                         SEQ_NO_CHECKPOINT);
    }
    seq_record_clear(&record);
}

// Run as root, a rename would put a file in the place of a device.
static void what_is_no_file_is_written_to(void **state) {
    (void)state;
    seq_error error = {0};
    char pipe[SEQ_PATH], file[SEQ_PATH], link[SEQ_PATH], read_back[9] = "", *bytes = NULL;
    struct stat info;
    size_t size = 0;
    assert_int_equal(seq_path_join(pipe, root, "pipe", &error), SEQ_OK);
    assert_int_equal(seq_path_join(file, root, "linked", &error), SEQ_OK);
    assert_int_equal(seq_path_join(link, root, "link", &error), SEQ_OK);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    int descriptor = open(pipe, O_RDWR | O_NONBLOCK);
    assert_int_equal(seq_file_write_output(pipe, "through", 7, &error), SEQ_OK);
    assert_int_equal(read(descriptor, read_back, 8), 7);
    assert_string_equal(read_back, "through");
    close(descriptor);
    assert_int_equal(lstat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(seq_file_write_output(file, "old", 3, &error), SEQ_OK);
    assert_int_equal(symlink("linked", link), 0);
    assert_int_equal(seq_file_write_output(link, "newer", 5, &error), SEQ_OK);
    assert_int_equal(seq_file_read(file, 100, &bytes, &size, &error), SEQ_OK);
    assert_string_equal(bytes, "newer");
    free(bytes);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_replaced_whole),
        cmocka_unit_test(what_is_no_file_is_written_to),
        cmocka_unit_test(paths_have_a_directory_and_a_name),
        cmocka_unit_test(a_full_disk_keeps_the_old_content),
        cmocka_unit_test(removal_does_not_follow_links),
        cmocka_unit_test(failures_have_their_status),
        cmocka_unit_test(errors_keep_the_first_and_gain_context),
        cmocka_unit_test(arenas_serve_what_they_planned),
        cmocka_unit_test(memory_streams_are_whole_or_refused),
        cmocka_unit_test(records_read_back_and_refuse),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}

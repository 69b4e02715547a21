// OpenBLAS comes when it is asked for, with one thread, and not before. The
// process's maps and tasks in /proc tell. Where memory for its buffers is
// short, it is refused. Checks src/kernels/product_openblas.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <seqtrain/kernels/compute.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_loaded(void) {
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, "libopenblas") != NULL;
    fclose(maps);
    return found;
}

static int count_threads(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void multiply(const seq_compute *compute, size_t size) {
    float *a = calloc(size * size, sizeof *a), *c = calloc(size * size, sizeof *c);
    void *packed = aligned_alloc(64, seq_compute_packed_bytes(compute, size, size));
    seq_compute_pack(compute, SEQ_PLAIN, size, size, a, size, packed);
    seq_compute_rows(compute, size, size, size, a, packed, NULL, c);
    free(packed);
    free(c);
    free(a);
}

static void comes_when_asked_for(void **state) {
    (void)state;
    seq_compute compute;
    seq_error error = {0};
    char text[300];
    seq_kernels_describe_all(text, sizeof text);
    assert_non_null(strstr(text, "openblas"));
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    multiply(&compute, 8);
    assert_false(is_loaded());
    assert_int_equal(setenv("OPENBLAS_NUM_THREADS", "8", 1), 0); // of no effect
    int threads = count_threads();
    if (seq_compute_find("openblas", SEQ_FP32, NULL, &compute, &error)) fail_msg("%s", error.text);
    assert_true(is_loaded());
    multiply(&compute, 700); // large enough to be shared among threads
    assert_int_equal(count_threads(), threads);
    seq_kernels_describe(compute.kernels, text, sizeof text);
    assert_true(strncmp(text, "openblas 0.", strlen("openblas 0.")) == 0);
    assert_true(strncmp(text, seq_kernels_order(compute.kernels, SEQ_FP32), strcspn(text, ",")) ==
                0);
}

// One that cannot be had changes nothing; the same again, and none in particular, are what is
// there.
static void keeps_what_is_loaded(void **state) {
    (void)state;
    seq_compute compute;
    seq_error error = {0}, refused = {0};
    assert_int_equal(seq_compute_find("openblas", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    char before[200];
    snprintf(before, sizeof before, "%s", seq_kernels_order(compute.kernels, SEQ_FP32));
    assert_int_equal(seq_blas_load("./no-such-library.so", &refused), SEQ_BAD_USAGE);
    assert_non_null(strstr(refused.text, "no-such-library.so"));
    multiply(&compute, 8);
    assert_string_equal(seq_kernels_order(compute.kernels, SEQ_FP32), before);
    assert_int_equal(seq_blas_load("libopenblas.so.0", &error), SEQ_OK);
    assert_int_equal(seq_blas_load("libopenblas.so.0", &error), SEQ_OK);
    assert_int_equal(seq_blas_load(NULL, &error), SEQ_OK);
    assert_string_equal(seq_kernels_order(compute.kernels, SEQ_FP32), before);
    multiply(&compute, 8);
}

// Where it would wait for memory for ever, it is refused; what it has got once, it keeps.
static void needs_room(void **state) {
    (void)state;
    seq_team *one, *four;
    seq_compute compute;
    seq_error error = {0};
    struct rlimit limit, small;
    getrlimit(RLIMIT_AS, &limit);
    small = limit;
    small.rlim_cur = (rlim_t)450 << 20; // three buffers of 128 MB more do not fit
    assert_int_equal(seq_team_create(1, &one, &error), SEQ_OK);
    assert_int_equal(seq_team_create(4, &four, &error), SEQ_OK);
    assert_int_equal(seq_compute_find("openblas", SEQ_FP32, one, &compute, &error), SEQ_OK);
    setrlimit(RLIMIT_AS, &small);
    seq_status again = seq_compute_find("openblas", SEQ_FP32, one, &compute, &error),
               more = seq_compute_find("openblas", SEQ_FP32, four, &compute, &error);
    setrlimit(RLIMIT_AS, &limit);
    assert_int_equal(again, SEQ_OK);
    assert_int_equal(more, SEQ_NO_MEMORY);
    assert_non_null(strstr(error.text, "4 x 128 MB"));
    seq_team_destroy(four);
    seq_team_destroy(one);
}

// Asked of another process, so that nothing is loaded here.
static bool is_installed(void) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(dlopen("libopenblas.so.0", RTLD_LAZY) ? 0 : 1);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void) {
    if (!is_installed()) {
        printf("skipped: OpenBLAS is not installed\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_when_asked_for),
                                       cmocka_unit_test(keeps_what_is_loaded),
                                       cmocka_unit_test(needs_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

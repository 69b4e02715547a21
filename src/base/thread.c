// Stacks of a fixed size, whatever `ulimit -s` says. The deepest chain of calls is a product's copy
// of A (product_body.h, 222 KB) below the layers that lead to it. Pages that a thread does not
// touch cost address space only. Tests: tests/cli/limits.sh runs all programs under small limits.
#include <seqtrain/base/thread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

// Below 2 MB, or the system may put each stack on a huge page.
enum { STACK_BYTES = 1 << 20 };

static int start(pthread_t *out, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed) return failed;
    failed = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!failed) failed = pthread_create(out, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return failed;
}

int seq_thread_start(pthread_t *out, bool leaves_signals, void *(*body)(void *), void *argument) {
    sigset_t all, before;
    if (!leaves_signals) return start(out, body, argument);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = start(out, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

typedef struct main_call {
    void (*body)(void *);
    void *argument;
} main_call;

static void *run_call(void *argument) {
    main_call *call = argument;
    call->body(call->argument);
    return NULL;
}

// Of threads that libraries start without a word about their stack.
static void enlarge_default(void) {
#ifdef __GLIBC__
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return;
    if (!pthread_attr_setstacksize(&attributes, STACK_BYTES))
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
#endif
}

seq_status seq_thread_run_main(void (*body)(void *), void *argument, seq_error *error) {
    struct rlimit limit;
    sigset_t all;
    main_call call = {body, argument};
    pthread_t thread;
    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= STACK_BYTES) {
        body(argument);
        return SEQ_OK;
    }
    enlarge_default();
    int failed = seq_thread_start(&thread, false, run_call, &call);
    if (failed)
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "the stack is limited to %llu KB (ulimit -s), %d KB are needed, and a "
                             "thread with as much cannot be started: %s",
                             (unsigned long long)limit.rlim_cur / 1024, STACK_BYTES / 1024,
                             strerror(failed));
    sigfillset(&all); // a signal is to interrupt what body waits for, not this
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_join(thread, NULL);
    return SEQ_OK;
}

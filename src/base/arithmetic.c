// Reads and writes the control register of floating-point arithmetic: MXCSR on x86, FPCR on ARM.
// A thread takes over the register of the thread that starts it, so a program that sets it first
// has it everywhere; threads that compute set it themselves nevertheless.
// Tests: tests/unit/base/test_arithmetic.c, tests/unit/train/test_denormals.c.
#include <seqtrain/base/arithmetic.h>

#if SEQ_FLUSH_DENORMALS && defined(__x86_64__)
#include <immintrin.h>
enum {
    SETTABLE = 1,
    OURS = 0x1f80 | 0x8000 | 0x0040 // all exceptions masked, FTZ, DAZ
};

static uint64_t read_control(void) {
    return _mm_getcsr();
}

static void write_control(uint64_t control) {
    _mm_setcsr((unsigned)control);
}
#elif SEQ_FLUSH_DENORMALS && defined(__aarch64__)
enum {
    SETTABLE = 1,
    OURS = 1 << 24 // FZ
};

static uint64_t read_control(void) {
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control)::"memory");
    return control;
}

static void write_control(uint64_t control) {
    __asm__ volatile("msr fpcr, %0" ::"r"(control) : "memory");
}
#else
enum { SETTABLE = 0, OURS = 0 };

static uint64_t read_control(void) {
    return OURS;
}

static void write_control(uint64_t control) {
    (void)control;
}
#endif

seq_arithmetic seq_arithmetic_begin(void) {
    seq_arithmetic before = {read_control()};
    write_control(OURS);
    return before;
}

void seq_arithmetic_end(seq_arithmetic before) {
    write_control(before.control);
}

const char *seq_arithmetic_denormals(void) {
    return SETTABLE ? "flushed" : "kept";
}

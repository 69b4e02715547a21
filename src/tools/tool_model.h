// How programs take up a model.
#ifndef SEQ_TOOLS_MODEL_H
#define SEQ_TOOLS_MODEL_H

#include <seqtrain/checkpoint/checkpoint.h>

// The options --newest, --kernels and --weights (places in their registries), the threads that
// compute products at the same time, and --average.
typedef struct tool_model {
    bool newest;
    int kernels, weights, threads;
    int64_t average;
} tool_model;

// Rows of a program's table. at(FIELD) is the place of FIELD in its struct of options, which has
// bool newest, int64_t average, int kernels, char *blas, int weights.
#define TOOL_MODEL_OPTIONS(at)                                                                     \
    {SEQ_OPTION_FLAG, "newest", NULL,                                                              \
     at(newest),      "no",     .help = "The newest checkpoint of RUN instead of the best."},      \
        {SEQ_OPTION_INTEGER,                                                                       \
         "average",                                                                                \
         "N",                                                                                      \
         at(average),                                                                              \
         "1",                                                                                      \
         1,                                                                                        \
         1000,                                                                                     \
         .help = "The mean of the parameters of the last N checkpoints of RUN, instead of one "    \
                 "checkpoint. seqtrain --keep N (3) leaves so many."},                             \
        {SEQ_OPTION_CHOICE,                                                                        \
         "kernels",                                                                                \
         "NAME",                                                                                   \
         at(kernels),                                                                              \
         "auto",                                                                                   \
         .registry = seq_kernels_names,                                                            \
         .help =                                                                                   \
             "Matrix products: our own for an instruction set (auto: the best of this CPU; "       \
             "unfused: multiply and add are rounded apart), or OpenBLAS, whose last bits depend "  \
             "on the other items of a batch."},                                                    \
        {SEQ_OPTION_TEXT, "blas", "FILE", at(blas),                                                \
         .help =                                                                                   \
             "With --kernels openblas, which it implies: the shared library for matrix products, " \
             "by its path or by a name that the system finds (MKL: libmkl_rt.so.2, BLIS: "         \
             "libblis.so.4). It needs the C interface of BLAS and integers of 32 bits."},          \
    {                                                                                              \
        SEQ_OPTION_CHOICE, "weights", "PRECISION", at(weights), "fp32",                            \
            .registry = seq_precision_names,                                                       \
            .help = "How the weights are held: fp32; bf16, half of the memory traffic, inputs of " \
                    "products rounded likewise; int8, a quarter, with a scale for each unit."      \
    }

// Loads RUN|CHECKPOINT, and says which checkpoint it is where `path` names a run. Release with
// seq_loaded_clear.
seq_status tool_load_model(const char *path, const tool_model *how, seq_loaded *out,
                           seq_error *error);

#endif

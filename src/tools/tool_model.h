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

// Rows of a table of options, of a field `average` (int64_t).
#define TOOL_AVERAGE_OPTION(place)                                                                 \
    {                                                                                              \
        SEQ_OPTION_INTEGER, "average", "N", place, "1", 1, 1000,                                   \
            .help = "The mean of the parameters of the last N checkpoints of RUN, instead of one " \
                    "checkpoint. seqtrain --keep N (3) leaves so many."                            \
    }

// Loads RUN|CHECKPOINT, and says which checkpoint it is where `path` names a run. Release with
// seq_loaded_clear.
seq_status tool_load_model(const char *path, const tool_model *how, seq_loaded *out,
                           seq_error *error);

#endif

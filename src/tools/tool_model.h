// How programs take up a model.
#ifndef SEQ_TOOLS_MODEL_H
#define SEQ_TOOLS_MODEL_H

#include <seqtrain/checkpoint/checkpoint.h>

// The options --newest, --kernels and --weights (places in their registries), and the threads that
// compute products at the same time.
typedef struct tool_model {
    bool newest;
    int kernels, weights, threads;
} tool_model;

// Loads RUN|CHECKPOINT, and says which checkpoint it is where `path` names a run. Release with
// seq_loaded_clear.
seq_status tool_load_model(const char *path, const tool_model *how, seq_loaded *out,
                           seq_error *error);

#endif

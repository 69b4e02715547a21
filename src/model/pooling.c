// Pooling from its options: a layer for each way, and for attention a dense layer
// that makes the keys. The mean of the stack's inputs may stand beside it. Test:
// tests/unit/model/test_builders.c.
#include <seqtrain/model/pooling.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <stddef.h>
#include <string.h>

// By seq_pooling, and attention.
static const char *const names[] = {"last", "ends", "mean", "max", "max-mean", "attention", NULL};
enum { ATTENTION = SEQ_POOL_MAX_MEAN + 1 };

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Pooling"},
    {SEQ_OPTION_CHOICE, "pool", "HOW", offsetof(seq_pooling_settings, pool), "max",
     .choices = names, .flags = SEQ_OPTION_IDENTITY,
     .help = "How a sequence becomes one vector. last: the state of its last step. ends: the final "
             "states of both directions. mean, max: of each unit over all steps; max-mean: both. "
             "attention: a mean weighted by learned scores."},
    {SEQ_OPTION_FLAG, "pool-inputs", NULL, offsetof(seq_pooling_settings, inputs), "no",
     .flags = SEQ_OPTION_IDENTITY,
     .help = "The mean of what the layers read, embeddings of words for instance, stands beside "
             "what --pool makes of their states."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_pooling_options = {options, sizeof(seq_pooling_settings)};

static int attend(seq_graph *graph, int states, int axis) {
    const seq_dense_options dense = {.units = seq_graph_width(graph, states),
                                     .activation = SEQ_ACTIVATION_TANH};
    int keys = seq_graph_layer(graph, &seq_layer_dense, &dense, "pool.key", "", &states, 1);
    return seq_graph_layer(graph, &seq_layer_attention_pool, &(seq_attention_pool_options){axis},
                           "pool", "", (int[]){states, keys}, 2);
}

static int pool(seq_graph *graph, int how, int rows, int axis) {
    if (how == ATTENTION) return attend(graph, rows, axis);
    return seq_graph_layer(graph, &seq_layer_pool, &(seq_pool_options){(seq_pooling)how, axis}, "",
                           "", &rows, 1);
}

int seq_graph_pooling(seq_graph *graph, const seq_parsed *settings, int inputs, int states,
                      int axis) {
    const seq_pooling_settings *own =
        settings ? seq_option_values(settings, &seq_pooling_options) : NULL;
    int pooled = pool(graph, own ? own->pool : SEQ_POOL_MAX, states, axis);
    if (!own || !own->inputs) return pooled;
    int mean = pool(graph, SEQ_POOL_MEAN, inputs, axis);
    return seq_graph_layer(graph, &seq_layer_concat, NULL, "", "", (int[]){pooled, mean}, 2);
}

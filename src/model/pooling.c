// Pooling from its option: a layer for each way, and for attention a dense layer
// that makes the keys. Test: tests/unit/model/test_builders.c.
#include <seqtrain/model/pooling.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/pool.h>
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
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_pooling_options = {options, sizeof(seq_pooling_settings)};

static int attend(seq_graph *graph, int input, int axis) {
    const seq_dense_options dense = {.units = seq_graph_width(graph, input),
                                     .activation = SEQ_ACTIVATION_TANH};
    int keys = seq_graph_layer(graph, &seq_layer_dense, &dense, "pool.key", "", &input, 1);
    return seq_graph_layer(graph, &seq_layer_attention_pool, &(seq_attention_pool_options){axis},
                           "pool", "", (int[]){input, keys}, 2);
}

int seq_graph_pooling(seq_graph *graph, const seq_parsed *settings, int input, int axis) {
    const seq_pooling_settings *own =
        settings ? seq_option_values(settings, &seq_pooling_options) : NULL;
    int pool = own ? own->pool : SEQ_POOL_MAX;
    if (pool == ATTENTION) return attend(graph, input, axis);
    return seq_graph_layer(graph, &seq_layer_pool, &(seq_pool_options){(seq_pooling)pool, axis}, "",
                           "", &input, 1);
}

// The tables of layers and heads, and the lists of what a node asks for. A kind
// is registered by one line here; tests loop over the tables. Invariant: a need
// is appended, never changed by the list, so places stay valid. Test:
// tests/unit/model/test_graph.c.
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/decoder.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <stdio.h>

const seq_layer_kind *const *seq_layers(void) {
    static const seq_layer_kind *const table[] = {
        &seq_layer_embedding,
        &seq_layer_features,
        &seq_layer_recurrent,
        &seq_layer_reverse,
        &seq_layer_concat,
        &seq_layer_dense,
        &seq_layer_dropout,
        &seq_layer_pool,
        &seq_layer_attention_pool,
        &seq_layer_spread,
        &seq_layer_attention,
        &seq_layer_decoder,
        NULL,
    };
    return table;
}

seq_parameter_need *seq_list_parameter(seq_parameter_list *list, const char *name, int rows,
                                       int columns, double bound) {
    assert(list->parameter_count < SEQ_NODE_PARAMETERS);
    seq_parameter_need *need = &list->parameters[list->parameter_count++];
    double scale = list->choice.uniform > 0 ? list->choice.uniform : bound;
    *need = (seq_parameter_need){
        .rows = rows,
        .columns = columns,
        .decay = columns > 0,
        .vocabulary = -1,
        .share = columns > 0,
        .initial = scale > 0 ? SEQ_INITIAL_UNIFORM : SEQ_INITIAL_ZERO,
        .scale = scale,
    };
    snprintf(need->name, sizeof need->name, "%s", name);
    return need;
}

int seq_list_packed(seq_parameter_list *list, seq_packed_need need) {
    assert(list->packed_count < SEQ_NODE_PACKED);
    list->packed[list->packed_count] = need;
    return list->packed_count++;
}

seq_packed_need seq_whole_matrix(const seq_parameter_list *list, int parameter, bool back) {
    const seq_parameter_need *need = &list->parameters[parameter];
    return (seq_packed_need){
        .use = back ? SEQ_PACKED_BACKWARD : SEQ_PACKED_FORWARD,
        .parameter = parameter,
        .rows = need->rows,
        .columns = need->columns,
        .plain = back,
    };
}

// Greedy search for the examples of a batch, side by side; what it finds is joined
// to text and counted against the reference that seqprep has kept. An unknown
// symbol matches nothing: where a reference has its text, one byte of that is
// changed to one that no text has. Invariant: an example's text and counts do not
// depend on those beside it, so their sums are the same for any number of ranks.
// Tests: tests/unit/infer/test_evaluate.c, tests/cli/translate.sh,
// tests/mpi/translate.sh.
#include "evaluate_texts.h"
#include "stepper.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SOME = 4096 }; // items read at once

struct seq_text_evaluator {
    const seq_vocabulary *vocabulary;
    int source; // axis; the target's own: there is none
    seq_search *search;
    seq_model_stepper stepper;
    seq_segment_counter *counter;
    char *references; // of the split
    size_t references_used, references_capacity;
    struct place {
        size_t at, size;
    } * reference_at; // (items of the split)
    // Of the last batch.
    const seq_axis *axis;       // its examples
    seq_search_item *items;     // (examples)
    seq_overlap_counts *counts; // (examples)
    struct place *output_at;    // (examples)
    char *outputs;
    size_t outputs_used, outputs_capacity;
};

// ---- References.

static void hide_unknown(const seq_vocabulary *vocabulary, char *text, size_t size) {
    int unk = seq_vocabulary_unk(vocabulary);
    size_t length = 0;
    const char *mark = unk >= 0 ? seq_vocabulary_text(vocabulary, unk, &length) : NULL;
    for (size_t i = 0; length && i + length <= size; i++)
        if (memcmp(text + i, mark, length) == 0) text[i + length / 2] = '\xFF';
}

// `raw` is the source, a line end, the target.
static seq_status keep_reference(seq_text_evaluator *evaluator, int64_t item, const char *raw,
                                 size_t size, seq_error *error) {
    const char *end = size ? memchr(raw, '\n', size) : NULL;
    if (!end)
        return seq_error_set(error, SEQ_BAD_INPUT, "the text of item %lld has one side only",
                             (long long)item);
    size -= (size_t)(end + 1 - raw);
    seq_status status = seq_grow(&evaluator->references, &evaluator->references_capacity,
                                 evaluator->references_used + size + 1, 1, "references", error);
    if (status) return status;
    char *own = evaluator->references + evaluator->references_used;
    memcpy(own, end + 1, size);
    hide_unknown(evaluator->vocabulary, own, size);
    evaluator->reference_at[item] = (struct place){evaluator->references_used, size};
    evaluator->references_used += size;
    return SEQ_OK;
}

static seq_status read_references(seq_text_evaluator *evaluator, seq_dataset *dataset,
                                  seq_split split, seq_error *error) {
    int64_t count = seq_dataset_items(dataset, split);
    seq_items_room room = {0};
    seq_status status = seq_allocate(&evaluator->reference_at, (size_t)count,
                                     sizeof *evaluator->reference_at, "references", error);
    for (int64_t first = 0; !status && first < count; first += SOME) {
        seq_items items;
        int64_t some = count - first < SOME ? count - first : SOME;
        status = seq_dataset_read_items(dataset, split, first, some, &room, &items, error);
        const char *raw = items.raw;
        for (int64_t i = 0; !status && i < some; i++) {
            size_t size = (size_t)items.raw_sizes[i];
            status = keep_reference(evaluator, first + i, raw, size, error);
            raw += size;
        }
    }
    seq_items_room_clear(&room);
    return status ? seq_error_add_context(error, "data set %s, %s part", seq_dataset_path(dataset),
                                          seq_split_name(split))
                  : SEQ_OK;
}

// ---- Outputs.

static seq_status take_found(void *context, int row, const seq_found *found, seq_error *error) {
    seq_text_evaluator *evaluator = context;
    seq_detokenizer joiner = {0};
    size_t begin = evaluator->outputs_used;
    int length = found->count ? found->outputs[0].length : 0;
    for (int i = 0; i < length; i++) {
        seq_status status = seq_grow(&evaluator->outputs, &evaluator->outputs_capacity,
                                     evaluator->outputs_used + SEQ_DECODED, 1, "outputs", error);
        if (status) return status;
        evaluator->outputs_used +=
            seq_detokenize(&joiner, evaluator->vocabulary, found->outputs[0].symbols[i],
                           evaluator->outputs + evaluator->outputs_used, SEQ_DECODED);
    }
    evaluator->output_at[row] = (struct place){begin, evaluator->outputs_used - begin};
    return SEQ_OK;
}

static int length_of(const seq_axis *axis, int row) {
    int length = 0, sequence = axis->at[row];
    while (length < axis->steps && sequence < axis->rows_at[length])
        length++;
    return length;
}

seq_status seq_text_evaluator_step(seq_text_evaluator *evaluator, seq_workspace *workspace,
                                   const seq_weights *weights, const seq_batch *batch,
                                   seq_error *error) {
    int count = (int)batch->axes[0].rows;
    bool has_source = evaluator->source != seq_model_head_axis(evaluator->stepper.model);
    for (int i = 0; i < count; i++)
        evaluator->items[i] = (seq_search_item){
            .number = batch->axes[0].number[i],
            .source = has_source ? length_of(&batch->axes[evaluator->source], i) : SEQ_NO_SOURCE};
    evaluator->axis = &batch->axes[0];
    evaluator->outputs_used = 0;
    evaluator->stepper.weights = weights;
    seq_stepper stepper = seq_model_stepper_begin(&evaluator->stepper, workspace, batch);
    seq_status status = seq_search_run(evaluator->search, &stepper, evaluator->items, count,
                                       take_found, evaluator, error);
    for (int i = 0; !status && i < count; i++) {
        const seq_evaluated_text item = seq_text_evaluator_item(evaluator, i);
        status = seq_text_count(evaluator->counter, item.output, &item.reference, 1,
                                &evaluator->counts[i], error);
    }
    return status;
}

seq_evaluated_text seq_text_evaluator_item(const seq_text_evaluator *evaluator, int row) {
    const struct place *output = &evaluator->output_at[row],
                       *reference = &evaluator->reference_at[evaluator->axis->number[row]];
    const char *outputs = evaluator->outputs ? evaluator->outputs : "";
    return (seq_evaluated_text){{outputs + output->at, output->size},
                                {evaluator->references + reference->at, reference->size},
                                &evaluator->counts[row]};
}

// ---- All of it.

static seq_status take_memory(seq_text_evaluator *evaluator, int examples, seq_error *error) {
    size_t count = (size_t)examples;
    seq_status status =
        seq_allocate(&evaluator->items, count, sizeof *evaluator->items, "outputs", error);
    if (!status)
        status =
            seq_allocate(&evaluator->counts, count, sizeof *evaluator->counts, "outputs", error);
    if (!status)
        status = seq_allocate(&evaluator->output_at, count, sizeof *evaluator->output_at, "outputs",
                              error);
    if (!status) status = seq_model_stepper_reserve(&evaluator->stepper, examples, error);
    return status ? status : seq_segment_counter_create(&evaluator->counter, error);
}

seq_status seq_text_evaluator_create(const seq_model *model, seq_dataset *dataset, seq_split split,
                                     int examples, seq_text_evaluator **out, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    seq_text_evaluator *evaluator = NULL;
    seq_status status = seq_allocate(&evaluator, 1, sizeof *evaluator, "outputs", error);
    if (status) return status;
    evaluator->vocabulary =
        seq_dataset_vocabulary_at(dataset, schema->fields[schema->target].vocabulary);
    evaluator->source = schema->length_axis;
    evaluator->stepper.model = model;
    evaluator->stepper.schema = schema;
    const seq_search_config greedy = {.kernels = seq_model_compute(model)->kernels,
                                      .symbols = seq_vocabulary_size(evaluator->vocabulary),
                                      .end = seq_vocabulary_eos(evaluator->vocabulary),
                                      .width = 1,
                                      .best = 1,
                                      .margin = INFINITY,
                                      .rule = SEQ_LENGTH_NONE};
    status = seq_search_create(&greedy, &evaluator->search, error);
    if (!status) status = take_memory(evaluator, examples, error);
    if (!status) status = read_references(evaluator, dataset, split, error);
    if (status)
        seq_text_evaluator_destroy(evaluator);
    else
        *out = evaluator;
    return status;
}

void seq_text_evaluator_destroy(seq_text_evaluator *evaluator) {
    if (!evaluator) return;
    seq_search_destroy(evaluator->search);
    seq_model_stepper_clear(&evaluator->stepper);
    seq_segment_counter_destroy(evaluator->counter);
    free(evaluator->references);
    free(evaluator->reference_at);
    free(evaluator->items);
    free(evaluator->counts);
    free(evaluator->output_at);
    free(evaluator->outputs);
    free(evaluator);
}

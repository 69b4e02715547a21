// Figures of texts with their counts for each item, so that resamples of items are
// sums of integers. Invariant: the value of all items is sacreBLEU's of the files.
// Tests: tests/unit/task/test_answers.c, tests/cli/translations.sh.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>

static double score(const seq_text_measure *measure, const int64_t *counters) {
    if (measure->chrf)
        return seq_chrf_of(counters, measure->words ? SEQ_CHRF_ORDERS : SEQ_CHRF_CHARACTERS);
    return seq_bleu_of(counters, measure->bleu).score;
}

static double value(const seq_counted *counted, const int64_t *counters) {
    return score(&counted->text, counters);
}

static seq_segment segment_at(const seq_strings *words, const seq_answers *answers, size_t place) {
    seq_segment out;
    out.text = seq_strings_text(words, answers->ids[place], &out.size);
    return out;
}

static seq_status add(seq_segment_counter *counter, const seq_strings *words,
                      const seq_answers *gold, const seq_answers *predicted, size_t item,
                      seq_segment *references, seq_counted *out, seq_error *error) {
    int64_t own[SEQ_CHRF_COUNTS] = {0};
    const seq_text_measure *measure = &out->text;
    size_t count = gold->first[item + 1] - gold->first[item];
    seq_segment output = segment_at(words, predicted, predicted->first[item]);
    for (size_t i = 0; i < count; i++)
        references[i] = segment_at(words, gold, gold->first[item] + i);
    seq_status status = measure->chrf ? seq_chrf_count(counter, measure->words, measure->lower,
                                                       output, references, count, own, error)
                                      : seq_bleu_count(counter, measure->tokens, measure->lower,
                                                       output, references, count, own, error);
    return status ? status : seq_counted_add(out, own, error);
}

seq_status seq_counted_of_texts(seq_text_measure measure, const seq_strings *words,
                                const seq_answers *gold, const seq_answers *predicted,
                                seq_counted *out, seq_error *error) {
    seq_segment_counter *counter = NULL;
    seq_segment *references = NULL;
    size_t most = 0;
    for (size_t i = 0; i < gold->items; i++)
        if (gold->first[i + 1] - gold->first[i] > most) most = gold->first[i + 1] - gold->first[i];
    *out = (seq_counted){.counters = !measure.chrf   ? SEQ_BLEU_COUNTS
                                     : measure.words ? SEQ_CHRF_COUNTS
                                                     : SEQ_CHRF_PLAIN_COUNTS,
                         .value = value,
                         .text = measure};
    seq_status status = seq_segment_counter_create(&counter, error);
    if (!status) status = seq_allocate(&references, most, sizeof *references, "references", error);
    for (size_t i = 0; !status && i < gold->items; i++)
        status = add(counter, words, gold, predicted, i, references, out, error);
    seq_segment_counter_destroy(counter);
    free(references);
    if (status) seq_counted_clear(out);
    return status;
}

seq_status seq_counted_each(const seq_counted *texts, double **out, seq_error *error) {
    seq_text_measure measure = texts->text;
    measure.bleu.effective_order = true;
    seq_status status = seq_allocate(out, texts->items, sizeof **out, "scores of items", error);
    for (size_t i = 0; !status && i < texts->items; i++) {
        int64_t own[SEQ_CHRF_COUNTS] = {0};
        for (size_t k = texts->first[i]; k < texts->first[i + 1]; k++)
            own[texts->counts[k].index] = texts->counts[k].amount;
        (*out)[i] = score(&measure, own);
    }
    return status;
}

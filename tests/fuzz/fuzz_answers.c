// Files of answers, read as each kind, as gold alone and as gold with
// predictions; what is accepted is used: compared with itself, its entities
// found, measured and summed. Checks src/task; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/task/statistic.h>
#include <stdlib.h>
#include <string.h>

static void use_transcripts(const seq_answers *gold, const seq_answers *predicted) {
    seq_error error = {0};
    seq_edits *edits;
    seq_status status = seq_answers_edits(gold, predicted, &edits, &error);
    assert(status == SEQ_OK);
    for (size_t i = 0; i < gold->items; i++) {
        size_t length = gold->first[i + 1] - gold->first[i],
               other = predicted->first[i + 1] - predicted->first[i];
        assert((size_t)seq_edits_sum(edits[i]) <= (length > other ? length : other));
        assert(edits[i].insertions - edits[i].deletions == (int64_t)other - (int64_t)length);
    }
    free(edits);
}

static void use_texts(const seq_answer_tables *tables, seq_answers *gold,
                      const seq_answers *predicted) {
    seq_error error = {0};
    for (int tokens = 0; tokens <= SEQ_BLEU_TOKENS; tokens++) {
        const seq_text_measure measure = {.chrf = tokens == SEQ_BLEU_TOKENS,
                                          .words = true,
                                          .lower = tokens % 2,
                                          .tokens = (seq_bleu_tokens)(tokens % SEQ_BLEU_TOKENS),
                                          .bleu = {.value = -1}};
        seq_counted counted;
        int64_t sums[SEQ_CHRF_COUNTS];
        seq_status status =
            seq_counted_of_texts(measure, &tables->words, gold, predicted, &counted, &error);
        assert(status == SEQ_OK);
        seq_counted_sum(&counted, NULL, sums);
        double value = counted.value(&counted, sums);
        assert(value >= 0 && value < 100.0001);
        seq_counted_clear(&counted);
    }
    seq_status status = seq_answers_add_references(gold, predicted, &error);
    assert(status == SEQ_OK && gold->first[gold->items] == gold->places);
}

static void use(const seq_answer_tables *tables, seq_answers *gold, seq_answers *predicted) {
    seq_error error = {0};
    seq_counted counted;
    assert(gold->items == predicted->items);
    fuzz_check(seq_answers_check(gold, predicted, tables, &error), &error);
    if (error.status || gold->kind == SEQ_ANSWERS_RATINGS) return;
    if (gold->kind == SEQ_ANSWERS_TEXTS) {
        use_texts(tables, gold, predicted);
        return;
    }
    if (gold->kind == SEQ_ANSWERS_TRANSCRIPTS) {
        use_transcripts(gold, predicted);
        return;
    }
    gold->scheme =
        seq_scheme_detect(&tables->labels, SEQ_SCHEME_IOB2, gold->ids, gold->first, gold->items);
    predicted->scheme = seq_scheme_detect(&tables->labels, gold->scheme, predicted->ids,
                                          predicted->first, predicted->items);
    const seq_metric *const metrics[] = {&seq_metric_macro_f1, &seq_metric_entity_f1_strict};
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        seq_status status =
            seq_counted_of_metric(metrics[i], &tables->labels, gold, predicted, &counted, &error);
        assert(status == SEQ_OK);
        int64_t *sums = calloc((size_t)counted.counters + 1, sizeof *sums);
        seq_counted_sum(&counted, NULL, sums);
        double value = metrics[i]->value(sums, &tables->labels);
        assert(!(value < 0) && !(value > 1));
        free(sums);
        seq_counted_clear(&counted);
    }
    if (gold->kind != SEQ_ANSWERS_TAGS || !gold->word_count) return;
    seq_status status = seq_counted_of_surfaces(tables, gold, predicted, &counted, &error);
    assert(status == SEQ_OK);
    seq_counted_clear(&counted);
}

static void read(const seq_answer_file *file, seq_answer_kind kind, bool both) {
    const seq_answer_columns columns = {0};
    seq_answer_tables tables = {
        .rules = {.unit = both ? SEQ_UNIT_CHAR : SEQ_UNIT_WORD, .nfc = true}};
    seq_answers gold = {0}, predicted = {0};
    seq_error error = {0};
    fuzz_check(seq_answers_read(file, kind, &columns, !both, &tables, &gold,
                                both ? &predicted : NULL, &error),
               &error);
    if (!error.status && both) use(&tables, &gold, &predicted);
    seq_answers_clear(&gold);
    seq_answers_clear(&predicted);
    seq_answer_tables_clear(&tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    seq_answer_file bytes;
    const seq_answer_columns columns = {0};
    seq_error error = {0};
    fuzz_file_create(&file, data, size);
    fuzz_check(seq_answer_file_read(file.path, &bytes, &error), &error);
    if (!error.status) {
        assert(seq_answers_find_kind(&bytes, 1, &columns) != SEQ_ANSWERS_AUTO);
        for (int kind = SEQ_ANSWERS_TAGS; kind <= SEQ_ANSWERS_TEXTS; kind++) {
            read(&bytes, (seq_answer_kind)kind, false);
            read(&bytes, (seq_answer_kind)kind, true);
        }
        seq_answer_file_clear(&bytes);
    }
    fuzz_file_destroy(&file);
    return 0;
}

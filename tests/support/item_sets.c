// Items as functions of (split, number): lengths from 0 up, every kind of
// column, missing targets in some items of the splits other than the training
// part.
#include "item_sets.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

static uint32_t draw(int split, int64_t number, uint32_t place) {
    uint32_t words[4];
    seq_random_words((seq_random_key){7, SEQ_RANDOM_TEST}, (uint32_t)number, (uint32_t)split, place,
                     words);
    return words[0];
}

void draw_item(drawn_item *out, int split, int64_t number) {
    uint32_t place = 100;
    size_t letters = 0;
    *out = (drawn_item){.text_length = (int32_t)(draw(split, number, 0) % 20),
                        .frame_length = (int32_t)(draw(split, number, 1) % 5),
                        .group = (int64_t)(draw(split, number, 2) % 10) - 1,
                        .score = (float)(draw(split, number, 3) % 1000) / 10};
    if (number % 97 == 0) out->text_length = 0;
    for (int t = 0; t < out->text_length; t++) {
        out->words[t] = (int32_t)(draw(split, number, place++) % ITEM_WORDS);
        out->tags[t] = (int32_t)(draw(split, number, place++) % ITEM_TAGS);
        if (split && draw(split, number, place++) % 9 == 0) out->tags[t] = SEQ_NO_ID;
        out->counted += out->tags[t] != SEQ_NO_ID;
        out->word_lengths[t] = (int32_t)(draw(split, number, place++) % 7);
        for (int i = 0; i < out->word_lengths[t]; i++)
            out->letters[letters++] = (int32_t)(draw(split, number, place++) % ITEM_LETTERS);
    }
    for (int i = 0; i < out->frame_length * ITEM_WIDTH; i++)
        out->sound[i] = (float)draw(split, number, place++) * 0x1p-30f - 2;
    out->raw_size = number % 5 == 0 ? 0
                                    : (int32_t)snprintf(out->raw, sizeof out->raw, "raw %d %lld",
                                                        split, (long long)number);
    out->items =
        (seq_items){.count = 1,
                    .rows = {1, (size_t)out->text_length, letters, (size_t)out->frame_length},
                    .lengths = {NULL, &out->text_length, out->word_lengths, &out->frame_length},
                    .ids = {out->words, out->letters, out->tags},
                    .values = {[ITEM_SOUND] = out->sound, [ITEM_SCORE] = &out->score},
                    .groups = &out->group,
                    .raw = out->raw,
                    .raw_sizes = &out->raw_size};
}

void item_schema(seq_schema *out) {
    seq_error error = {0};
    seq_schema_begin(out, "tag");
    seq_schema_add_axis(out, "text", 0);
    seq_schema_add_axis(out, "letters", ITEM_AXIS_TEXT);
    seq_schema_add_axis(out, "frames", 0);
    seq_schema_add_vocabulary(out, "words");
    seq_schema_add_vocabulary(out, "letters");
    seq_schema_add_vocabulary(out, "tags");
    seq_schema_add_field(out, "text", SEQ_FIELD_IDS, ITEM_AXIS_TEXT, 0, 1);
    seq_schema_add_field(out, "letter", SEQ_FIELD_IDS, ITEM_AXIS_LETTERS, 1, 1);
    out->target = seq_schema_add_field(out, "tag", SEQ_FIELD_LABEL, ITEM_AXIS_TEXT, 2, 1);
    seq_schema_add_field(out, "sound", SEQ_FIELD_VALUES, ITEM_AXIS_FRAMES, -1, ITEM_WIDTH);
    int score = seq_schema_add_field(out, "score", SEQ_FIELD_NUMBER, 0, -1, 1);
    out->fields[score].normalise = true;
    out->groups = out->raw = true;
    seq_record_set_text(&out->reader, "reader", "conll", &error);
    seq_record_set_text(&out->reader, "columns", "text=1,tag=2", &error);
}

seq_vocabulary *make_vocabulary(const char *directory, int size, int count) {
    char path[256], *text = NULL;
    size_t bytes;
    seq_error error = {0};
    seq_record rules = {0};
    seq_vocabulary *vocabulary = NULL;
    FILE *stream = open_memstream(&text, &bytes);
    fputs("# seqtrain vocabulary 1", stream);
    seq_text_rules_write(&(seq_text_rules){.unit = SEQ_UNIT_WORD}, &rules, &error);
    for (size_t i = 0; i < rules.count; i++)
        fprintf(stream, "\t%s=%s", rules.entries[i].key, rules.entries[i].text);
    fputc('\n', stream);
    for (int i = 0; i < size - 1; i++)
        fprintf(stream, "%d\t%d\tw%d\n", i, i % 2 ? count : 1, i);
    fprintf(stream, "%d\t0\t<unk>\n", size - 1);
    fclose(stream);
    snprintf(path, sizeof path, "%s/vocabulary-%d-%d", directory, size, count);
    write_bytes(path, text, bytes);
    free(text);
    seq_record_clear(&rules);
    if (seq_vocabulary_read(path, SEQ_BAD_INPUT, &vocabulary, &error)) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    return vocabulary;
}

void write_pairs(const char *directory, const char *output, int64_t items,
                 void (*lengths)(int64_t number, int32_t out[2])) {
    enum { SOME = 1000 };
    seq_error error = {0};
    seq_dataset_writer *writer = NULL;
    seq_schema schema;
    seq_vocabulary *vocabulary = make_vocabulary(directory, PAIR_WORDS, 2);
    int32_t sizes[2][SOME], *ids[2] = {NULL, NULL};
    size_t capacity[2] = {0, 0};
    seq_schema_begin(&schema, "translate");
    seq_schema_add_vocabulary(&schema, "joint");
    for (int i = 0; i < 2; i++) {
        int axis = seq_schema_add_axis(&schema, i ? "target" : "source", 0);
        schema.target =
            seq_schema_add_field(&schema, i ? "target" : "source", SEQ_FIELD_IDS, axis, 0, 1);
    }
    seq_dataset_target target = {.output = output};
    seq_dataset_writer_create(&target, &writer, &error);
    const seq_vocabulary *list[] = {vocabulary};
    if (!error.status)
        seq_dataset_writer_begin(writer, &schema, list, 0, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                                 &error);
    for (int64_t at = 0; !error.status && at < items; at += SOME) {
        seq_items some = {.count = items - at < SOME ? items - at : SOME};
        size_t rows[2] = {0, 0};
        for (int64_t k = 0; k < some.count; k++) {
            int32_t both[2];
            lengths(at + k, both);
            for (int i = 0; i < 2; i++) {
                sizes[i][k] = both[i];
                seq_grow(&ids[i], &capacity[i], rows[i] + (size_t)both[i] + 1, sizeof *ids[i],
                         "ids", &error);
                for (int32_t t = 0; t < both[i]; t++)
                    ids[i][rows[i]++] = (int32_t)((at + k + 3 * t + i) % PAIR_WORDS);
            }
        }
        for (int i = 0; i < 2; i++) {
            some.lengths[i + 1] = sizes[i];
            some.ids[i] = ids[i];
        }
        seq_dataset_writer_add(writer, SEQ_TRAIN, &some, &error);
    }
    if (!error.status) seq_dataset_writer_finish(writer, NULL, &error);
    seq_dataset_writer_destroy(writer);
    seq_schema_clear(&schema);
    seq_vocabulary_destroy(vocabulary);
    for (int i = 0; i < 2; i++)
        free(ids[i]);
    if (error.status) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

void write_item_set(const char *directory, const char *output, const int64_t items[SEQ_SPLITS],
                    size_t shard_bytes) {
    seq_error error = {0};
    seq_dataset_writer *writer = NULL;
    seq_schema schema;
    seq_vocabulary *vocabularies[] = {make_vocabulary(directory, ITEM_WORDS, 2),
                                      make_vocabulary(directory, ITEM_LETTERS, 1),
                                      make_vocabulary(directory, ITEM_TAGS, 1)};
    item_schema(&schema);
    seq_dataset_target target = {.output = output};
    seq_dataset_writer_create(&target, &writer, &error);
    if (!error.status)
        seq_dataset_writer_begin(writer, &schema, (const seq_vocabulary *const *)vocabularies,
                                 shard_bytes, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1}, &error);
    int64_t most = 0;
    for (int split = 0; split < SEQ_SPLITS; split++)
        most = items[split] > most ? items[split] : most;
    for (int64_t number = 0; !error.status && number < most; number++)
        for (int split = 0; !error.status && split < SEQ_SPLITS; split++) {
            drawn_item item;
            draw_item(&item, split, number);
            if (number < items[split])
                seq_dataset_writer_add(writer, (seq_split)split, &item.items, &error);
        }
    if (!error.status) seq_dataset_writer_finish(writer, "note       for tests\n", &error);
    seq_dataset_writer_destroy(writer);
    seq_schema_clear(&schema);
    for (int i = 0; i < 3; i++)
        seq_vocabulary_destroy(vocabularies[i]);
    if (error.status) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

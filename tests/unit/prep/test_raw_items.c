// Raw input has the ids that seqprep gives it in a data set, for each kind of reader and unit;
// unknown units are counted, long items are cut where one answer is wanted, and several files
// follow each other. Checks src/prep/items/raw_items.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "temporary.h"
#include <seqtrain/data/items.h>
#include <seqtrain/prep/prepare_items.h>
#include <seqtrain/prep/raw_items.h>
#include <seqtrain/storage/vector_file.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct raw_case {
    const char *train, *test; // labelled
    const char *raw;          // NULL: as `test`
    size_t unknown, cut;      // of all items
    seq_prepare_items settings;
} raw_case;

#define WORDS .text = {.unit = SEQ_UNIT_WORD}
static const raw_case cases[] = {
    {"a\tThe Cat, sat\nb\tthe dog\n",
     "a\tTHE cat sat!\nb\t\nb\tdog\n",
     "THE cat sat!\n\ndog\n",
     1,
     0,
     {.reader.reader = "lines",
      .rules.text = {.unit = SEQ_UNIT_WORD, .punctuation = SEQ_PUNCTUATION_SPLIT, .lower = true}}},
    {"a\tabc\nb\tbd\n",
     "a\tad\xC3\xA9\n",
     "ad\xC3\xA9\n",
     1,
     0,
     {.reader.reader = "lines", .rules.text.unit = SEQ_UNIT_CHAR}},
    {"a\tabc\nb\tbd\n",
     "a\tx\xFFy\n",
     "x\xFFy\n",
     0,
     0,
     {.reader.reader = "lines", .rules.text.unit = SEQ_UNIT_BYTE}},
    {"x,y\n\"a \"\"b\"\"\n c\",1\nd,2\n",
     "x,y\n\"b\n a\",2\nd,1\n",
     "x\n\"b\n a\"\nd\n",
     1,
     0,
     {.reader = {.reader = "csv", .columns = "text=x,label=y"}, .rules = {WORDS}}},
    {"{\"t\":\"a b\",\"l\":1}\n{\"t\":\"c\",\"l\":2}\n",
     "{\"t\":\"c e a\",\"l\":1}\n",
     "{\"t\":\"c e a\"}\n",
     1,
     0,
     {.reader = {.reader = "jsonl", .columns = "text=t,label=l"}, .rules = {WORDS}}},
    {">1 c=x\nAACGT\nAA\n>2 c=y\nCC\n",
     ">3 c=x\nAACGTAAC\n>4 c=y\nAC\n",
     NULL,
     0,
     3,
     {.reader = {.reader = "fasta", .label_pattern = "c=(.)"},
      .rules =
          {.text.unit = SEQ_UNIT_WORD, .kmer = 2, .stride = 1, .max_length = 4, .overlap = 1}}},
    {"Ab I-x\nc O\n\nde I-y\n",
     "c O\nAbc I-y\n\nAb O\n",
     "c\nAbc\n\nAb\n",
     1,
     0,
     {.task = SEQ_TASK_TAG,
      .reader.reader = "conll",
      .letters = true,
      .detect_scheme = true,
      .rules = {WORDS}}},
    {"Apple I-x\napple O\n\nDE I-y\n",
     "APPLE O\nDe I-y\nnew O\n",
     "APPLE\nDe\nnew\n",
     1,
     0,
     {.task = SEQ_TASK_TAG,
      .reader.reader = "conll",
      .letters = true,
      .casing = true,
      .detect_scheme = true,
      .rules.text = {.unit = SEQ_UNIT_WORD, .lower = true}}},
    {"a\tThe cat\nb\tno 2b,\n",
     "a\tTHE Cat 2b ?\nb\t\nb\t7\n",
     "THE Cat 2b ?\n\n7\n",
     2,
     0,
     {.reader.reader = "lines",
      .casing = true,
      .rules.text = {.unit = SEQ_UNIT_WORD, .punctuation = SEQ_PUNCTUATION_SPLIT, .lower = true}}},
    {"1\tAb\t_\tN\t_\t_\t_\t_\t_\t_\n2\tc\t_\tV\t_\t_\t_\t_\t_\t_\n\n",
     "1-2\tcc\t_\t_\t_\t_\t_\t_\t_\t_\n1\tc\t_\tN\t_\t_\t_\t_\t_\t_\n2\tzz\t_\tV\t_\t_\t_\t_\t_\t_"
     "\n\n",
     NULL,
     1,
     0,
     {.task = SEQ_TASK_TAG, .reader.reader = "conllu", .scheme = SEQ_TAGS_NONE, .rules = {WORDS}}},
};

static void write_text(temporary *place, const char *name, const char *text, char path[200]) {
    snprintf(path, 200, "%s", temporary_path(place, name));
    write_bytes(path, text, strlen(text));
}

static seq_dataset *prepare(const raw_case *one, temporary *place) {
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    char output[200], train[200], test[200];
    const char *inputs[] = {train};
    seq_prepare_items prepare = one->settings;
    write_text(place, "train", one->train, train);
    write_text(place, "test", one->test, test);
    snprintf(output, sizeof output, "%s", temporary_path(place, "data"));
    prepare.inputs = inputs;
    prepare.input_count = 1;
    prepare.test_file = test;
    prepare.output = output;
    prepare.pipeline = (seq_pipeline){SEQ_COMPRESS_ZSTD, 3};
    prepare.memory = 1 << 20;
    if (seq_prepare_items_run(&prepare, &error)) fail_msg("%s", error.text);
    if (seq_dataset_open(output, &dataset, &error)) fail_msg("%s", error.text);
    return dataset;
}

static seq_raw_settings settings_of(seq_dataset *dataset, const seq_vocabulary **vocabularies,
                                    const char *const *inputs, size_t count) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    for (int i = 0; i < schema->vocabulary_count; i++)
        vocabularies[i] = seq_dataset_vocabulary_at(dataset, i);
    return (seq_raw_settings){.schema = schema,
                              .vocabularies = vocabularies,
                              .inputs = inputs,
                              .input_count = count,
                              .memory = 1 << 20};
}

// The next raw item is the one of the data set whose rows begin at *row and *letter.
static void expect_item(const seq_items *items, int casing, const seq_raw_item *raw, int64_t number,
                        size_t *row, size_t *letter) {
    assert_int_equal(raw->casings != NULL, casing >= 0 && raw->ids);
    size_t length = (size_t)items->lengths[1][number];
    assert_true(raw->is_item);
    assert_int_equal(raw->length, length);
    if (length) assert_memory_equal(raw->ids, items->ids[0] + *row, length * sizeof *raw->ids);
    if (casing >= 0 && length)
        assert_memory_equal(raw->casings, items->ids[casing] + *row, length * sizeof(int32_t));
    if (items->lengths[2]) {
        assert_memory_equal(raw->letter_lengths, items->lengths[2] + *row,
                            length * sizeof(int32_t));
        assert_memory_equal(raw->letters, items->ids[2] + *letter,
                            raw->letter_count * sizeof(int32_t));
    }
    *row += length;
    *letter += raw->letter_count;
}

static void raw_input_has_the_ids_of_the_data_set(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const raw_case *one = &cases[c];
        const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
        temporary place;
        char path[200];
        const char *inputs[] = {path};
        seq_items_room room = {0};
        seq_items items;
        seq_error error = {0};
        seq_raw_input *input = NULL;
        size_t row = 0, letter = 0, unknown = 0, cut = 0;
        temporary_create(&place);
        seq_dataset *dataset = prepare(one, &place);
        int casing = seq_schema_find_field(seq_dataset_schema(dataset), "casing");
        assert_int_equal(casing >= 0, one->settings.casing);
        int64_t count = seq_dataset_items(dataset, SEQ_TEST), taken = 0;
        seq_dataset_read_items(dataset, SEQ_TEST, 0, count, &room, &items, &error);
        write_text(&place, "raw", one->raw ? one->raw : one->test, path);
        seq_raw_settings settings = settings_of(dataset, vocabularies, inputs, 1);
        if (seq_raw_open(&settings, &input, &error)) fail_msg("%s", error.text);
        for (bool more = true; more;) {
            seq_raw_item raw;
            if (seq_raw_next(input, true, &raw, &more, &error)) fail_msg("%s", error.text);
            if (!more || !raw.is_item) continue;
            assert_true(taken < count);
            expect_item(&items, casing, &raw, taken++, &row, &letter);
            unknown += raw.unknown;
            cut += raw.cut;
            for (size_t skipped = raw.cut; skipped;) { // windows behind the first
                size_t length = (size_t)items.lengths[1][taken], fresh = length - 1;
                assert_true(fresh <= skipped);
                skipped -= fresh;
                row += length;
                taken++;
            }
        }
        assert_int_equal(taken, count);
        assert_int_equal(unknown, one->unknown);
        assert_int_equal(cut, one->cut);
        seq_raw_close(input);
        seq_items_room_clear(&room);
        seq_dataset_close(dataset);
        temporary_destroy(&place);
    }
}

// Files one after the other; an item that is not wanted is not cut; lines of CoNLL are all there.
static void files_follow_each_other(void **state) {
    (void)state;
    const raw_case *one = &cases[6];
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    temporary place;
    char first[200], second[200], *text = NULL;
    const char *inputs[] = {first, second}, *const tags[] = {"T", "U"};
    size_t size;
    seq_error error = {0};
    seq_raw_input *input = NULL;
    temporary_create(&place);
    seq_dataset *dataset = prepare(one, &place);
    write_text(&place, "first", "Ab\nc\n\n\n\n", first);
    write_text(&place, "second", "c 1\n", second);
    seq_raw_settings settings = settings_of(dataset, vocabularies, inputs, 2);
    assert_int_equal(seq_raw_open(&settings, &input, &error), SEQ_OK);
    FILE *out = open_memstream(&text, &size);
    for (bool more = true, wanted = true; more; wanted = !wanted) {
        seq_raw_item raw;
        if (seq_raw_next(input, wanted, &raw, &more, &error)) fail_msg("%s", error.text);
        if (!more) break;
        fprintf(out, "%s %zu\n", raw.is_item ? "item" : "lines", raw.length);
        seq_conll_print(out, raw.layout, raw.item->lines, raw.item->line_count, tags);
    }
    fclose(out);
    assert_string_equal(text, "item 2\nAb T\nc U\n\nlines 0\n\n\nitem 1\nc T\n");
    free(text);
    seq_raw_close(input);
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// A pipe that stays open: who reads is told before a wait, when all whole lines have been taken.
typedef struct talk {
    int write_end, turn, items, taken;
} talk;

static seq_status say_more(void *context, seq_error *error) {
    static const char *const lines[] = {"a b\n", "c\nb", " a\nb\n"};
    static const int expected[] = {0, 1, 2};
    talk *talk = context;
    if (talk->turn == 3) {
        close(talk->write_end);
        return SEQ_OK;
    }
    assert_int_equal(talk->items, expected[talk->turn]);
    const char *line = lines[talk->turn++];
    assert_int_equal(write(talk->write_end, line, strlen(line)), (int)strlen(line));
    (void)error;
    return SEQ_OK;
}

static void a_pipe_is_answered_line_by_line(void **state) {
    (void)state;
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    temporary place;
    char path[64];
    const char *inputs[] = {path};
    int ends[2];
    seq_error error = {0};
    seq_raw_input *input = NULL;
    temporary_create(&place);
    seq_dataset *dataset = prepare(&cases[0], &place);
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    talk talk = {.write_end = ends[1]};
    seq_raw_settings settings = settings_of(dataset, vocabularies, inputs, 1);
    settings.idle = say_more;
    settings.idle_context = &talk;
    assert_int_equal(seq_raw_open(&settings, &input, &error), SEQ_OK);
    for (bool more = true; more; talk.items += more) {
        seq_raw_item raw;
        if (seq_raw_next(input, true, &raw, &more, &error)) fail_msg("%s", error.text);
    }
    assert_int_equal(talk.items, 4);
    assert_int_equal(talk.turn, 3);
    seq_raw_close(input);
    close(ends[0]);
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// Frames are those of the data set: from the table that it was made of, without its other columns,
// and from files beside it. A frame of another width is refused.
// Once, whether a table names the file or not, by the settings that the data set recorded.
static void frames_are_prepared_once(void **state) {
    static const float expected[] = {1, 2, 0, 0, 3, 5, 2, 3, 4, 4, 1, -1, 4, 4, 1, -1};
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    temporary place;
    char output[200], table[200], file[200];
    const char *inputs[] = {table}, *given[] = {table};
    seq_error error = {0};
    seq_dataset *dataset = NULL;
    (void)state;
    temporary_create(&place);
    snprintf(output, sizeof output, "%s", temporary_path(&place, "data"));
    write_text(&place, "0.csv", "1,2\n3,5\n4,4\n", file);
    write_text(&place, "train.csv", "0.csv,a\n0.csv,b\n", table);
    seq_prepare_items prepare = {
        .inputs = inputs,
        .input_count = 1,
        .output = output,
        .memory = 1 << 20,
        .reader = {.columns = "path=1,label=2", .frames = {.velocities = true, .stack = 2}}};
    if (seq_prepare_items_run(&prepare, &error)) fail_msg("%s", error.text);
    if (seq_dataset_open(output, &dataset, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < 2; i++) {
        seq_raw_settings settings = settings_of(dataset, vocabularies, given, 1);
        seq_raw_input *input = NULL;
        seq_raw_item one;
        bool more;
        settings.columns = i ? NULL : "path=1";
        settings.reader = i ? "csv-frames" : NULL;
        given[0] = i ? file : table;
        if (seq_raw_open(&settings, &input, &error)) fail_msg("%s", error.text);
        if (seq_raw_next(input, true, &one, &more, &error)) fail_msg("%s", error.text);
        assert_true(more && one.is_item && one.length == 2);
        assert_memory_equal(one.values, expected, sizeof expected);
        seq_raw_close(input);
    }
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

static void frames_are_those_of_the_data_set(void **state) {
    (void)state;
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    temporary place;
    char output[200], table[200], raw[200], files[3][200];
    const char *inputs[] = {table}, *given[] = {raw, files[0]};
    static const float expected[] = {5, 6, 7, 8, 1, 2};
    seq_error error = {0};
    seq_raw_input *input = NULL;
    temporary_create(&place);
    snprintf(output, sizeof output, "%s", temporary_path(&place, "data"));
    for (int i = 0; i < 3; i++) {
        char bytes[200], name[8];
        const float values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        const char *shapes[] = {"(1, 2)", "(3, 2)", "(1, 3)"};
        size_t counts[] = {2, 6, 3}, from[] = {0, 4, 0};
        int size = snprintf(bytes + 10, 180,
                            "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n", shapes[i]);
        memcpy(bytes, "\x93NUMPY\1\0", 8);
        bytes[8] = (char)size;
        bytes[9] = 0;
        memcpy(bytes + 10 + size, values + from[i], counts[i] * sizeof(float));
        snprintf(name, sizeof name, "%d.npy", i);
        snprintf(files[i], sizeof files[i], "%s", temporary_path(&place, name));
        write_bytes(files[i], bytes, 10 + (size_t)size + counts[i] * sizeof(float));
    }
    write_text(&place, "train.csv", "0.npy,a,x\n1.npy,b,y\n", table);
    write_text(&place, "raw.csv", "1.npy\n", raw);
    seq_prepare_items prepare = {.inputs = inputs,
                                 .input_count = 1,
                                 .output = output,
                                 .rules.max_length = 2,
                                 .memory = 1 << 20,
                                 .reader.columns = "path=1,label=2,who=3"};
    seq_dataset *dataset = NULL;
    if (seq_prepare_items_run(&prepare, &error)) fail_msg("%s", error.text);
    if (seq_dataset_open(output, &dataset, &error)) fail_msg("%s", error.text);
    seq_raw_settings settings = settings_of(dataset, vocabularies, given, 2);
    settings.columns = "path=1";
    if (seq_raw_open(&settings, &input, &error)) fail_msg("%s", error.text);
    for (size_t at = 0, item = 0; item < 2; item++) {
        seq_raw_item one;
        bool more;
        if (seq_raw_next(input, true, &one, &more, &error)) fail_msg("%s", error.text);
        assert_true(more && one.is_item && one.length == 2 - item && one.cut == 1 - item);
        assert_memory_equal(one.values, expected + at, one.length * 2 * sizeof(float));
        assert_string_equal(one.input->values->bytes, item ? files[0] : "1.npy");
        at += one.length * 2;
    }
    seq_raw_close(input);
    given[0] = files[2];
    if (seq_raw_open(&settings, &input, &error)) fail_msg("%s", error.text);
    seq_raw_item one;
    bool more;
    assert_int_equal(seq_raw_next(input, true, &one, &more, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "2.npy: 1 frames of 3 values: the model takes"));
    seq_raw_close(input);
    settings.reader = "lines";
    seq_error other = {0};
    assert_int_equal(seq_raw_open(&settings, &input, &other), SEQ_BAD_USAGE);
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// What a checkpoint may hold and no reader makes.
static void strange_schemas_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"frames", "text"};
    for (int i = 0; i < 2; i++) {
        seq_schema schema;
        seq_error error = {0};
        seq_raw_input *input = NULL;
        const char *inputs[] = {"-"};
        seq_schema_begin(&schema, "classify");
        seq_schema_add_axis(&schema, names[i], 0);
        schema.target = seq_schema_add_field(&schema, "label", SEQ_FIELD_NUMBER, 0, -1, 1);
        seq_schema_add_field(&schema, names[i], SEQ_FIELD_VALUES, 1, -1, 2);
        seq_raw_settings settings = {.schema = &schema, .inputs = inputs, .input_count = 1};
        assert_int_equal(seq_raw_open(&settings, &input, &error), SEQ_NO_CHECKPOINT);
        seq_schema_clear(&schema);
    }
}

static int begin(void **state) {
    seq_error error = {0};
    (void)state;
    return (int)seq_storage_begin(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_input_has_the_ids_of_the_data_set),
        cmocka_unit_test(files_follow_each_other),
        cmocka_unit_test(a_pipe_is_answered_line_by_line),
        cmocka_unit_test(frames_are_prepared_once),
        cmocka_unit_test(frames_are_those_of_the_data_set),
        cmocka_unit_test(strange_schemas_are_refused),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}

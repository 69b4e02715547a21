// seqprep's data sets of items, read back: each item has the words, letters,
// labels, tags and text, or the frames, that stood in its file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "temporary.h"
#include <seqtrain/data/items.h>
#include <seqtrain/prep/prepare_items.h>
#include <seqtrain/storage/vector_file.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static seq_dataset *prepare(seq_prepare_items prepare, temporary *place) {
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    char output[200];
    snprintf(output, sizeof output, "%s", temporary_path(place, "data"));
    prepare.output = output;
    prepare.pipeline = (seq_pipeline){SEQ_COMPRESS_ZSTD, 3};
    prepare.memory = 1 << 20;
    if (seq_prepare_items_run(&prepare, &error)) fail_msg("%s", error.text);
    if (seq_dataset_open(output, &dataset, &error)) fail_msg("%s", error.text);
    return dataset;
}

// A split as text: of each item its words (a word's letters in brackets) or frames, its labels, its
// raw text.
static void expect_split(seq_dataset *dataset, seq_split split, const char *expected) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    int text = seq_schema_find_field(schema, "text"),
        letter = seq_schema_find_field(schema, "letter"),
        tag = seq_schema_find_field(schema, "tag"), label = seq_schema_find_field(schema, "label"),
        frames = seq_schema_find_field(schema, "frames");
    seq_items_room room = {0};
    seq_items items;
    seq_error error = {0};
    char *found = NULL;
    size_t size, row = 0, letters = 0, raw = 0;
    int64_t count = seq_dataset_items(dataset, split);
    FILE *out = open_memstream(&found, &size);
    if (seq_dataset_read_items(dataset, split, 0, count, &room, &items, &error))
        fail_msg("%s", error.text);
    for (int64_t i = 0; i < count; i++) {
        for (int32_t t = 0; t < items.lengths[1][i]; t++, row++) {
            if (text >= 0)
                fprintf(out, "%s",
                        seq_vocabulary_text(seq_dataset_vocabulary_at(dataset, 0),
                                            items.ids[text][row], NULL));
            for (int k = 0; frames >= 0 && k < schema->fields[frames].width; k++)
                fprintf(out, "%s%g", k ? "," : "",
                        (double)items.values[frames][row * (size_t)schema->fields[frames].width +
                                                     (size_t)k]);
            for (int32_t k = 0; letter >= 0 && k < items.lengths[2][row]; k++)
                fprintf(out, "%s%s", k ? "," : "[",
                        seq_vocabulary_text(
                            seq_dataset_vocabulary_at(dataset, schema->fields[letter].vocabulary),
                            items.ids[letter][letters++], NULL));
            if (letter >= 0) putc(']', out);
            if (tag >= 0)
                fprintf(out, "/%s",
                        seq_vocabulary_text(
                            seq_dataset_vocabulary_at(dataset, schema->fields[tag].vocabulary),
                            items.ids[tag][row], NULL));
            putc(' ', out);
        }
        if (label >= 0 && schema->fields[label].kind == SEQ_FIELD_LABEL)
            fprintf(out, "= %s",
                    seq_vocabulary_text(
                        seq_dataset_vocabulary_at(dataset, schema->fields[label].vocabulary),
                        items.ids[label][i], NULL));
        if (label >= 0 && schema->fields[label].kind == SEQ_FIELD_NUMBER)
            fprintf(out, "= %g", (double)items.values[label][i]);
        if (items.raw) fprintf(out, "{%.*s}", (int)items.raw_sizes[i], items.raw + raw);
        if (items.raw) raw += (size_t)items.raw_sizes[i];
        putc('\n', out);
    }
    fclose(out);
    assert_string_equal(found, expected);
    free(found);
    seq_items_room_clear(&room);
}

static void write_text(temporary *place, const char *name, const char *text, char path[200]) {
    snprintf(path, 200, "%s", temporary_path(place, name));
    write_bytes(path, text, strlen(text));
}

static void tags_are_read_back(void **state) {
    temporary place;
    char train[200], test[200];
    const char *inputs[] = {train};
    (void)state;
    temporary_create(&place);
    write_text(&place, "train.conll", "Ab I-x\nAb B-x\nc O\n\n\nc I-y\n", train);
    write_text(&place, "test", "Ab O\nd I-y\n\n", test);
    seq_dataset *dataset = prepare((seq_prepare_items){.task = SEQ_TASK_TAG,
                                                       .rules.text.unit = SEQ_UNIT_WORD,
                                                       .inputs = inputs,
                                                       .input_count = 1,
                                                       .test_file = test,
                                                       .letters = true,
                                                       .detect_scheme = true,
                                                       .reader.blank_items = true,
                                                       .stored_scheme = SEQ_TAGS_IOBES},
                                   &place);
    expect_split(dataset, SEQ_TRAIN, "Ab[A,b]/S-x Ab[A,b]/S-x c[c]/O \n\nc[c]/S-y \n");
    expect_split(dataset, SEQ_TEST, "Ab[A,b]/O <unk>[<unk>]/S-y {Ab\nd}\n");
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// Words in lower case, counted together; letters as the token came, after --nfc.
static void letters_keep_their_case(void **state) {
    temporary place;
    char train[200];
    const char *inputs[] = {train};
    (void)state;
    temporary_create(&place);
    write_text(&place, "train.conll", "Apple N\n\napple N\nE\xCC\x81 X\n", train);
    seq_dataset *dataset = prepare(
        (seq_prepare_items){.task = SEQ_TASK_TAG,
                            .rules.text = {.unit = SEQ_UNIT_WORD, .lower = true, .nfc = true},
                            .inputs = inputs,
                            .input_count = 1,
                            .min_count = 2,
                            .letters = true,
                            .detect_scheme = true},
        &place);
    expect_split(dataset, SEQ_TRAIN,
                 "apple[A,p,p,l,e]/N \napple[a,p,p,l,e]/N <unk>[\xC3\x89]/X \n");
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// Targets end in <eos> (id 1), empty ones, too; texts are kept, the source before the target.
static void pairs_are_read_back(void **state) {
    static const char raw[] = "b &\nx\nya z\nx";
    const int32_t sizes[] = {5, 2, 5}, lengths[2][3] = {{2, 0, 2}, {2, 2, 2}},
                  sources[] = {2, 0, 1, 0}, targets[] = {2, 1, 0, 1, 2, 1};
    temporary place;
    char paths[4][200];
    seq_items_room room = {0};
    seq_items items;
    seq_error error = {0};
    (void)state;
    temporary_create(&place);
    write_text(&place, "train.de", "a\nb a\nb\n", paths[0]);
    write_text(&place, "train.en", "x\nx\nz x\n", paths[1]);
    write_text(&place, "valid.de", "b &amp;\n\na z\n", paths[2]);
    write_text(&place, "valid.en", "x\ny\nx\n", paths[3]);
    seq_dataset *dataset = prepare(
        (seq_prepare_items){.task = SEQ_TASK_TRANSLATE,
                            .reader.reader = "lines",
                            .rules = {.text.unit = SEQ_UNIT_WORD, .unescape = true},
                            .pairs = {{paths[0], paths[1]}, {paths[2], paths[3]}, {NULL, NULL}}},
        &place);
    if (seq_dataset_read_items(dataset, SEQ_VALID, 0, 3, &room, &items, &error))
        fail_msg("%s", error.text);
    assert_memory_equal(items.raw_sizes, sizes, sizeof sizes);
    assert_memory_equal(items.raw, raw, sizeof raw - 1);
    assert_memory_equal(items.lengths[1], lengths[0], sizeof lengths[0]);
    assert_memory_equal(items.lengths[2], lengths[1], sizeof lengths[1]);
    assert_memory_equal(items.ids[0], sources, sizeof sources);
    assert_memory_equal(items.ids[1], targets, sizeof targets);
    seq_items_room_clear(&room);
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

static void labels_are_read_back(void **state) {
    temporary place;
    char train[200];
    const char *inputs[] = {train};
    (void)state;
    temporary_create(&place);
    write_text(&place, "train", "10 a b\n9 \n9 c a\n", train);
    seq_prepare_items settings = {.task = SEQ_TASK_CLASSIFY,
                                  .rules.text.unit = SEQ_UNIT_WORD,
                                  .inputs = inputs,
                                  .input_count = 1,
                                  .valid_file = train};
    seq_dataset *dataset = prepare(settings, &place);
    expect_split(dataset, SEQ_TRAIN, "a b = 10\n= 9\nc a = 9\n");
    expect_split(dataset, SEQ_VALID, "a b = 10{a b}\n= 9{}\nc a = 9{c a}\n");
    seq_dataset_close(dataset);
    settings.task = SEQ_TASK_RATE;
    settings.valid_file = NULL;
    settings.force = true;
    dataset = prepare(settings, &place);
    expect_split(dataset, SEQ_TRAIN, "a b = 10\n= 9\nc a = 9\n");
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

static void strands_and_windows_are_read_back(void **state) {
    temporary place;
    char train[200], test[200];
    const char *inputs[] = {train};
    (void)state;
    temporary_create(&place);
    write_text(&place, "train.fa", ">1 c=x\nAACGR\n", train);
    write_text(&place, "test.fa", ">2 c=x\nCGTAA\n", test);
    seq_dataset *dataset = prepare((seq_prepare_items){.task = SEQ_TASK_CLASSIFY,
                                                       .rules = {.text.unit = SEQ_UNIT_WORD,
                                                                 .kmer = 2,
                                                                 .stride = 1,
                                                                 .max_length = 3,
                                                                 .overlap = 1},
                                                       .inputs = inputs,
                                                       .input_count = 1,
                                                       .test_file = test,
                                                       .reverse_complement = true,
                                                       .reader.label_pattern = "c=(.)"},
                                   &place);
    expect_split(dataset, SEQ_TRAIN, "AA AC CG = x\nYC CG GT = x\nCG GR = x\nGT TT = x\n");
    expect_split(dataset, SEQ_TEST, "CG GT <unk> = x{CGTAA}\n<unk> AA = x{}\n");
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// The class and the part come from the name of the file; windows stay together.
static void frames_are_read_back(void **state) {
    temporary place;
    char folder[200], path[200];
    const char *inputs[] = {folder};
    (void)state;
    temporary_create(&place);
    snprintf(folder, sizeof folder, "%s", temporary_path(&place, "in"));
    assert_int_equal(mkdir(folder, 0700), 0);
    write_text(&place, "in/b_09.csv", "1,2\n3,4.5\n5,-6\n", path);
    write_text(&place, "in/a_10.csv", "7,8\n", path);
    write_text(&place, "in/a_2.csv", "0,1e-3\n2,2\n", path);
    write_text(&place, "in/b_11.csv", "1,2\n3,4.5\n", path);
    seq_prepare_items settings = {.task = SEQ_TASK_CLASSIFY,
                                  .inputs = inputs,
                                  .input_count = 1,
                                  .rules = {.max_length = 2, .overlap = 1},
                                  .normalise = SEQ_NORMALISE_GLOBAL,
                                  .valid_condition = "index<10",
                                  .test_condition = "index=2",
                                  .reader.label_pattern = "{label}_{index}.csv"};
    seq_dataset *dataset = prepare(settings, &place);
    expect_split(dataset, SEQ_TRAIN, "7,8 = a\n1,2 3,4.5 = b\n");
    expect_split(dataset, SEQ_VALID, "1,2 3,4.5 = b\n3,4.5 5,-6 = b\n");
    expect_split(dataset, SEQ_TEST, "0,0.001 2,2 = a\n");
    const seq_field *frames = &seq_dataset_schema(dataset)->fields[0];
    assert_int_equal(frames->kind, SEQ_FIELD_VALUES);
    assert_int_equal(frames->axis, seq_dataset_schema(dataset)->length_axis);
    assert_true(frames->mean[0] > 3.66 && frames->mean[0] < 3.67); // of 7, 1 and 3
    seq_dataset_close(dataset);
    settings.normalise = SEQ_NORMALISE_NONE;
    settings.force = true;
    dataset = prepare(settings, &place);
    assert_null(seq_dataset_schema(dataset)->fields[0].mean);
    seq_dataset_close(dataset);
    temporary_destroy(&place);
}

// A table names the files; what it does not say of an item comes from there. Equal frames are one
// group, and so are items with an equal field of the table.
static void tables_name_files_of_frames(void **state) {
    temporary place;
    char table[200], path[200];
    const char *inputs[] = {table};
    seq_error error = {0};
    (void)state;
    temporary_create(&place);
    write_text(&place, "1.csv", "v,w,label\n1,5,on\n2,6,on\n", path);
    write_text(&place, "2.csv", "v,w,label\n1,5,off\n2,7,off\n", path); // begins as the others
    write_text(&place, "3.csv", "v,w,label\n1,5,on\n2,6,on\n", path);
    write_text(&place, "wide.csv", "v,w,x,label\n1,2,3,on\n", path);
    write_text(&place, "table.csv", "file,who\n1.csv,x\n2.csv,y\n3.csv,z\n", table);
    seq_prepare_items settings = {.task = SEQ_TASK_CLASSIFY,
                                  .inputs = inputs,
                                  .input_count = 1,
                                  .folds = 2,
                                  .fold = 1,
                                  .reader = {.columns = "path=file,who=who", .group = "who"}};
    seq_dataset *dataset = prepare(settings, &place);
    bool first = seq_dataset_items(dataset, SEQ_TEST) == 2; // 1 and 3 are one group
    expect_split(dataset, first ? SEQ_TEST : SEQ_TRAIN, "1,5 2,6 = on\n1,5 2,6 = on\n");
    expect_split(dataset, first ? SEQ_TRAIN : SEQ_TEST, "1,5 2,7 = off\n");
    seq_dataset_close(dataset);
    write_text(&place, "table.csv", "file,who\n1.csv,x\nwide.csv,y\n", table);
    snprintf(path, sizeof path, "%s", temporary_path(&place, "none"));
    settings.output = path;
    assert_int_equal(seq_prepare_items_run(&settings, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "table.csv line 3: wide.csv: frames of 3 values"));
    temporary_destroy(&place);
}

int main(void) {
    seq_error error = {0};
    if (seq_storage_begin(&error)) return 1; // once a process
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_read_back),
        cmocka_unit_test(letters_keep_their_case),
        cmocka_unit_test(pairs_are_read_back),
        cmocka_unit_test(labels_are_read_back),
        cmocka_unit_test(strands_and_windows_are_read_back),
        cmocka_unit_test(frames_are_read_back),
        cmocka_unit_test(tables_name_files_of_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

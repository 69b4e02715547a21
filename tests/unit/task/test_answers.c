// Files of answers in each form, and each way in which they can be wrong: the
// message names file and line. Two files that do not fit together: the first
// line that differs. Checks src/task/answers*.c.
#include "answers_case.h"
#include <math.h>
#include <stdio.h>

// Labels of all places, joined by blanks, items by "; ".
static void check_labels(const answers_case *self, const seq_answers *answers,
                         const char *expected) {
    char found[500] = "";
    for (size_t i = 0; i < answers->items; i++)
        for (size_t k = answers->first[i]; k < answers->first[i + 1]; k++)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s",
                     !*found                  ? ""
                     : k == answers->first[i] ? "; "
                                              : " ",
                     seq_strings_text(&self->tables.labels.names, answers->ids[k], NULL));
    assert_string_equal(found, expected);
}

static void accept(seq_answer_kind kind, const char *columns, const char *text, const char *gold,
                   const char *predicted) {
    answers_case self = {0};
    seq_status status = read_case(&self, kind, columns, "f", text, gold ? &self.gold : NULL,
                                  predicted ? &self.predicted : NULL);
    if (status) fail_msg("%s", self.error.text);
    if (gold) check_labels(&self, &self.gold, gold);
    if (predicted) check_labels(&self, &self.predicted, predicted);
    end_case(&self);
}

// As a file of predictions, or with `both` as one that holds gold, too.
static void refuse(seq_answer_kind kind, const char *columns, const char *text, bool both,
                   const char *message) {
    answers_case self = {0};
    seq_status status =
        read_case(&self, kind, columns, "f", text, both ? &self.gold : NULL, &self.predicted);
    assert_true(status == SEQ_BAD_INPUT || status == SEQ_BAD_USAGE);
    if (!strstr(self.error.text, message))
        fail_msg("'%s' is not in '%s'", message, self.error.text);
    end_case(&self);
}

static void columns(void **state) {
    (void)state;
    const seq_answer_kind tags = SEQ_ANSWERS_TAGS;
    accept(tags, NULL, "a\tB-x\nb\tO\n\nc\tO", "B-x O; O", NULL);
    accept(tags, NULL,
           "\xEF\xBB\xBF"
           "a\tB-x\r\nb\tO\r\n\r\n\r\n\nc\tO\r\n",
           "B-x O; O", NULL);
    accept(tags, NULL, "a NN  B-x I-y \nb VB O O\n", "B-x O", "I-y O");
    accept(tags, "gold=2,prediction=2", "a NN B-x\n", "NN", "NN");
    accept(tags, NULL, "-DOCSTART- -X- O\n\n# O\n#tag B-x\n", "O B-x", NULL); // no comments: blanks
    accept(tags, NULL, "# sent_id = 1\n#tag\tB-x\n#\tO\n", "B-x O", NULL);
    for (int named = 0; named < 2; named++)
        accept(tags, named ? "token=2,gold=4" : NULL,
               "# text = au lait\n1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_\n1\ta\t_\tADP\t_\t_\t_\t_\t_\t_\n"
               "2\tle\t_\tDET\t_\t_\t_\t_\t_\t_\n2.1\te\t_\tX\t_\t_\t_\t_\t_\t_\n",
               "ADP DET", NULL);
    accept(tags, NULL, "O\nB-x\n\nO\n", "O B-x; O", NULL); // tags alone
    accept(tags, NULL, "", "", NULL);
    accept(tags, NULL, "\n \n\t\n", "", NULL);
    refuse(tags, NULL, "a B-x\nb\n", false, "f line 2: 1 columns, expected 2");
    refuse(tags, NULL, "a\tO\nb\t\n", false, "f line 2: no tag in column 2");
    refuse(tags, NULL, "a\n", true, "f line 1: 1 columns, expected token, gold tag, predicted tag");
    refuse(tags, "prediction=3", "\na O\n", false,
           "f line 2: --columns prediction=3: the line has columns 1 to 2");
    refuse(tags, "prediction=", "", false, "--columns: prediction: expected a number");
    refuse(tags, "predicted=1", "", false, "--columns: 'predicted': expected token=");
}

static void lines(void **state) {
    (void)state;
    const seq_answer_kind classes = SEQ_ANSWERS_CLASSES;
    accept(classes, NULL, "a some text\nb more\r\n0\n", "a; b; 0", NULL);
    accept(classes, NULL, "New York\tsome text\n", "New York", NULL);
    accept(classes, NULL, "a\nb\na\n", NULL, "a; b; a");
    accept(classes, NULL, "index\tlabel\toutput\n1\ta\tb\n2\tb b\tb\n", "a; b b", "b; b");
    accept(classes, "gold=truth,prediction=1", "guess\ttruth\na\tb\n", "b", "a");
    accept(classes, NULL, "", "", NULL);
    refuse(classes, NULL, "a\n\nb\n", false, "f line 2: a blank line");
    refuse(classes, NULL, "a\nsome text\n", false,
           "f line 2: expected one label, found 'some text'");
    refuse(classes, NULL, "a\n", true, "f line 1: gold and prediction in one file");
    refuse(classes, NULL, "index\tlabel\n1\ta\n", true,
           "f line 1: gold and prediction are the same");
    refuse(classes, NULL, "index\tgold\n1\ta\n", false,
           "f line 1: --columns prediction: the header has no");
    refuse(classes, NULL, "index\toutput\n1\ta\tb\n", false,
           "f line 2: 3 columns, the header has 2");
    refuse(classes, NULL, "index\toutput\n1\t\n", false, "f line 2: no label");
    refuse(SEQ_ANSWERS_RATINGS, NULL, "1.5\nnan\n", false,
           "f line 2: expected a finite number, found 'nan'");
    refuse(SEQ_ANSWERS_RATINGS, NULL, "1\n1e999\n", false, "f line 2: expected a finite number");
    refuse(SEQ_ANSWERS_RATINGS, NULL, "1\n0x10\n", false, "f line 2: expected a finite number");
}

static void json(void **state) {
    (void)state;
    const seq_answer_kind classes = SEQ_ANSWERS_CLASSES, tags = SEQ_ANSWERS_TAGS;
    accept(classes, NULL,
           "{\"index\": 5, \"label\": \"a b\", \"output\": 3}\n{\"index\": 6, \"label\": 3, "
           "\"output\": \"x\"}\n",
           "a b; 3", "3; x");
    accept(classes, "prediction=guess", "{\"guess\": \"g\"}\n", NULL, "g");
    accept(tags, NULL,
           "{\"input\": [\"a\", \"b\"], \"output\": [\"O\", \"B-x\"]}\n{\"output\": []}\n", NULL,
           "O B-x");
    accept(tags, NULL, "{\"input\": \"a b\", \"output\": \"O  B-x\"}\n", NULL, "O B-x");
    refuse(classes, NULL, "{\"output\": 1}\n{\"output\": 1\n", false,
           "f line 2: expected a JSON object: ");
    refuse(classes, NULL, "{\"output\": 1}\n\n", false, "f line 2: a blank line");
    refuse(classes, NULL, "{\"label\": [1]}\n", false, "f line 1: expected a label");
    refuse(classes, NULL, "{\"text\": \"a\"}\n", false, "f line 1: no prediction 'output'");
    refuse(classes, NULL, "{\"output\": 1, \"output\": 2}\n", false,
           "f line 1: expected a JSON object: dup");
    refuse(classes, NULL, "{\"index\": 1, \"output\": 1}\n{\"index\": 3, \"output\": 1}\n", false,
           "f line 2: index 3, expected 2");
    refuse(classes, NULL, "{\"output\": 1, \"labels\": [1], \"probabilities\": [0.5, 0.5]}\n",
           false, "f line 1: labels and probabilities");
    refuse(classes, NULL, "{\"output\": 1, \"labels\": [1], \"probabilities\": [-0.5]}\n", false,
           "f line 1: probabilities: ");
    refuse(tags, NULL, "{\"input\": [\"a\"], \"output\": [\"O\", \"O\"]}\n", false,
           "f line 1: 2 tags for 1 tokens");
    refuse(tags, NULL, "{\"output\": [\"O\"]}\n{\"input\": [\"a\"], \"output\": [\"O\"]}\n", false,
           "f line 2: tokens on some lines only");
    refuse(tags, NULL, "{\"output\": 7}\n", false, "f line 1: tags: expected a list");
}

static void check_pair(seq_answer_kind kind, const char *gold, const char *predicted,
                       const char *message) {
    answers_case self = {0};
    assert_int_equal(read_case(&self, kind, NULL, "g", gold, &self.gold, NULL), SEQ_OK);
    assert_int_equal(read_case(&self, kind, NULL, "p", predicted, NULL, &self.predicted), SEQ_OK);
    self.gold.scheme = kind == SEQ_ANSWERS_TAGS ? SEQ_SCHEME_IOB2 : SEQ_SCHEME_NONE;
    seq_status status = seq_answers_check(&self.gold, &self.predicted, &self.tables, &self.error);
    assert_int_equal(status, message ? SEQ_BAD_INPUT : SEQ_OK);
    if (message && !strstr(self.error.text, message))
        fail_msg("'%s' is not in '%s'", message, self.error.text);
    end_case(&self);
}

static void pairs(void **state) {
    (void)state;
    const seq_answer_kind tags = SEQ_ANSWERS_TAGS, classes = SEQ_ANSWERS_CLASSES;
    check_pair(tags, "a O\nb O\n\nc O\n", "a O\r\nb O\r\n\r\n\r\nc O\r\n\r\n", NULL);
    check_pair(tags, "a O\nb O\n\nc O\n", "O\nO\n\nO\n", NULL); // without tokens
    check_pair(tags, "a O\nb O\n\nc O\n", "a O\n\nb O\nc O\n",
               "p at line 3 differs from g at line 2: sentence 1 has 1 tokens, expected 2");
    check_pair(tags, "a O\n\nb O\n\nc O\n", "a O\n\nb O\nc O\n",
               "p at line 4 differs from g at line 5: sentence 2 has 2 tokens, expected 1");
    check_pair(tags, "a O\nb O\n", "a O\nB O\n",
               "p at line 2 differs from g at line 2: token 'B', expected 'b'");
    check_pair(tags, "a O\n\nb O\n", "a O\n",
               "p at its end differs from g at line 3: 1 items, expected 2");
    check_pair(tags, "a O\n", "a O\n\nb O\n", "p at line 3 differs from g at its end");
    check_pair(tags, "a O\nb O\n", "a O\n",
               "p at its end differs from g at line 2: sentence 1 has 1");
    check_pair(tags, "a O\n", "a person\n",
               "p line 1: the tag 'person' is neither O nor PREFIX-TYPE");
    check_pair(classes, "a\nb\n", "a\nb\nb\n",
               "p at line 3 differs from g at its end: 3 items, expected 2");
    check_pair(classes, "a\n", "", "p at its end differs from g at line 1: 0 items, expected 1");
    check_pair(classes, "", "", NULL);
}

static seq_answer_kind kind_of(const char *first, const char *second) {
    seq_answer_columns columns = {0};
    seq_answer_file files[] = {{"a", (char *)(uintptr_t)first, strlen(first)},
                               {"b", (char *)(uintptr_t)second, strlen(second)}};
    return seq_answers_find_kind(files, 2, &columns);
}

static void kinds(void **state) {
    (void)state;
    assert_int_equal(kind_of("a\tO\n\nb\tB-x\n", "a O\nb I-x\n"), SEQ_ANSWERS_TAGS);
    assert_int_equal(kind_of("-DOCSTART-\n\na NN O\n", "a O\n"), SEQ_ANSWERS_TAGS);
    assert_int_equal(kind_of("a\tNN\n", "a\tNN\n"), SEQ_ANSWERS_CLASSES); // --task tag says it
    const char *conllu = "# text = a\n1\ta\t_\tDET\t_\t_\t0\troot\t_\t_\n\n";
    assert_int_equal(kind_of(conllu, conllu), SEQ_ANSWERS_TAGS);
    const char *table = "1\ta\tb\tc\td\te\tf\tg\th\ti\n"; // ten columns, no HEAD
    assert_int_equal(kind_of(table, table), SEQ_ANSWERS_CLASSES);
    assert_int_equal(kind_of("0 one long text .\n4 another\n", "0\n3\n"), SEQ_ANSWERS_CLASSES);
    assert_int_equal(kind_of("0 one long text .\n4 another\n", "0.25\n3\n"), SEQ_ANSWERS_RATINGS);
    assert_int_equal(kind_of("a\n1\n", "0.25\n3\n"), SEQ_ANSWERS_CLASSES);
    assert_int_equal(kind_of("1\n", "index\toutput\n1\t0.5\n"), SEQ_ANSWERS_RATINGS);
    assert_int_equal(kind_of("{\"label\": [\"O\"]}", "{\"output\": [\"O\"]}"), SEQ_ANSWERS_TAGS);
    assert_int_equal(kind_of("{\"label\": 1}", "{\"output\": 1.25}"), SEQ_ANSWERS_RATINGS);
    assert_int_equal(kind_of("{\"label\": \"1\"}", "{\"output\": \"1\"}"), SEQ_ANSWERS_CLASSES);
    assert_int_equal(kind_of("", ""), SEQ_ANSWERS_CLASSES);
    assert_int_equal(kind_of("{", "[]"), SEQ_ANSWERS_CLASSES);
}

static void texts(void **state) {
    (void)state;
    answers_case self = {.texts = true};
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_CLASSES, NULL, "f", "a  one two  one\nb \n", &self.gold, NULL),
        SEQ_OK);
    assert_int_equal(self.gold.word_first[1], 3);
    assert_int_equal(self.gold.word_first[2], 3);
    assert_int_equal(self.gold.words[0], self.gold.words[2]);
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_CLASSES, NULL, "f", "a x\nb\n", &self.training, NULL),
        SEQ_BAD_INPUT);
    assert_non_null(strstr(self.error.text, "f line 2: a label without text"));
    end_case(&self);
}

// Characters in normal form C, words, JSON, a table; the unit is the tables'.
static void transcripts(void **state) {
    (void)state;
    answers_case self = {.tables.rules = {.unit = SEQ_UNIT_CHAR, .nfc = true}};
    assert_int_equal(read_case(&self, SEQ_ANSWERS_TRANSCRIPTS, NULL, "gold",
                               "\xEF\xBB\xBF e\xCC\x81 b\t\n\n", &self.gold, NULL),
                     SEQ_OK);
    assert_int_equal(self.gold.items, 2);
    assert_int_equal(self.gold.first[1], 3); // e with acute, blank, b
    assert_int_equal(self.gold.first[2], 3);
    assert_string_equal(seq_strings_text(&self.tables.labels.names, self.gold.ids[0], NULL),
                        "\xC3\xA9");
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TRANSCRIPTS, NULL, "predicted",
                  "{\"output\": \"\xC3\xA9 b\"}\n{\"output\": [\"\xC3\xA9\", \"b\"]}\n", NULL,
                  &self.predicted),
        SEQ_OK);
    assert_int_equal(self.predicted.first[1], 3);
    assert_int_equal(self.predicted.first[2], 5);
    assert_memory_equal(self.gold.ids, self.predicted.ids, 3 * sizeof(int32_t));
    assert_int_equal(seq_answers_check(&self.gold, &self.predicted, &self.tables, &self.error),
                     SEQ_OK);
    end_case(&self);
    self = (answers_case){.tables.rules = {.unit = SEQ_UNIT_WORD, .nfc = true}};
    assert_int_equal(read_case(&self, SEQ_ANSWERS_TRANSCRIPTS, NULL, "table",
                               "index\tgold\toutput\n0\ta b\t\n1\t\tx y z\n", &self.gold,
                               &self.predicted),
                     SEQ_OK);
    assert_int_equal(self.gold.first[2], 2);
    assert_int_equal(self.predicted.first[1], 0);
    assert_int_equal(self.predicted.first[2], 3);
    assert_int_equal(self.gold.item_lines[1], 3);
    end_case(&self);
    self = (answers_case){.tables.rules = {.unit = SEQ_UNIT_WORD, .nfc = true}};
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TRANSCRIPTS, NULL, "bad", "a\n\xff\n", &self.gold, NULL),
        SEQ_BAD_INPUT);
    assert_non_null(strstr(self.error.text, "bad line 2"));
    end_case(&self);
}

// Lines, and references from two files or from one line.
static void translations(void **state) {
    (void)state;
    answers_case self = {0};
    seq_answers more = {0};
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TEXTS, NULL, "one", "a b\r\n\n{c\n", &self.gold, NULL),
        SEQ_OK);
    assert_int_equal(self.gold.items, 3);
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TEXTS, NULL, "two",
                  "{\"gold\": [\"x\", \"a b\"]}\n{\"gold\": \"\"}\n{\"gold\": [\"y\"]}", &more,
                  NULL),
        SEQ_OK);
    assert_int_equal(seq_answers_add_references(&self.gold, &more, &self.error), SEQ_OK);
    const size_t first[] = {0, 3, 5, 7};
    const char *const texts[] = {"a b", "x", "a b", "", "", "{c", "y"};
    assert_memory_equal(self.gold.first, first, sizeof first);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(seq_strings_text(&self.tables.words, self.gold.ids[i], NULL), texts[i]);
    assert_int_equal(self.gold.lines[5], 3);
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TEXTS, NULL, "short", "a\n", NULL, &self.predicted), SEQ_OK);
    assert_int_equal(seq_answers_add_references(&self.gold, &self.predicted, &self.error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(self.error.text, "1 items, expected 3"));
    assert_int_equal(self.gold.places, 7);
    self.error = (seq_error){0};
    assert_int_equal(
        read_case(&self, SEQ_ANSWERS_TEXTS, NULL, "bad", "a\nb@@ c\n", NULL, &self.training),
        SEQ_BAD_INPUT);
    assert_non_null(strstr(self.error.text, "bad line 2: it still holds subwords (@@)"));
    seq_answers_clear(&more);
    end_case(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),     cmocka_unit_test(lines),       cmocka_unit_test(json),
        cmocka_unit_test(pairs),       cmocka_unit_test(kinds),       cmocka_unit_test(texts),
        cmocka_unit_test(transcripts), cmocka_unit_test(translations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

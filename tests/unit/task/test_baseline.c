// The baselines: what the majority answers, and a bag of words that learns which
// words decide, chooses its penalty, gives probabilities that sum to 1, and has
// no gradient left at what it found. Checks src/task/baseline_*.c.
#include "answers_case.h"
#include <math.h>
#include <seqtrain/task/baseline.h>

static const char *const training =
    "good a fine film\nbad a dull film\ngood fine and moving\nbad dull and long\n"
    "good a moving film\nbad a long film\ngood fine\nbad dull\nodd strange\n";

static void read_all(answers_case *self, seq_answer_kind kind, const char *gold) {
    *self = (answers_case){.texts = kind == SEQ_ANSWERS_CLASSES};
    assert_int_equal(read_case(self, kind, NULL, "training",
                               kind == SEQ_ANSWERS_CLASSES ? training : "3\n2\n2.5\n2\n3\n",
                               &self->training, NULL),
                     SEQ_OK);
    assert_int_equal(read_case(self, kind, NULL, "gold", gold, &self->gold, NULL), SEQ_OK);
}

static const char *label(const answers_case *self, size_t item) {
    return seq_strings_text(&self->tables.labels.names, self->predicted.ids[item], NULL);
}

static void majority(void **state) {
    (void)state;
    answers_case self;
    read_all(&self, SEQ_ANSWERS_CLASSES, "bad x\nbad y\nnever z\n");
    assert_int_equal(
        seq_baseline_majority(&self.training, &self.gold, &self.predicted, &self.error), SEQ_OK);
    assert_int_equal(self.predicted.items, 3);
    assert_string_equal(label(&self, 0), "good"); // as often as bad, and first
    assert_string_equal(label(&self, 2), "good");
    assert_int_equal(seq_answers_check(&self.gold, &self.predicted, &self.tables, &self.error), 0);
    end_case(&self);
    read_all(&self, SEQ_ANSWERS_RATINGS, "1\n");
    assert_int_equal(
        seq_baseline_majority(&self.training, &self.gold, &self.predicted, &self.error), SEQ_OK);
    assert_true(self.predicted.values[0] == 3);
    end_case(&self);
}

static void bag_of_words(void **state) {
    (void)state;
    answers_case self;
    seq_bow_report report, again;
    read_all(&self, SEQ_ANSWERS_CLASSES, "good moving unknown\nbad dull dull fine\nodd strange\n");
    assert_int_equal(seq_baseline_bow(&self.training, &self.gold, &self.gold, &self.tables,
                                      &self.predicted, &report, &self.error),
                     SEQ_OK);
    assert_string_equal(label(&self, 0), "good");
    assert_string_equal(label(&self, 1), "bad"); // counts, not occurrence
    assert_int_equal(report.selected, 3);
    assert_true(report.right >= 2 && report.iterations > 0);
    for (size_t i = 0; i < 3; i++) {
        double sum = 0;
        for (size_t k = self.predicted.probability_first[i];
             k < self.predicted.probability_first[i + 1]; k++)
            sum += self.predicted.probabilities[k].value;
        assert_true(fabs(sum - 1) < 1e-12);
    }
    seq_answers second = {0};
    assert_int_equal(seq_baseline_bow(&self.training, &self.gold, &self.gold, &self.tables, &second,
                                      &again, &self.error),
                     SEQ_OK);
    for (size_t k = 0; k < second.probability_count; k++)
        assert_true(second.probabilities[k].value == self.predicted.probabilities[k].value);
    seq_answers_clear(&second);
    // Nine items cannot spare a tenth: they choose the penalty themselves.
    assert_int_equal(seq_baseline_bow(&self.training, NULL, &self.gold, &self.tables, &second,
                                      &again, &self.error),
                     SEQ_OK);
    assert_int_equal(again.selected, 9);
    seq_answers_clear(&second);
    end_case(&self);
}

// Where the gradient of biases is zero, mean probabilities over the training items are the shares
// of the classes: a property of the minimum, whatever the penalty.
static void minimum(void **state) {
    (void)state;
    answers_case self;
    seq_bow_report report;
    read_all(&self, SEQ_ANSWERS_CLASSES, training);
    assert_int_equal(seq_baseline_bow(&self.training, &self.gold, &self.gold, &self.tables,
                                      &self.predicted, &report, &self.error),
                     SEQ_OK);
    double mean[3] = {0};
    for (size_t k = 0; k < self.predicted.probability_count; k++)
        mean[self.predicted.probabilities[k].label] += self.predicted.probabilities[k].value / 9;
    assert_true(fabs(mean[0] - 4.0 / 9) < 2e-3);
    assert_true(fabs(mean[1] - 4.0 / 9) < 2e-3);
    assert_true(fabs(mean[2] - 1.0 / 9) < 2e-3);
    end_case(&self);
}

static void nothing(void **state) {
    (void)state;
    answers_case self = {.texts = true};
    seq_bow_report report;
    assert_int_equal(read_case(&self, SEQ_ANSWERS_CLASSES, NULL, "empty", "", &self.training, NULL),
                     SEQ_OK);
    assert_int_equal(read_case(&self, SEQ_ANSWERS_CLASSES, NULL, "gold", "a b\n", &self.gold, NULL),
                     SEQ_OK);
    assert_int_equal(seq_baseline_bow(&self.training, NULL, &self.gold, &self.tables,
                                      &self.predicted, &report, &self.error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(self.error.text, "empty: no item"));
    end_case(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(majority), cmocka_unit_test(bag_of_words),
                                       cmocka_unit_test(minimum), cmocka_unit_test(nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

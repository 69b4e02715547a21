// JSON lines, an object an item: what seqpredict writes, and gold files with a
// label or labels. Numbers are read as they are; a class may be a text or an
// integer. Invariant: `index` counts up by one, so no item is missing and none
// has changed places. Test: tests/unit/task/test_answers.c.
#include "answers_private.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const json_t *find(const json_t *object, const char *wanted, const char *const *usual) {
    if (*wanted) return json_object_get(object, wanted);
    for (; *usual; usual++)
        if (json_object_get(object, *usual)) return json_object_get(object, *usual);
    return NULL;
}

// A text, or a number as text in `buffer`. False: neither.
static bool to_text(const json_t *value, char buffer[40], seq_text *out) {
    if (json_is_string(value)) {
        *out = (seq_text){json_string_value(value), json_string_length(value)};
        return true;
    }
    if (!json_is_number(value)) return false;
    if (json_is_integer(value))
        snprintf(buffer, 40, "%lld", (long long)json_integer_value(value));
    else
        snprintf(buffer, 40, "%.17g", json_real_value(value));
    *out = (seq_text){buffer, strlen(buffer)};
    return true;
}

// A list of texts, or one text whose words are separated by blanks.
static seq_status each_text(seq_answer_reader *reader, seq_answers *side, const json_t *value,
                            const char *what, seq_answer_take *take, seq_error *error) {
    char buffer[40];
    seq_text text;
    seq_status status = SEQ_OK;
    if (json_is_string(value))
        return seq_answer_each(reader, side,
                               (seq_text){json_string_value(value), json_string_length(value)},
                               take, error);
    if (!json_is_array(value))
        return seq_answer_refuse(reader, error, "%s: expected a list of texts", what);
    for (size_t i = 0; !status && i < json_array_size(value); i++)
        status = to_text(json_array_get(value, i), buffer, &text)
                     ? take(reader, side, text, error)
                     : seq_answer_refuse(reader, error, "%s: expected texts", what);
    return status;
}

static seq_status read_tags(seq_answer_reader *reader, seq_answers *side, const json_t *answer,
                            const json_t *tokens, seq_error *error) {
    size_t begin = side->places, words = side->word_count;
    seq_status status = each_text(reader, side, answer, "tags", seq_answer_place, error);
    if (!status && tokens)
        status = each_text(reader, side, tokens, "tokens", seq_answer_word, error);
    if (!status && tokens && side->word_count - words != side->places - begin)
        return seq_answer_refuse(reader, error, "%zu tags for %zu tokens", side->places - begin,
                                 side->word_count - words);
    if (!status && side->word_count && side->word_count != side->places)
        return seq_answer_refuse(reader, error, "tokens on some lines only");
    return status;
}

static seq_status read_probabilities(seq_answer_reader *reader, seq_answers *side,
                                     const json_t *object, seq_error *error) {
    const json_t *labels = json_object_get(object, "labels");
    const json_t *probabilities = json_object_get(object, "probabilities");
    char buffer[40];
    seq_text label;
    seq_status status = SEQ_OK;
    if (!probabilities) return SEQ_OK;
    if (!json_is_array(labels) || !json_is_array(probabilities) ||
        json_array_size(labels) != json_array_size(probabilities))
        return seq_answer_refuse(reader, error,
                                 "labels and probabilities: expected two lists of one length");
    for (size_t i = 0; !status && i < json_array_size(labels); i++) {
        const json_t *value = json_array_get(probabilities, i);
        double number = json_number_value(value);
        if (!to_text(json_array_get(labels, i), buffer, &label) || !json_is_number(value) ||
            !(number >= 0 && number <= 1.000001))
            return seq_answer_refuse(reader, error,
                                     "probabilities: expected numbers from 0 to 1, and a label for "
                                     "each");
        status = seq_answer_probability(reader, side, label, number, error);
    }
    return status;
}

static seq_status read_side(seq_answer_reader *reader, seq_answers *side, const json_t *object,
                            seq_error *error) {
    bool gold = side == reader->gold;
    const char *wanted = gold ? reader->columns->gold : reader->columns->prediction;
    const char *const *usual = gold ? seq_gold_names : seq_prediction_names;
    const json_t *answer = find(object, wanted, usual);
    const json_t *text = find(object, reader->columns->text, seq_text_names);
    char buffer[40];
    seq_text label;
    if (!answer)
        return seq_answer_refuse(reader, error, "no %s '%s'", gold ? "right answer" : "prediction",
                                 *wanted ? wanted : *usual);
    seq_status status = SEQ_OK;
    if (reader->kind == SEQ_ANSWERS_TEXTS && gold && json_array_size(answer) > 0)
        status = each_text(reader, side, answer, "references", seq_answer_place, error);
    else if (reader->kind == SEQ_ANSWERS_TEXTS && !json_is_string(answer))
        status = seq_answer_refuse(reader, error, "expected a text%s",
                                   gold ? " or a list of texts" : "");
    else if (reader->kind == SEQ_ANSWERS_TAGS)
        status = read_tags(reader, side, answer, text, error);
    else if (reader->kind == SEQ_ANSWERS_TRANSCRIPTS && json_is_array(answer))
        status = each_text(reader, side, answer, "symbols", seq_answer_place, error);
    else if (!to_text(answer, buffer, &label))
        status = seq_answer_refuse(reader, error, "expected a label, a text or a number");
    else if (reader->kind == SEQ_ANSWERS_TRANSCRIPTS)
        status = seq_answer_symbols(reader, side, label, error);
    else
        status = seq_answer_place(reader, side, label, error);
    if (!status && reader->kind != SEQ_ANSWERS_TAGS && reader->texts && gold)
        status = json_is_string(text)
                     ? each_text(reader, side, text, "text", seq_answer_word, error)
                     : seq_answer_refuse(reader, error, "no text");
    if (!status && reader->kind == SEQ_ANSWERS_CLASSES && !gold)
        status = read_probabilities(reader, side, object, error);
    return status ? status : seq_answer_item(reader, side, error);
}

static seq_status check_index(const seq_answer_reader *reader, const json_t *object,
                              json_int_t *expected, seq_error *error) {
    const json_t *index = json_object_get(object, "index");
    if (!index) return SEQ_OK;
    if (!json_is_integer(index))
        return seq_answer_refuse(reader, error, "index: expected an integer");
    json_int_t found = json_integer_value(index);
    if (*expected >= 0 && found != *expected)
        return seq_answer_refuse(reader, error, "index %lld, expected %lld: items in another order",
                                 (long long)found, (long long)*expected);
    *expected = found + 1;
    return SEQ_OK;
}

static seq_status read_object(seq_answer_reader *reader, seq_text line, json_int_t *index,
                              seq_error *error) {
    json_error_t why;
    json_t *object = json_loadb(line.bytes, line.size, JSON_REJECT_DUPLICATES, &why);
    seq_status status = SEQ_OK;
    if (!json_is_object(object))
        status = seq_answer_refuse(reader, error, "expected a JSON object%s%s", object ? "" : ": ",
                                   object ? "" : why.text);
    if (!status) status = check_index(reader, object, index, error);
    if (!status && reader->gold) status = read_side(reader, reader->gold, object, error);
    if (!status && reader->predicted) status = read_side(reader, reader->predicted, object, error);
    json_decref(object);
    return status;
}

seq_status seq_answers_read_json(seq_answer_reader *reader, seq_error *error) {
    json_int_t index = -1;
    seq_text line;
    seq_status status = SEQ_OK;
    while (!status && seq_answer_line(reader, &line))
        status = seq_text_is_blank(line)
                     ? seq_answer_refuse(reader, error, "a blank line, expected a JSON object")
                     : read_object(reader, line, &index, error);
    return status;
}

bool seq_answers_is_object(const seq_answer_file *file) {
    seq_answer_reader reader = {.file = file};
    seq_text line = {0};
    json_error_t why;
    while (seq_answer_line(&reader, &line) && seq_text_is_blank(line))
        ;
    json_t *object = json_loadb(line.bytes ? line.bytes : "", line.size, 0, &why);
    bool is = json_is_object(object);
    json_decref(object);
    return is;
}

unsigned seq_answers_look_at_json(seq_text line, const seq_answer_columns *columns) {
    json_error_t why;
    json_t *object = json_loadb(line.bytes, line.size, 0, &why);
    const json_t *answer = find(object, columns->prediction, seq_prediction_names);
    if (!answer) answer = find(object, columns->gold, seq_gold_names);
    unsigned looks = json_is_array(answer)     ? SEQ_LOOKS_TAGS
                     : json_is_real(answer)    ? SEQ_LOOKS_NUMBERS | SEQ_LOOKS_FRACTIONS
                     : json_is_integer(answer) ? SEQ_LOOKS_NUMBERS
                                               : 0;
    json_decref(object);
    return looks;
}

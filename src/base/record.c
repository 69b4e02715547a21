// A record is a list of keys and texts in the order of their first setting; a
// key is found by linear search, since records are short. Reals are written
// with 17 digits, so reading gives back the same double. Invariant: a value
// outside of its bounds, or with anything behind it, is an error that names the
// key. Tests: tests/unit/base/test_file.c, tests/unit/train/test_spikes.c.
#include <seqtrain/base/record.h>
#include <seqtrain/base/memory.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_record_clear(seq_record *record) {
    for (size_t i = 0; i < record->count; i++) {
        free(record->entries[i].key);
        free(record->entries[i].text);
    }
    free(record->entries);
    *record = (seq_record){0};
}

static seq_record_entry *find(const seq_record *record, const char *key) {
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->entries[i].key, key) == 0) return &record->entries[i];
    return NULL;
}

static seq_status out_of_memory(const char *key, seq_error *error) {
    return seq_error_set(error, SEQ_NO_MEMORY, "record: key %s: out of memory", key);
}

seq_status seq_record_set_text(seq_record *record, const char *key, const char *text,
                               seq_error *error) {
    char *copy = strdup(text);
    if (!copy) return out_of_memory(key, error);
    seq_record_entry *entry = find(record, key);
    if (entry) {
        free(entry->text);
        entry->text = copy;
        return SEQ_OK;
    }
    char *name = strdup(key);
    if (!name || seq_grow(&record->entries, &record->capacity, record->count + 1, sizeof *entry,
                          "a record", error)) {
        free(name);
        free(copy);
        return out_of_memory(key, error);
    }
    record->entries[record->count++] = (seq_record_entry){name, copy};
    return SEQ_OK;
}

seq_status seq_record_set_integer(seq_record *record, const char *key, int64_t value,
                                  seq_error *error) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return seq_record_set_text(record, key, text, error);
}

seq_status seq_record_set_real(seq_record *record, const char *key, double value,
                               seq_error *error) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return seq_record_set_text(record, key, isnan(value) ? "nan" : text, error);
}

seq_status seq_record_set_integers(seq_record *record, const char *key, const int *values,
                                   int count, seq_error *error) {
    size_t size = (size_t)count * 12 + 1, used = 0;
    char *text = malloc(size);
    if (!text) return out_of_memory(key, error);
    *text = '\0';
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i ? "," : "", values[i]);
    seq_status status = seq_record_set_text(record, key, text, error);
    free(text);
    return status;
}

const char *seq_record_text(const seq_record *record, const char *key) {
    const seq_record_entry *entry = find(record, key);
    return entry ? entry->text : NULL;
}

static const char *require(const seq_record *record, const char *key, seq_error *error) {
    const char *text = seq_record_text(record, key);
    if (!text) seq_error_set(error, SEQ_NO_CHECKPOINT, "record: key %s is missing", key);
    return text;
}

static bool parse_integer(const char *text, const char **end, int64_t minimum, int64_t maximum,
                          int64_t *out) {
    char *stop;
    errno = 0;
    long long value = strtoll(text, &stop, 10);
    if (stop == text || errno || value < minimum || value > maximum) return false;
    *end = stop;
    *out = value;
    return true;
}

seq_status seq_record_get_integer(const seq_record *record, const char *key, int64_t minimum,
                                  int64_t maximum, int64_t *out, seq_error *error) {
    const char *text = require(record, key, error), *end;
    if (!text) return error->status;
    if (!parse_integer(text, &end, minimum, maximum, out) || *end)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "record: key %s is %.60s, expected an integer from %lld to %lld", key,
                             text, (long long)minimum, (long long)maximum);
    return SEQ_OK;
}

seq_status seq_record_get_real(const seq_record *record, const char *key, double *out,
                               seq_error *error) {
    const char *text = require(record, key, error);
    if (!text) return error->status;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "record: key %s is %.60s, expected a number",
                             key, text);
    *out = value;
    return SEQ_OK;
}

seq_status seq_record_get_integers(const seq_record *record, const char *key, int minimum,
                                   int maximum, int *values, int capacity, int *out_count,
                                   seq_error *error) {
    const char *text = require(record, key, error), *at = text;
    if (!text) return error->status;
    int count = 0;
    while (*at) {
        int64_t value;
        if (count == capacity || !parse_integer(at, &at, minimum, maximum, &value) ||
            (*at && *at != ',') || (*at && !at[1]))
            return seq_error_set(
                error, SEQ_NO_CHECKPOINT,
                "record: key %s is %.60s, expected at most %d integers from %d to %d", key, text,
                capacity, minimum, maximum);
        values[count++] = (int)value;
        at += *at == ',';
    }
    *out_count = count;
    return SEQ_OK;
}

seq_status seq_record_set_reals(seq_record *record, const char *key, const double *values,
                                int count, seq_error *error) {
    size_t size = (size_t)count * 26 + 1, used = 0;
    char *text = malloc(size);
    if (!text) return out_of_memory(key, error);
    *text = '\0';
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%.17g", i ? "," : "", values[i]);
    seq_status status = seq_record_set_text(record, key, text, error);
    free(text);
    return status;
}

seq_status seq_record_get_reals(const seq_record *record, const char *key, double *values,
                                int capacity, int *out_count, seq_error *error) {
    const char *text = require(record, key, error), *at = text;
    if (!text) return error->status;
    int count = 0;
    while (*at) {
        char *end;
        double value = strtod(at, &end);
        if (count == capacity || end == at || !isfinite(value) || (*end && *end != ',') ||
            (*end && !end[1]))
            return seq_error_set(error, SEQ_NO_CHECKPOINT,
                                 "record: key %s is %.60s, expected at most %d numbers", key, text,
                                 capacity);
        values[count++] = value;
        at = end + (*end == ',');
    }
    *out_count = count;
    return SEQ_OK;
}

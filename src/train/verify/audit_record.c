// Writes and reads what the audit and a new cut of the streams leave in a
// checkpoint's position. One table lists keys, fields and their bounds.
// Invariant: numbers that are added to each other stay below 2^61, so a hostile
// record overflows nothing. Test: tests/unit/train/test_audit_record.c.
#include "verify.h"
#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(seq_position, field)

static const int64_t WHOLE = INT64_MAX / 4; // of numbers that are added to each other

// Digests are 64 bits and written as signed numbers.
static const struct {
    const char *key;
    size_t offset;
    bool digest, negative;
} fields[] = {
    {"windows", AT(windows), false, false},
    {"origin", AT(origin), false, true},
    {"recut_step", AT(repartition_step), false, false},
    {"recut_replicas", AT(repartition_replicas), false, false},
    {"audit_tokens", AT(audit.read.tokens), false, false},
    {"audit_places", AT(audit.read.places), true, false},
    {"audit_content", AT(audit.read.content), true, false},
    {"carried_window", AT(audit.carried_window), false, false},
    {"carried_tokens", AT(audit.carried.tokens), false, false},
    {"carried_places", AT(audit.carried.places), true, false},
    {"epoch_content", AT(audit.content), true, false},
};

seq_status seq_train_describe_audit(const seq_position *position, seq_record *record,
                                    seq_error *error) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t value;
        memcpy(&value, (const char *)position + fields[i].offset, sizeof value);
        if (seq_record_set_integer(record, fields[i].key, value, error)) return error->status;
    }
    return SEQ_OK;
}

// Checkpoints of versions without an audit: what was read of the epoch before is not known.
static void begin_audit_here(seq_position *out) {
    out->audit = (seq_audit){.carried_window = out->window};
    out->windows = out->origin = out->repartition_step = out->repartition_replicas = 0;
}

seq_status seq_train_read_audit(const seq_record *record, seq_position *out, seq_error *error) {
    if (!seq_record_text(record, fields[0].key)) {
        begin_audit_here(out);
        return SEQ_OK;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t value, limit = fields[i].digest ? INT64_MAX : WHOLE;
        int64_t minimum = fields[i].digest ? INT64_MIN : fields[i].negative ? -WHOLE : 0;
        if (seq_record_get_integer(record, fields[i].key, minimum, limit, &value, error))
            return error->status;
        memcpy((char *)out + fields[i].offset, &value, sizeof value);
    }
    return SEQ_OK;
}

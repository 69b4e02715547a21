// Counts skips and rollbacks, and lists the windows that rollbacks have
// condemned. The updates that Adam's bias correction counts are the steps less
// skipped, passed over and unseen ones. Invariant: a rollback takes all of this
// from the checkpoint except its own count, factor and list, which it never
// undoes. Tests: tests/unit/train/test_spikes.c, tests/fault/numeric_policy.sh.
#include "recovery_history.h"
#include <string.h>

seq_status seq_setbacks_create(seq_setbacks *setbacks, int window, seq_error *error) {
    seq_status status = seq_rolling_create(&setbacks->losses, window, error);
    if (!status) status = seq_rolling_create(&setbacks->norms, window, error);
    seq_setbacks_begin(setbacks);
    return status;
}

void seq_setbacks_clear(seq_setbacks *setbacks) {
    seq_rolling_clear(&setbacks->losses);
    seq_rolling_clear(&setbacks->norms);
}

void seq_setbacks_begin(seq_setbacks *setbacks) {
    setbacks->skipped = setbacks->rollbacks = setbacks->unseen = 0;
    setbacks->rate_factor = 1;
    setbacks->jump_count = 0;
    seq_rolling_empty(&setbacks->losses);
    seq_rolling_empty(&setbacks->norms);
}

void seq_setbacks_roll_back(seq_setbacks *setbacks, int64_t window, double factor) {
    setbacks->rollbacks++;
    setbacks->rate_factor *= factor;
    if (!seq_setbacks_jumps(setbacks, window) && setbacks->jump_count < SEQ_MAX_ROLLBACKS)
        setbacks->jumps[setbacks->jump_count++] = (double)window;
}

void seq_setbacks_keep(seq_setbacks *setbacks, const seq_setbacks *from) {
    setbacks->rollbacks = from->rollbacks;
    setbacks->rate_factor = from->rate_factor;
    setbacks->jump_count = from->jump_count;
    memcpy(setbacks->jumps, from->jumps, sizeof setbacks->jumps);
}

bool seq_setbacks_jumps(const seq_setbacks *setbacks, int64_t window) {
    for (int i = 0; i < setbacks->jump_count; i++)
        if (setbacks->jumps[i] == (double)window) return true;
    return false;
}

int64_t seq_setbacks_jumped(const seq_setbacks *setbacks, int64_t step) {
    int64_t jumped = 0;
    for (int i = 0; i < setbacks->jump_count; i++)
        jumped += setbacks->jumps[i] < (double)step;
    return jumped;
}

int64_t seq_setbacks_updates(const seq_setbacks *setbacks, int64_t step) {
    return step - setbacks->skipped - seq_setbacks_jumped(setbacks, step) - setbacks->unseen;
}

void seq_setbacks_forget_updates(seq_setbacks *setbacks, int64_t step) {
    setbacks->unseen += seq_setbacks_updates(setbacks, step);
}

seq_status seq_setbacks_write(const seq_setbacks *setbacks, seq_record *record, seq_error *error) {
    seq_status status = seq_record_set_integer(record, "skipped", setbacks->skipped, error);
    if (!status) status = seq_record_set_integer(record, "rollbacks", setbacks->rollbacks, error);
    if (!status && setbacks->unseen)
        status = seq_record_set_integer(record, "unseen", setbacks->unseen, error);
    if (!status) status = seq_record_set_real(record, "rate_factor", setbacks->rate_factor, error);
    if (!status)
        status =
            seq_record_set_reals(record, "jumps", setbacks->jumps, setbacks->jump_count, error);
    if (!status) status = seq_rolling_write(&setbacks->losses, record, "losses", error);
    return status ? status : seq_rolling_write(&setbacks->norms, record, "log_norms", error);
}

seq_status seq_setbacks_read(seq_setbacks *out, const seq_record *record, int64_t step,
                             seq_error *error) {
    seq_setbacks_begin(out);
    if (!record->count) return SEQ_OK;
    seq_status status = seq_record_get_integer(record, "skipped", 0, step, &out->skipped, error);
    if (!status)
        status = seq_record_get_integer(record, "rollbacks", 0, INT64_MAX, &out->rollbacks, error);
    if (!status && seq_record_text(record, "unseen"))
        status = seq_record_get_integer(record, "unseen", 0, step, &out->unseen, error);
    if (!status) status = seq_record_get_real(record, "rate_factor", &out->rate_factor, error);
    if (!status && !(out->rate_factor > 0 && out->rate_factor <= 1))
        status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                               "record: key rate_factor is %g, expected a number from 0 to 1",
                               out->rate_factor);
    if (!status)
        status = seq_record_get_reals(record, "jumps", out->jumps, SEQ_MAX_ROLLBACKS,
                                      &out->jump_count, error);
    if (!status) status = seq_rolling_read(&out->losses, record, "losses", error);
    return status ? status : seq_rolling_read(&out->norms, record, "log_norms", error);
}

// Counts skips and rollbacks, and lists the windows that rollbacks have
// excluded. The updates that Adam's bias correction counts are the steps less
// skipped, passed over and unseen ones. Invariant: a rollback takes all of this
// from the checkpoint except its own count, factor and list, which it never
// undoes. Tests: tests/unit/train/test_spikes.c, tests/fault/numeric_policy.sh.
#include "recovery_history.h"
#include <string.h>

seq_status seq_recovery_create(seq_recovery_history *history, int window, seq_error *error) {
    seq_status status = seq_rolling_create(&history->losses, window, error);
    if (!status) status = seq_rolling_create(&history->norms, window, error);
    seq_recovery_begin(history);
    return status;
}

void seq_recovery_clear(seq_recovery_history *history) {
    seq_rolling_clear(&history->losses);
    seq_rolling_clear(&history->norms);
}

void seq_recovery_begin(seq_recovery_history *history) {
    history->skipped = history->rollbacks = history->unseen = 0;
    history->rate_factor = 1;
    history->excluded_count = 0;
    seq_rolling_empty(&history->losses);
    seq_rolling_empty(&history->norms);
}

void seq_recovery_roll_back(seq_recovery_history *history, int64_t window, double factor) {
    history->rollbacks++;
    history->rate_factor *= factor;
    if (!seq_recovery_is_excluded(history, window) && history->excluded_count < SEQ_MAX_ROLLBACKS)
        history->excluded[history->excluded_count++] = (double)window;
}

void seq_recovery_keep(seq_recovery_history *history, const seq_recovery_history *from) {
    history->rollbacks = from->rollbacks;
    history->rate_factor = from->rate_factor;
    history->excluded_count = from->excluded_count;
    memcpy(history->excluded, from->excluded, sizeof history->excluded);
}

bool seq_recovery_is_excluded(const seq_recovery_history *history, int64_t window) {
    for (int i = 0; i < history->excluded_count; i++)
        if (history->excluded[i] == (double)window) return true;
    return false;
}

int64_t seq_recovery_excluded_before(const seq_recovery_history *history, int64_t step) {
    int64_t excluded = 0;
    for (int i = 0; i < history->excluded_count; i++)
        excluded += history->excluded[i] < (double)step;
    return excluded;
}

int64_t seq_recovery_updates(const seq_recovery_history *history, int64_t step) {
    return step - history->skipped - seq_recovery_excluded_before(history, step) - history->unseen;
}

void seq_recovery_forget_updates(seq_recovery_history *history, int64_t step) {
    history->unseen += seq_recovery_updates(history, step);
}

seq_status seq_recovery_write(const seq_recovery_history *history, seq_record *record,
                              seq_error *error) {
    seq_status status = seq_record_set_integer(record, "skipped", history->skipped, error);
    if (!status) status = seq_record_set_integer(record, "rollbacks", history->rollbacks, error);
    if (!status && history->unseen)
        status = seq_record_set_integer(record, "unseen", history->unseen, error);
    if (!status) status = seq_record_set_real(record, "rate_factor", history->rate_factor, error);
    if (!status)
        status = seq_record_set_reals(record, "jumps", history->excluded, history->excluded_count,
                                      error);
    if (!status) status = seq_rolling_write(&history->losses, record, "losses", error);
    return status ? status : seq_rolling_write(&history->norms, record, "log_norms", error);
}

seq_status seq_recovery_read(seq_recovery_history *out, const seq_record *record, int64_t step,
                             seq_error *error) {
    seq_recovery_begin(out);
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
        status = seq_record_get_reals(record, "jumps", out->excluded, SEQ_MAX_ROLLBACKS,
                                      &out->excluded_count, error);
    if (!status) status = seq_rolling_read(&out->losses, record, "losses", error);
    return status ? status : seq_rolling_read(&out->norms, record, "log_norms", error);
}

// What runs along to show that nothing went wrong unseen: what was read, whether ranks still agree.
#ifndef SEQ_TRAIN_VERIFY_H
#define SEQ_TRAIN_VERIFY_H

#include "trainer.h"

// audit.c. After each window of a replica that is trained; when position.window has changed without
// training, and after each step, with the sum over ranks of window_read.
// The running epoch was begun under another cut, or by a version without audit.
bool seq_train_audit_is_mixed(const seq_audit *audit);
void seq_train_audit_begin(seq_trainer *trainer);
void seq_train_audit_advance(seq_trainer *trainer, const seq_coverage *read);
// The same on every rank; collective when it fails: what was read so far is what was planned,
// otherwise SEQ_BAD_INPUT that names the rank. seq_train_audit_epoch also reports and ends an
// epoch.
seq_status seq_train_audit_check(seq_trainer *trainer, seq_error *error);
seq_status seq_train_audit_epoch(seq_trainer *trainer, seq_error *error);

// audit_record.c: the fields of the position from `windows` on.
seq_status seq_train_describe_audit(const seq_position *position, seq_record *record,
                                    seq_error *error);
seq_status seq_train_read_audit(const seq_record *record, seq_position *out, seq_error *error);

// replica_check.c: --check-replicas. Collective: compares parameters and optimiser state of all
// ranks when it is due, and always with `saving`. Where they differ, the caller finishes a pending
// checkpoint, which has passed the check and is good, and calls seq_train_tell_difference:
// collective, SEQ_RANK_FAILED names the ranks.
seq_status seq_train_check_create(seq_trainer *trainer, seq_error *error);
void seq_train_check_destroy(seq_trainer *trainer);
seq_status seq_train_check_replicas(seq_trainer *trainer, bool saving, bool *out_differ,
                                    seq_error *error);
seq_status seq_train_tell_difference(seq_trainer *trainer, seq_error *error);

// rank_agreement.c. Collective, agreed upon: the same comparison of ranks as
// seq_train_agree_to_start, when a checkpoint's record has filled in what was not given.
seq_status seq_train_compare_ranks(const seq_trainer *trainer, seq_error *error);

#endif

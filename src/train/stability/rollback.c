// Goes back to a checkpoint, or to the beginning where there is none yet. A
// pending checkpoint is finished first, since it may be the target. Invariant:
// the matrices are packed anew, so no pass computes with those of the spoilt
// course. Tests: tests/fault/rollback.sh, tests/fault/numeric_policy.sh.
#include "saving/saving.h"
#include "detect.h"
#include "verify/verify.h"
#include <string.h>

// There is no checkpoint yet: back to the beginning.
static seq_status restart(seq_trainer *trainer, seq_error *error) {
    if (seq_comm_node_rank(trainer->comm) == 0) {
        seq_state state;
        seq_train_state(trainer, &state);
        for (int i = 0; i < state.count; i++)
            memset(state.vectors[i].values, 0, state.vectors[i].count * sizeof(float));
    }
    trainer->saved_step = trainer->altered_step = -1;
    trainer->repartition = (seq_repartition){0};
    seq_status status = seq_trainer_initialise(trainer, error);
    seq_train_audit_begin(trainer);
    return status;
}

seq_status seq_train_go_back(seq_trainer *trainer, int64_t window, seq_error *error) {
    seq_manifest manifest = {0};
    int64_t step = -1;
    seq_status status = seq_train_finish_save(trainer, error);
    if (!status) status = seq_train_find_rollback_target(trainer, window, &manifest, &step, error);
    if (!status)
        status = step >= 0 ? seq_train_restore(trainer, &manifest, step, error)
                           : restart(trainer, error);
    seq_manifest_clear(&manifest);
    return status ? status : seq_trainer_pack(trainer, error);
}

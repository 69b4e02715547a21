// A model over the batches of a split, for all that seqeval does with one; and, of
// models that write texts, -ln p of each token, told one by one. Invariant: the
// tokens of an item are told in their order, so sums over an item do not depend
// on --batch. Tests: tests/cli/seqeval.sh, translate.sh, generate.sh.
#include "seqeval_private.h"
#include <seqtrain/base/cores.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/task/task.h>
#include <stdlib.h>

enum { ROWS = 8192 }; // of the axis of lengths in a batch, without --batch

seq_sampler_settings seq_eval_item_settings(const seq_eval_options *options) {
    return (seq_sampler_settings){.split = (seq_split)options->split,
                                  .replicas = 1,
                                  .count = 1,
                                  .batch = (int)options->batch,
                                  .batch_tokens = options->batch ? 0 : ROWS};
}

seq_status seq_eval_begin(seq_eval_pass *pass, const seq_loaded *loaded, seq_dataset *dataset,
                          const seq_sampler_settings *settings, seq_evaluator_config config,
                          seq_error *error) {
    *pass = (seq_eval_pass){.loaded = loaded};
    config.model = loaded->model;
    config.dataset = dataset;
    seq_status status =
        seq_sampler_create(loaded->task->sampler, dataset, settings, &pass->sampler, error);
    if (!status)
        status = seq_workspace_create(loaded->model, seq_sampler_limits(pass->sampler), 1,
                                      SEQ_USE_EVALUATION, &pass->workspace, error);
    if (status) return status;
    config.sampler = pass->sampler;
    return seq_evaluator_create(&config, &pass->evaluator, error);
}

seq_status seq_eval_step(seq_eval_pass *pass, int64_t step, seq_loss *loss, seq_error *error) {
    return seq_evaluator_step(pass->evaluator, pass->workspace, &pass->loaded->weights, step, 0,
                              loss, error);
}

void seq_eval_end(seq_eval_pass *pass) {
    seq_evaluator_destroy(pass->evaluator);
    seq_workspace_destroy(pass->workspace);
    seq_sampler_destroy(pass->sampler);
}

seq_status seq_eval_count_items(const seq_eval_options *options, const seq_dataset *dataset,
                                size_t *out, seq_error *error) {
    *out = (size_t)seq_dataset_items(dataset, (seq_split)options->split);
    if (*out) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "data set %s has no %s split",
                         seq_dataset_path(dataset), seq_split_name((seq_split)options->split));
}

static void tell_tokens(const seq_eval_pass *pass, seq_eval_token *token, void *context) {
    const seq_batch *batch = seq_evaluator_batch(pass->evaluator);
    const float *losses = seq_evaluator_row_losses(pass->evaluator);
    const seq_schema *schema = &pass->loaded->schema;
    const seq_axis *axis = &batch->axes[schema->fields[schema->target].axis];
    const int32_t *ids = batch->columns[schema->target].ids;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = axis->first_row[t] + (size_t)b;
            if (ids[row] != SEQ_NO_ID)
                token(context, (size_t)batch->axes[0].number[axis->of[b]], ids[row],
                      -(double)losses[row]);
        }
}

seq_status seq_eval_tokens(const seq_eval_options *options, const seq_loaded *loaded,
                           seq_dataset *dataset, seq_eval_token *token, void *context,
                           int64_t *out_correct, seq_error *error) {
    static const seq_metric *const none[] = {NULL};
    const seq_sampler_settings settings = seq_eval_item_settings(options);
    seq_eval_pass pass;
    seq_loss loss = {0};
    seq_status status = seq_dataset_normalise_as(dataset, &loaded->schema, error);
    if (status) return status;
    status = seq_eval_begin(&pass, loaded, dataset, &settings,
                            (seq_evaluator_config){.metrics = none, .of_row = true}, error);
    int64_t steps = status ? 0 : seq_sampler_steps(pass.sampler);
    for (int64_t step = 0; !status && step < steps; step++) {
        status = seq_eval_step(&pass, step, &loss, error);
        if (status) break;
        tell_tokens(&pass, token, context);
        seq_log_live(false, "%lld of %lld batches", (long long)step + 1, (long long)steps);
    }
    *out_correct = loss.correct;
    seq_eval_end(&pass);
    return status;
}

seq_status seq_eval_resample(const seq_statistic *statistics, size_t count, size_t items,
                             int resamples, int64_t seed, double *samples, seq_error *error) {
    int cores = seq_cores_usable();
    seq_team *team = NULL;
    seq_status status = seq_team_create(cores < 8 ? cores : 8, &team, error);
    if (!status)
        status = seq_bootstrap(statistics, count, items, resamples, (uint64_t)seed, team, samples,
                               error);
    seq_team_destroy(team);
    return status;
}

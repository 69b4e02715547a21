// Whole training steps of one rank: forward, backward, norm, clipping and
// update. Reports tokens a second, and the share of the machine's peak that the
// matrix products of the model alone make up. The embedding is updated by the
// rows of the window's tokens only, as in seqtrain.
#include "bench.h"
#include <seqtrain/base/random.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/model/model.h>
#include <stdlib.h>

typedef struct steps {
    bench_trainer trainer;
    seq_rectangle batch;
    float *state;
} steps;

static int32_t random_token(size_t place, int vocabulary) {
    uint32_t words[4];
    seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)place, 0, 0, words);
    return (int32_t)(words[0] % (uint32_t)vocabulary);
}

static void create_batch(seq_rectangle *out, const bench_model *model) {
    seq_error error = {0};
    size_t batch = (size_t)model->batch, rows = batch * (size_t)model->steps;
    if (seq_rectangle_create(model->batch, model->steps, out, &error)) bench_die(&error);
    seq_rectangle_shape(out, model->batch, model->steps, 0);
    for (size_t i = 0; i < rows; i++) {
        out->inputs[i] = random_token(i, model->vocabulary);
        out->targets[i] = random_token(i + batch, model->vocabulary);
    }
}

static void create(steps *out, const bench_model *model, seq_precision precision) {
    seq_error error = {0};
    seq_compute compute;
    if (seq_compute_find("auto", precision, NULL, &compute, &error)) bench_die(&error);
    const seq_limits limits = seq_rectangle_limits(model->batch, model->steps);
    bench_trainer_create(&out->trainer, bench_create_model(model, &compute), &limits, "sgd");
    create_batch(&out->batch, model);
    out->state =
        bench_allocate(seq_model_state_size(out->trainer.model, model->batch) * sizeof(float));
}

static void destroy(steps *steps) {
    bench_trainer_destroy(&steps->trainer);
    seq_rectangle_clear(&steps->batch);
    free(steps->state);
}

static void step(void *context) {
    steps *steps = context;
    const seq_batch *batch = &steps->batch.batch;
    bench_trainer_step(&steps->trainer, batch, 1.0 / (double)batch->axes[SEQ_LM_AXIS].rows,
                       steps->state);
}

static void measure(bench *bench, const bench_model *model, seq_precision precision) {
    char name[64], of[16];
    bench_precision peak = bench_precision_of(precision);
    steps steps;
    create(&steps, model, precision);
    bench_result result = bench_measure(bench, step, &steps, (double)model->batch * model->steps,
                                        seq_model_training_flops(steps.trainer.model), peak);
    snprintf(name, sizeof name, "%s %s, 1 rank 1 thread", model->name,
             seq_precision_names()[precision]);
    snprintf(of, sizeof of, "%s peak", bench_precision_name(peak));
    bench_report(
        bench, &(bench_row){"steps", name, "tokens/s", result.rate, result.share, of, result.runs});
    destroy(&steps);
}

void bench_steps(bench *bench) {
    for (const bench_model *model = bench_models; *model->name; model++)
        for (int precision = SEQ_FP32; precision <= SEQ_BF16; precision++) {
            bool emulated = precision == SEQ_BF16 && bench_peak_flops(BENCH_BF16) == 0;
            if (bench_wants(bench, model) && !emulated)
                measure(bench, model, (seq_precision)precision);
        }
}

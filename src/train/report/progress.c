// Counts steps, tokens and losses, and prints them: a live line at most five
// times a second, a plain line and an event each --log-every steps. Rates leave
// out the time of validations. Invariant: sums of a line begin anew after it,
// those of the session never. Test: tests/cli/seqtrain.sh.
#include "saving/saving.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <time.h>

static const double LIVE_INTERVAL = 0.2; // seconds between live lines

// Of all threads of this process.
static double processor_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

void seq_progress_begin(seq_trainer *trainer) {
    double now = seq_clock_seconds();
    trainer->progress =
        (seq_progress){.session_began = now, .line_began = now, .session_cpu = processor_seconds()};
    seq_phases_begin(trainer);
}

static void begin_line(seq_progress *progress, double now) {
    *progress = (seq_progress){.session_began = progress->session_began,
                               .session_cpu = progress->session_cpu,
                               .session_steps = progress->session_steps,
                               .session_updates = progress->session_updates,
                               .session_tokens = progress->session_tokens,
                               .session_clipped = progress->session_clipped,
                               .line_began = now,
                               .shown = progress->shown};
}

void seq_progress_restart(seq_trainer *trainer) {
    begin_line(&trainer->progress, seq_clock_seconds());
}

// Whether a loss is -ln p of the next token; in training label smoothing and others may change it.
static bool is_of_next_token(const seq_trainer *trainer, bool validated) {
    return trainer->task->next_token ||
           (validated && seq_schema_before_column(seq_dataset_schema(trainer->dataset)) >= 0);
}

// Of a language model "  bits/char 2.31" for characters and bytes, "  perplexity
// 118.2" for words and subwords; of a head with a blank "  blanks 93%", the share
// of frames.
static void describe_quality(const seq_trainer *trainer, bool validated, double loss,
                             int64_t blanks, int64_t frames, char *out, size_t size) {
    *out = '\0';
    if (frames) snprintf(out, size, "  blanks %.0f%%", 100.0 * (double)blanks / (double)frames);
    if (!is_of_next_token(trainer, validated)) return;
    seq_unit unit = seq_vocabulary_rules(seq_dataset_vocabulary(trainer->dataset))->unit;
    if (unit >= SEQ_UNIT_WORD)
        snprintf(out, size, "  perplexity %.2f", exp(loss));
    else
        snprintf(out, size, "  bits/%s %.3f",
                 unit == SEQ_UNIT_CHAR  ? "char"
                 : unit == SEQ_UNIT_ABC ? "symbol"
                                        : "byte",
                 loss / log(2.0));
}

void seq_describe_duration(double seconds, char *out, size_t size) {
    long long whole = seconds > 0 && seconds < 1e12 ? (long long)(seconds + 0.5) : 0;
    if (whole >= 86400)
        snprintf(out, size, "%lldd %02lld:%02lld", whole / 86400, whole / 3600 % 24,
                 whole / 60 % 60);
    else
        snprintf(out, size, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
}

static void print_line(const seq_trainer *trainer, const seq_step_result *result, double loss,
                       double rate, bool landmark) {
    const seq_progress *progress = &trainer->progress;
    char quality[40], left[40], update[60] = "";
    int64_t steps = trainer->total_steps - trainer->position.origin;
    double mean = (seq_clock_seconds() - progress->session_began) / (double)progress->session_steps;
    describe_quality(trainer, false, loss, progress->blanks, progress->frames, quality,
                     sizeof quality);
    seq_describe_duration(mean * (double)(trainer->total_steps - trainer->position.step), left,
                          sizeof left);
    if (!result->setback) // of the last step
        snprintf(update, sizeof update, "lr %.3g  |g| %.3g ", result->rate, result->norm);
    seq_log_live(landmark,
                 "epoch %lld/%lld  step %lld/%lld  loss %.4f%s  %sclipped %.0f%%  %.0f %ss/s  "
                 "%s left",
                 (long long)result->epoch,
                 (long long)((steps + trainer->windows - 1) / trainer->windows),
                 (long long)trainer->position.step, (long long)trainer->total_steps, loss, quality,
                 update, 100.0 * (double)progress->clipped / (double)progress->updates, rate,
                 trainer->task->unit, left);
}

enum { NAME = 64 };

// "tokens_per_second": a key of what is counted in the task's unit.
static const char *key_of(const seq_trainer *trainer, const char *suffix, char out[NAME]) {
    snprintf(out, NAME, "%ss%s", trainer->task->unit, suffix);
    return out;
}

static void write_loss(seq_trainer *trainer, bool validated, double loss, int64_t blanks,
                       int64_t frames) {
    seq_event_log *events = &trainer->events;
    seq_event_real(events, "loss", loss);
    if (frames) seq_event_real(events, "blanks", (double)blanks / (double)frames);
    if (!is_of_next_token(trainer, validated)) return;
    seq_event_real(events, "perplexity", exp(loss));
    seq_event_real(events, "bits_per_token", loss / log(2.0));
}

static void write_step(seq_trainer *trainer, const seq_step_result *result, double loss,
                       double rate, double seconds) {
    const seq_progress *progress = &trainer->progress;
    seq_event_log *events = &trainer->events;
    char name[NAME];
    seq_event_begin(events, "step");
    seq_event_integer(events, "step", trainer->position.step);
    seq_event_integer(events, "epoch", result->epoch);
    write_loss(trainer, false, loss, progress->blanks, progress->frames);
    if (!result->setback) { // of the last step
        seq_event_real(events, "learning_rate", result->rate);
        seq_event_real(events, "gradient_norm", result->norm);
    }
    seq_event_real(events, "clipped", (double)progress->clipped / (double)progress->updates);
    seq_event_integer(events, "clamped_elements", progress->clamped);
    seq_event_integer(events, key_of(trainer, "", name), progress->tokens);
    seq_event_real(events, key_of(trainer, "_per_second", name), rate);
    seq_event_real(events, "seconds", seconds);
    seq_event_real(events, "cpu_seconds", processor_seconds() - progress->session_cpu);
    seq_event_real(events, "exchange_seconds", seq_comm_seconds(trainer->comm));
    seq_event_end(events);
}

void seq_progress_step(seq_trainer *trainer, const seq_step_result *result) {
    seq_progress *progress = &trainer->progress;
    double now = seq_clock_seconds();
    progress->session_steps++;
    progress->session_updates += !result->setback;
    progress->session_tokens += result->tokens;
    progress->session_clipped += result->clipped;
    progress->updates += !result->setback;
    progress->nats += result->nats;
    progress->tokens += result->tokens;
    progress->frames += result->frames;
    progress->blanks += result->blanks;
    progress->clipped += result->clipped;
    progress->clamped += (int64_t)result->clamped;
    if (!progress->tokens) return; // nothing but setbacks so far
    double loss = progress->nats / (double)progress->tokens;
    double rate = (double)progress->tokens / (now - progress->line_began + 1e-9);
    bool landmark =
        trainer->position.step % trainer->options->log_every == 0 || seq_train_finished(trainer);
    if (landmark || now - progress->shown > LIVE_INTERVAL) {
        print_line(trainer, result, loss, rate, landmark);
        progress->shown = now;
    }
    if (!landmark) return;
    write_step(trainer, result, loss, rate, now - progress->session_began);
    begin_line(progress, now);
}

// Of the last step.
static long long epoch_of(const seq_position *position) {
    return (long long)(position->window ? position->epoch : position->epoch - 1);
}

static double share(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

enum { STATE = 2 * (24 + 8 * SEQ_MAX_RECURRENT) };

// By layer; NaN: not known.
typedef struct layer_shares {
    double saturated[SEQ_MAX_RECURRENT], idle[SEQ_MAX_RECURRENT];
    int count;
} layer_shares;

static layer_shares share_of(const seq_trainer *trainer, const seq_saturation *layers) {
    layer_shares out = {.count = seq_model_recurrent_layers(trainer->model)};
    for (int layer = 0; layer < out.count; layer++) {
        out.saturated[layer] = share(layers[layer].saturated, layers[layer].values);
        out.idle[layer] = share(layers[layer].idle, layers[layer].units);
    }
    return out;
}

// "saturated 1/80%  without gradient 0/31%", bottom layer first; -: not known.
static void describe_layers(const layer_shares *layers, char *out, size_t size) {
    const double *const shares[2] = {layers->saturated, layers->idle};
    static const char *const titles[2] = {"saturated", "without gradient"};
    size_t used = 0;
    for (int i = 0; i < 2; i++) {
        used += (size_t)snprintf(out + used, size - used, "  %s ", titles[i]);
        for (int layer = 0; layer < layers->count && used + 8 < size; layer++)
            used += isnan(shares[i][layer])
                        ? (size_t)snprintf(out + used, size - used, "%s-", layer ? "/" : "")
                        : (size_t)snprintf(out + used, size - used, "%s%.0f", layer ? "/" : "",
                                           100 * shares[i][layer]);
        used += (size_t)snprintf(out + used, size - used, "%%");
    }
}

static void write_layers(seq_event_log *events, const layer_shares *layers) {
    seq_event_reals(events, "saturated", layers->saturated, layers->count);
    seq_event_reals(events, "without_gradient", layers->idle, layers->count);
}

void seq_progress_saturation(seq_trainer *trainer, const seq_saturation *layers) {
    const seq_position *position = &trainer->position;
    const layer_shares shares = share_of(trainer, layers);
    char state[STATE];
    describe_layers(&shares, state, sizeof state);
    seq_log_info("layers at step %lld (epoch %lld):%s", (long long)position->step,
                 epoch_of(position), state);
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "saturation");
    seq_event_integer(events, "step", position->step);
    write_layers(events, &shares);
    seq_event_end(events);
}

// "  accuracy 0.8125  macro_f1 0.8012"; the share of right tokens where a task has no metric.
static void describe_measures(const seq_trainer *trainer, seq_loss total, char *out, size_t size) {
    const seq_metric *const *metrics = trainer->metrics;
    size_t used = 0;
    if (!metrics[0])
        snprintf(out, size, "  accuracy %.2f%%",
                 100.0 * (double)total.correct / (double)total.count);
    for (int i = 0; metrics[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "  %s %.4f", metrics[i]->name,
                                 trainer->measures[i]);
}

void seq_progress_validation(seq_trainer *trainer, seq_loss total, const seq_saturation *layers,
                             double seconds) {
    const seq_position *position = &trainer->position;
    const layer_shares shares = share_of(trainer, layers);
    char quality[40], measures[400], state[STATE], name[NAME];
    describe_quality(trainer, true, position->last_loss, total.blanks, total.frames, quality,
                     sizeof quality);
    describe_layers(&shares, state, sizeof state);
    bool best = position->best_step == position->step;
    describe_measures(trainer, total, measures, sizeof measures);
    seq_log_info("validation at step %lld (epoch %lld): loss %.4f%s%s%s  in %.1f s%s",
                 (long long)position->step, epoch_of(position), position->last_loss, quality,
                 measures, state, seconds, best ? "  (best)" : "");
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "validation");
    seq_event_integer(events, "step", position->step);
    write_loss(trainer, true, position->last_loss, total.blanks, total.frames);
    const seq_metric *const *metrics = trainer->metrics;
    for (int i = 0; metrics[i]; i++)
        seq_event_real(events, metrics[i]->name, trainer->measures[i]);
    if (!metrics[0])
        seq_event_real(events, "accuracy", (double)total.correct / (double)total.count);
    seq_event_integer(events, key_of(trainer, "", name), total.count);
    seq_event_real(events, "seconds", seconds);
    seq_event_integer(events, "best_step", position->best_step);
    write_layers(events, &shares);
    seq_event_end(events);
    trainer->progress.line_began += seconds; // not the training's time
}

void seq_progress_checkpoint(seq_trainer *trainer, const char *directory,
                             const seq_save_figures *figures) {
    double megabytes = (double)figures->bytes / 1e6, rate = megabytes / (figures->seconds + 1e-9);
    seq_log_info("checkpoint of step %lld: stood still %.3f s, written in %.2f s, %.1f MB, "
                 "%.0f MB/s",
                 (long long)figures->step, figures->stood_still, figures->seconds, megabytes, rate);
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "checkpoint");
    seq_event_integer(events, "step", figures->step);
    seq_event_text(events, "directory", directory);
    seq_event_real(events, "stand_still_seconds", figures->stood_still);
    seq_event_real(events, "write_seconds", figures->seconds);
    seq_event_integer(events, "bytes", (int64_t)figures->bytes);
    seq_event_real(events, "megabytes_per_second", rate);
    seq_event_end(events);
}

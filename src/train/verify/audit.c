// The data audit: proof that the ranks read disjoint parts and an epoch covers
// each token, or item, once. Every rank adds up what its windows were filled with. The
// sums of all travel with the report of a step and in the checkpoint; so a
// resumed epoch is proven as a whole, whoever read its parts. Tests:
// tests/fault/audit.sh, tests/fault/elastic.sh.
#include "verify.h"
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <unistd.h>

// A cut of one window an epoch begins again at window 0.
bool seq_train_audit_is_mixed(const seq_audit *audit) {
    return audit->carried_window > 0 || audit->carried.tokens > 0;
}

void seq_train_audit_begin(seq_trainer *trainer) {
    trainer->own_read = (seq_coverage){0};
    trainer->own_window = trainer->position.window;
}

void seq_train_audit_advance(seq_trainer *trainer, const seq_coverage *read) {
    seq_coverage_add(&trainer->own_read, &trainer->window_read);
    seq_coverage_add(&trainer->position.audit.read, read);
}

// What windows [from, to) of `count` replicas are to read.
static seq_coverage plan_of(const seq_trainer *trainer, int first, int count, int64_t from,
                            int64_t to) {
    seq_coverage plan = {0};
    for (int replica = first; replica < first + count; replica++) {
        seq_coverage own =
            seq_sampler_plan(trainer->sampler, trainer->position.epoch, from, to, replica);
        seq_coverage_add(&plan, &own);
    }
    return plan;
}

static void describe(const seq_trainer *trainer, const seq_coverage *read, const seq_coverage *plan,
                     char *out, size_t size) {
    snprintf(out, size, "%lld %ss with digest %016llx, planned were %lld with %016llx",
             (long long)read->tokens, trainer->task->sampler->unit,
             (unsigned long long)read->places, (long long)plan->tokens,
             (unsigned long long)plan->places);
}

// The rank that has read something else says so; a deviation may also be older than this session.
static seq_status report(seq_trainer *trainer, const seq_coverage *plan, seq_error *error) {
    const seq_position *position = &trainer->position;
    char host[64] = "", what[160];
    gethostname(host, sizeof host - 1);
    seq_coverage own = plan_of(trainer, trainer->first_replica, trainer->own_replicas,
                               trainer->own_window, position->window);
    if (!seq_coverage_same_places(&own, &trainer->own_read)) {
        describe(trainer, &trainer->own_read, &own, what, sizeof what);
        seq_error_set(error, SEQ_BAD_INPUT,
                      "data audit of epoch %lld at step %lld: on host %s it has not read its own "
                      "part of the data, each %s once: it read %s",
                      (long long)position->epoch, (long long)position->step, host,
                      trainer->task->sampler->unit, what);
    }
    if (seq_comm_agree(trainer->comm, error)) return error->status;
    describe(trainer, &position->audit.read, plan, what, sizeof what);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data audit of epoch %lld at step %lld: some %ss were read twice or "
                         "not at all before this session: the ranks read %s; continue from a "
                         "checkpoint of an earlier epoch",
                         (long long)position->epoch, (long long)position->step,
                         trainer->task->sampler->unit, what);
}

seq_status seq_train_audit_check(seq_trainer *trainer, seq_error *error) {
    const seq_audit *audit = &trainer->position.audit;
    seq_coverage plan =
        plan_of(trainer, 0, trainer->replicas, audit->carried_window, trainer->position.window);
    seq_coverage_add(&plan, &audit->carried);
    return seq_coverage_same_places(&audit->read, &plan) ? SEQ_OK : report(trainer, &plan, error);
}

// Other places of another cut have other contents, so only whole epochs of one cut compare.
static seq_status check_content(seq_trainer *trainer, seq_error *error) {
    seq_audit *audit = &trainer->position.audit;
    if (audit->content && audit->content != audit->read.content)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data audit of epoch %lld: the training split of %s does not hold the "
                             "%ss of the epoch before: digest %016llx, it was %016llx",
                             (long long)trainer->position.epoch, seq_dataset_path(trainer->dataset),
                             trainer->task->sampler->unit, (unsigned long long)audit->read.content,
                             (unsigned long long)audit->content);
    audit->content = audit->read.content;
    return SEQ_OK;
}

static void print(const seq_trainer *trainer, int64_t left_out, bool mixed) {
    const char *unit = trainer->task->sampler->unit;
    const seq_position *position = &trainer->position;
    const seq_coverage *read = &position->audit.read;
    char rest[120] = "";
    if (left_out)
        snprintf(rest, sizeof rest, "; the last %lld of the split fill no stream and are left out",
                 (long long)left_out);
    if (mixed && position->audit.carried.tokens == 0)
        seq_log_info("audit    epoch %lld was begun by a version without audit: from its window "
                     "%lld on %lld %ss were read as planned (digest %016llx)",
                     (long long)position->epoch, (long long)position->audit.carried_window + 1,
                     (long long)read->tokens, unit, (unsigned long long)read->places);
    else if (mixed)
        seq_log_info("audit    epoch %lld is mixed, its %s were cut anew at step %lld: %lld "
                     "%ss were read as planned (digest %016llx)",
                     (long long)position->epoch, trainer->task->sampler->name,
                     (long long)position->repartition_step, (long long)read->tokens, unit,
                     (unsigned long long)read->places);
    else
        seq_log_info("audit    epoch %lld: each of %lld %ss was read once (digest %016llx, "
                     "contents %016llx)%s",
                     (long long)position->epoch, (long long)read->tokens, unit,
                     (unsigned long long)read->places, (unsigned long long)read->content, rest);
}

static void write_metrics(seq_trainer *trainer, int64_t left_out, bool mixed) {
    const seq_position *position = &trainer->position;
    const seq_coverage *read = &position->audit.read;
    seq_event_log *events = &trainer->events;
    char digest[20], content[20], verdict[40], count[20];
    snprintf(verdict, sizeof verdict, "each %s once", trainer->task->sampler->unit);
    snprintf(count, sizeof count, "%ss", trainer->task->sampler->unit);
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)read->places);
    snprintf(content, sizeof content, "%016llx", (unsigned long long)read->content);
    seq_event_begin(events, "audit");
    seq_event_integer(events, "epoch", position->epoch);
    seq_event_integer(events, "step", position->step);
    seq_event_integer(events, count, read->tokens);
    seq_event_integer(events, "left_out", left_out);
    seq_event_text(events, "digest", digest);
    seq_event_text(events, "content", content);
    seq_event_text(events, "verdict", mixed ? "mixed" : verdict);
    seq_event_end(events);
}

seq_status seq_train_audit_epoch(seq_trainer *trainer, seq_error *error) {
    seq_audit *audit = &trainer->position.audit;
    bool mixed = seq_train_audit_is_mixed(audit);
    int64_t left_out = seq_sampler_units(trainer->sampler) -
                       plan_of(trainer, 0, trainer->replicas, 0, trainer->windows).tokens;
    seq_status status = seq_train_audit_check(trainer, error);
    if (!status && !mixed) status = check_content(trainer, error);
    if (status) return status;
    print(trainer, left_out, mixed);
    write_metrics(trainer, left_out, mixed);
    audit->read = audit->carried = (seq_coverage){0};
    audit->carried_window = 0;
    return SEQ_OK;
}

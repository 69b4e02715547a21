// Documents -> numbers of units, by a crew: each worker cuts a block of text, and their outcomes
// are committed in order, so the stream is the same for any number of workers. Tests:
// tests/unit/prep/test_text_blocks.c, tests/cli/seqprep.sh.
#include "ordered_pipeline.h"
#include "interner.h"
#include "prepare_private.h"
#include "text_blocks.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/cores.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

// A thread's: a block of text, what makes units of it, and these.
typedef struct worker {
    seq_text_block block;
    seq_tokenizer *tokenizer; // of the block's first part when that goes on with one begun before
    seq_interner interner;
    seq_string_table types; // this worker's own, when there are several
    uint32_t *map; // their numbers in the stream's types, as far as they have been committed
    size_t mapped, map_capacity;
    bool late; // the first part ends a document: whether with <eos>, the blocks before say
} worker;

typedef struct reading {
    seq_unit_stream *stream;
    const seq_text_rules *rules;
    seq_text_blocks input;
    worker *workers;
    int worker_count;
    int last; // the worker that fetched last
    // At the end of what is committed.
    seq_text_ends ends; // of the document that is not finished there
    int64_t shown;      // bytes, when progress was shown
} reading;

seq_status seq_units_begin(seq_unit_stream *stream, const seq_prepare *prepare,
                           const char *directory, seq_error *error) {
    *stream =
        (seq_unit_stream){.threads = prepare->threads,
                          .packing = {.stopped = prepare->stopped,
                                      .as_is = prepare->as_is,
                                      .memory = prepare->memory ? prepare->memory : UINT64_MAX}};
    if (stream->threads < 1) stream->threads = seq_cores_usable();
    return seq_id_spool_begin(&stream->file, directory, error);
}

void seq_units_end(seq_unit_stream *stream) {
    seq_id_spool_end(&stream->file);
    seq_string_table_clear(&stream->types);
    free(stream->covered);
    free(stream->notes);
}

seq_status seq_units_check_stopped(const seq_unit_stream *stream, seq_error *error) {
    if (!stream->packing.stopped || !stream->packing.stopped()) return SEQ_OK;
    return seq_error_set(error, SEQ_STOPPED, "interrupted: nothing was written");
}

// The text of the block before could be cut nowhere: its tokenizer goes on.
static void take_over_tokenizer(reading *reading, seq_ordered_pipeline *crew, worker *worker) {
    struct worker *before = &reading->workers[reading->last];
    seq_tokenizer *tokenizer = before->tokenizer;
    seq_ordered_pipeline_await(crew);
    before->tokenizer = worker->tokenizer;
    worker->tokenizer = tokenizer;
}

static seq_status fetch(void *context, seq_ordered_pipeline *crew, int number, bool *out_any,
                        seq_error *error) {
    reading *reading = context;
    worker *worker = &reading->workers[number];
    if (seq_units_check_stopped(reading->stream, error)) return error->status;
    if (reading->input.torn) take_over_tokenizer(reading, crew, worker);
    reading->last = number;
    seq_status status = seq_text_blocks_fetch(&reading->input, &worker->block, error);
    *out_any = worker->block.part_count > 0;
    return status;
}

static seq_status end_part(const reading *reading, worker *worker, seq_error *error) {
    seq_status status = seq_tokenizer_flush(worker->tokenizer, error);
    seq_text_ends ends = seq_tokenizer_ends(worker->tokenizer);
    if (status || ends.whole || ends.any)
        return status ? status : seq_tokenizer_end(worker->tokenizer, error);
    worker->late = reading->rules->eos != SEQ_EOS_NONE;
    return SEQ_OK;
}

static seq_status work(void *context, int number, seq_error *error) {
    reading *reading = context;
    worker *worker = &reading->workers[number];
    const seq_text_block *block = &worker->block;
    const char *text = block->bytes;
    seq_status status = SEQ_OK;
    seq_tokenizer_redirect(worker->tokenizer, block->parts->place.name, &worker->interner);
    seq_interner_restart(&worker->interner);
    worker->late = false;
    for (size_t i = 0; !status && i < block->part_count; text += block->parts[i++].size) {
        const seq_text_part *part = &block->parts[i];
        if (i > 0 || !block->resumes) seq_tokenizer_begin(worker->tokenizer, part->place);
        status = seq_tokenizer_feed(worker->tokenizer, text, part->size, error);
        if (!status && part->ends)
            status = end_part(reading, worker, error);
        else if (!status && !block->torn)
            status = seq_tokenizer_flush(worker->tokenizer, error);
    }
    return status ? status : seq_interner_finish(&worker->interner, error);
}

// Gives the stream's types those that are new, and the block's units the stream's numbers.
static seq_status merge_types(seq_string_table *types, worker *worker, seq_error *error) {
    const seq_string_table *own = &worker->types;
    seq_status status = seq_grow(&worker->map, &worker->map_capacity, own->count,
                                 sizeof *worker->map, "the numbers of types", error);
    for (; !status && worker->mapped < own->count; worker->mapped++) {
        size_t number = 0;
        status = seq_string_table_add(types, seq_string_table_text(own, worker->mapped),
                                      own->items[worker->mapped].size, &number, error);
        worker->map[worker->mapped] = (uint32_t)number;
    }
    uint32_t *units = worker->interner.units;
    for (size_t i = 0; !status && i < worker->interner.count; i++)
        units[i] = worker->map[units[i]];
    return status;
}

static bool is_covered(seq_unit_stream *stream, uint32_t number) {
    unsigned char *known = &stream->covered[number];
    if (!*known) {
        int id = seq_vocabulary_find(stream->cover, seq_string_table_text(&stream->types, number),
                                     stream->types.items[number].size);
        *known = id == SEQ_NO_ID ? 2 : 1;
    }
    return *known == 1;
}

// Appends to the stream what is covered; `units` is spoilt.
static seq_status append_units(seq_unit_stream *stream, uint32_t *units, size_t count,
                               seq_error *error) {
    if (!stream->cover) return seq_id_spool_append(&stream->file, units, count, error);
    size_t known = stream->covered_count, types = stream->types.count, left = 0;
    if (types > known) {
        seq_status status = seq_grow(&stream->covered, &stream->covered_capacity, types, 1,
                                     "the types that are covered", error);
        if (status) return status;
        memset(stream->covered + known, 0, types - known);
        stream->covered_count = types;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = units[i];
        units[left] = number;
        if (is_covered(stream, number))
            left++;
        else
            stream->types.items[number].count--;
    }
    stream->missing += (int64_t)(count - left);
    return seq_id_spool_append(&stream->file, units, left, error);
}

static seq_status append_late_end(seq_unit_stream *stream, seq_error *error) {
    size_t number = 0;
    seq_status status =
        seq_string_table_add(&stream->types, seq_eos_text, strlen(seq_eos_text), &number, error);
    if (status) return status;
    uint32_t unit = (uint32_t)number;
    stream->types.items[number].count++;
    return append_units(stream, &unit, 1, error);
}

static void note_ends(reading *reading, const worker *worker) {
    if (worker->block.parts[worker->block.part_count - 1].ends) return;
    seq_text_ends ends = seq_tokenizer_ends(worker->tokenizer);
    if (ends.whole || ends.any) reading->ends = ends;
}

static void show_progress(reading *reading, const seq_text_block *block) {
    enum { STEP = 4 << 20 };
    const seq_unit_stream *stream = reading->stream;
    if (stream->bytes < reading->shown) return;
    reading->shown = stream->bytes + STEP;
    seq_log_live(false, "reading %s: %.1f MB, %lld units, %zu distinct",
                 block->parts[block->part_count - 1].place.name, (double)stream->bytes / 1e6,
                 (long long)stream->file.count, stream->types.count);
}

static seq_status commit(void *context, int number, seq_error *error) {
    reading *reading = context;
    worker *worker = &reading->workers[number];
    seq_unit_stream *stream = reading->stream;
    seq_status status = SEQ_OK;
    if (worker->late && seq_text_wants_end(reading->rules, reading->ends))
        status = append_late_end(stream, error);
    if (!status && reading->worker_count > 1) status = merge_types(&stream->types, worker, error);
    if (!status)
        status = append_units(stream, worker->interner.units, worker->interner.count, error);
    for (size_t i = 0; i < worker->block.part_count; i++)
        stream->bytes += (int64_t)worker->block.parts[i].size;
    note_ends(reading, worker);
    show_progress(reading, &worker->block);
    return status;
}

static seq_status begin_workers(reading *reading, seq_error *error) {
    seq_unit unit = reading->rules->unit == SEQ_UNIT_SUBWORD ? SEQ_UNIT_WORD : reading->rules->unit;
    seq_status status = seq_allocate(&reading->workers, (size_t)reading->worker_count,
                                     sizeof *reading->workers, "the workers", error);
    for (int i = 0; !status && i < reading->worker_count; i++) {
        worker *worker = &reading->workers[i];
        seq_string_table *types =
            reading->worker_count > 1 ? &worker->types : &reading->stream->types;
        status = seq_text_block_begin(&worker->block, error);
        if (!status) status = seq_interner_begin(&worker->interner, unit, types, error);
        if (!status)
            status = seq_tokenizer_create(reading->rules, seq_interner_take, &worker->interner,
                                          &worker->tokenizer, error);
    }
    return status;
}

static void end_workers(reading *reading) {
    for (int i = 0; reading->workers && i < reading->worker_count; i++) {
        worker *worker = &reading->workers[i];
        seq_text_block_end(&worker->block);
        seq_tokenizer_destroy(worker->tokenizer);
        seq_interner_end(&worker->interner);
        seq_string_table_clear(&worker->types);
        free(worker->map);
    }
    free(reading->workers);
}

static void collect(reading *reading) {
    seq_unit_stream *stream = reading->stream;
    stream->documents += reading->input.documents;
    for (int i = 0; i < reading->worker_count; i++) {
        const worker *worker = &reading->workers[i];
        const seq_text_counts *counts = seq_tokenizer_counts(worker->tokenizer);
        stream->counts.line_feeds += counts->line_feeds;
        stream->counts.crlf += counts->crlf;
        stream->counts.carriages += counts->carriages;
        stream->counts.next_lines += counts->next_lines;
        stream->counts.replaced += counts->replaced;
        stream->counts.long_words += counts->long_words;
        stream->counts.marks += counts->marks;
        for (size_t number = 0; number < worker->mapped; number++)
            stream->types.items[worker->map[number]].count += worker->types.items[number].count;
    }
}

seq_status seq_units_read(seq_unit_stream *stream, const seq_text_rules *rules,
                          const char *const *paths, size_t count, seq_error *error) {
    reading reading = {.stream = stream, .rules = rules, .worker_count = stream->threads};
    const seq_ordered_pipeline_job job = {fetch, work, commit, &reading};
    seq_status status =
        seq_text_blocks_begin(&reading.input, rules, &stream->packing, paths, count, error);
    if (!status) status = begin_workers(&reading, error);
    if (!status) status = seq_ordered_pipeline_run(stream->threads, &job, error);
    if (!status) collect(&reading);
    end_workers(&reading);
    seq_text_blocks_end(&reading.input);
    return status;
}

seq_status seq_units_visit(const seq_unit_stream *stream, seq_unit_range range, seq_piece_sink take,
                           void *context, seq_error *error) {
    enum { PIECE = 1 << 14 };
    uint32_t numbers[PIECE];
    for (int64_t at = range.begin; at < range.end;) {
        size_t wanted = range.end - at < PIECE ? (size_t)(range.end - at) : PIECE;
        seq_status status = seq_id_spool_read(&stream->file, at, wanted, numbers, error);
        if (!status) status = seq_units_check_stopped(stream, error);
        if (!status) status = take(context, numbers, wanted, error);
        if (status) return status;
        at += (int64_t)wanted;
    }
    return SEQ_OK;
}

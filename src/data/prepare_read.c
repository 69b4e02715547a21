#include "prepare_private.h"
#include "source.h"
#include "tokenizer.h"
#include <seqtrain/base/log.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

seq_status seq_units_begin(seq_unit_stream *stream, const char *directory, bool (*stopped)(void),
                           seq_error *error) {
    *stream = (seq_unit_stream){.stopped = stopped};
    seq_status status = seq_path_join(stream->path, directory, "units.tmp", error);
    if (status) return status;
    stream->file = fopen(stream->path, "w+be");
    return stream->file ? SEQ_OK : seq_error_set_errno(error, "creating %s", stream->path);
}

void seq_units_end(seq_unit_stream *stream) {
    if (stream->file) fclose(stream->file);
    if (*stream->path) unlink(stream->path);
    seq_types_clear(&stream->types);
    stream->file = NULL;
}

static seq_status take_unit(void *context, const char *text, size_t size, seq_error *error) {
    seq_unit_stream *stream = context;
    size_t number = 0;
    seq_status status = seq_types_add(&stream->types, text, size, &number, error);
    if (status) return status;
    uint32_t stored = (uint32_t)number;
    if (fwrite(&stored, sizeof stored, 1, stream->file) != 1)
        return seq_error_set_errno(error, "writing %s", stream->path);
    stream->count++;
    return SEQ_OK;
}

static seq_status check_stopped(const seq_unit_stream *stream, seq_error *error) {
    if (!stream->stopped || !stream->stopped()) return SEQ_OK;
    return seq_error_set(error, SEQ_STOPPED, "interrupted: nothing was written");
}

static void show_progress(const seq_unit_stream *stream, const char *path) {
    seq_log_live(false, "reading %s: %.1f MB, %lld units, %zu distinct", path,
                 (double)stream->bytes / 1e6, (long long)stream->count, stream->types.count);
}

static seq_status feed(seq_unit_stream *stream, seq_tokenizer *tokenizer, seq_source *source,
                       const char *path, seq_error *error) {
    char piece[PIECE];
    for (int64_t pieces = 0;; pieces++) {
        size_t size;
        seq_status status = seq_source_read(source, piece, sizeof piece, &size, error);
        if (check_stopped(stream, error)) return error->status;
        if (status || size == 0) return status;
        status = seq_tokenizer_feed(tokenizer, piece, size, error);
        if (status) return status;
        stream->bytes += (int64_t)size;
        if (pieces % 64 == 0) show_progress(stream, path);
    }
}

static seq_status read_document(seq_unit_stream *stream, const seq_text_rules *rules,
                                const char *path, seq_error *error) {
    seq_source *source = NULL;
    seq_tokenizer *tokenizer = NULL;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    seq_status status = seq_tokenizer_create(rules, take_unit, stream, &tokenizer, error);
    if (!status) status = seq_source_open(path, stream->stopped, &source, error);
    if (!status) {
        seq_tokenizer_begin(tokenizer, name);
        status = feed(stream, tokenizer, source, name, error);
    }
    if (!status) status = seq_tokenizer_end(tokenizer, true, error);
    if (!status) {
        stream->documents++;
        stream->replaced += seq_tokenizer_replaced(tokenizer);
    }
    seq_source_close(source);
    seq_tokenizer_destroy(tokenizer);
    return status;
}

static seq_status read_folder(seq_unit_stream *stream, const seq_text_rules *rules,
                              const char *path, seq_error *error) {
    char **names = NULL;
    size_t count = 0;
    seq_status status = seq_directory_list(path, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        char inside[SEQ_PATH];
        if (names[i][0] == '.') // hidden
            continue;
        status = seq_path_join(inside, path, names[i], error);
        if (!status) status = seq_units_read(stream, rules, inside, error);
    }
    seq_names_free(names, count);
    return status;
}

seq_status seq_units_read(seq_unit_stream *stream, const seq_text_rules *rules, const char *path,
                          seq_error *error) {
    if (strcmp(path, "-") != 0 && seq_path_is_directory(path))
        return read_folder(stream, rules, path, error);
    return read_document(stream, rules, path, error);
}

seq_status seq_units_visit(const seq_unit_stream *stream, seq_range range, seq_piece_sink take,
                           void *context, seq_error *error) {
    uint32_t numbers[PIECE];
    if (fflush(stream->file)) return seq_error_set_errno(error, "writing %s", stream->path);
    if (fseeko(stream->file, (off_t)range.begin * (off_t)sizeof *numbers, SEEK_SET))
        return seq_error_set_errno(error, "reading %s", stream->path);
    for (int64_t at = range.begin; at < range.end;) {
        size_t wanted = range.end - at < PIECE ? (size_t)(range.end - at) : PIECE;
        if (fread(numbers, sizeof *numbers, wanted, stream->file) != wanted)
            return seq_error_set(error, SEQ_IO, "reading %s: it is shorter than it was",
                                 stream->path);
        seq_status status = check_stopped(stream, error);
        if (!status) status = take(context, numbers, wanted, error);
        if (status) return status;
        at += (int64_t)wanted;
    }
    return SEQ_OK;
}

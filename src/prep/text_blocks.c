// Fills blocks of 256 KB from the documents, cut where a tokenizer may begin
// anew; the bytes behind the cut open the next block. Text without such a place
// is cut anywhere, and the block is marked as torn. Invariant: each part
// carries its document, line and offset, so a message has the right place on
// any thread. Tests: tests/unit/prep/test_text_blocks.c, tests/fuzz/fuzz_corpus.c.
#include "text_blocks.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

seq_status seq_text_block_begin(seq_text_block *block, seq_error *error) {
    return seq_allocate(&block->bytes, SEQ_TEXT_BLOCK, 1, "a block of text", error);
}

static void clear_parts(seq_text_block *block) {
    for (size_t i = 0; i < block->part_count; i++)
        free((char *)block->parts[i].place.name);
    block->part_count = 0;
}

void seq_text_block_end(seq_text_block *block) {
    clear_parts(block);
    free(block->bytes);
    block->bytes = NULL;
}

seq_status seq_text_blocks_begin(seq_text_blocks *input, const seq_text_rules *rules,
                                 const seq_byte_reader_rules *packing, const char *const *paths,
                                 size_t count, seq_error *error) {
    *input = (seq_text_blocks){.rules = rules, .packing = *packing};
    input->packing.text = rules->unit != SEQ_UNIT_BYTE;
    seq_documents_begin(&input->paths, paths, count);
    return seq_allocate(&input->rest, SEQ_TEXT_BLOCK, 1, "a block of text", error);
}

static void close_document(seq_text_blocks *input) {
    seq_byte_reader_close(input->source);
    free(input->name);
    input->source = NULL;
    input->name = NULL;
}

void seq_text_blocks_end(seq_text_blocks *input) {
    close_document(input);
    seq_documents_end(&input->paths);
    free(input->rest);
    input->rest = NULL;
}

// Leaves `source` NULL when there are no more.
static seq_status open_document(seq_text_blocks *input, seq_error *error) {
    seq_status status = seq_documents_next(&input->paths, &input->name, error);
    if (status || !input->name) return status;
    bool standard = strcmp(input->name, "-") == 0;
    input->place = (seq_text_place){.name = standard ? "standard input" : input->name, .line = 1};
    input->carriage = false;
    return seq_byte_reader_open(input->name, &input->packing, &input->source, error);
}

static seq_status add_part(seq_text_blocks *input, seq_text_block *block, const char *bytes,
                           size_t size, bool ends, seq_error *error) {
    char *name = NULL;
    size_t name_size = strlen(input->place.name) + 1;
    seq_status status = seq_allocate(&name, name_size, 1, "the name of an input", error);
    if (status) return status;
    memcpy(name, input->place.name, name_size);
    seq_text_part *part = &block->parts[block->part_count++];
    *part = (seq_text_part){.size = size, .place = input->place, .ends = ends};
    part->place.name = name;
    if (size) {
        input->place.line += seq_count_lines(bytes, size) - (input->carriage && *bytes == '\n');
        input->carriage = bytes[size - 1] == '\r';
    }
    input->place.offset += (int64_t)size;
    input->place.inside = true;
    return SEQ_OK;
}

static seq_status fill(seq_text_blocks *input, char *bytes, size_t capacity, size_t *out_size,
                       bool *out_end, seq_error *error) {
    size_t size = input->rest_size, got;
    memcpy(bytes, input->rest, size);
    input->rest_size = 0;
    seq_status status = SEQ_OK;
    for (*out_end = false; !status && !*out_end && size < capacity; size += got) {
        status = seq_byte_reader_read(input->source, bytes + size, capacity - size, &got, error);
        *out_end = !status && got == 0;
    }
    *out_size = size;
    return status;
}

// The bytes of the document that is open, `used` of the block being taken. *out_full: the block is.
static seq_status fetch_part(seq_text_blocks *input, seq_text_block *block, size_t *used,
                             bool *out_full, seq_error *error) {
    char *bytes = block->bytes + *used;
    size_t size, cut;
    bool end;
    seq_status status = fill(input, bytes, SEQ_TEXT_BLOCK - *used, &size, &end, error);
    if (status || end) {
        seq_error own = {0};
        cut = size;
        block->torn = !end; // what is incomplete is not invalid
        if (add_part(input, block, bytes, size, end, &own) && !status)
            status = seq_error_set(error, own.status, "%s", own.text);
        input->documents += end;
        close_document(input);
    } else {
        cut = seq_text_cut(input->rules, bytes, size);
        input->torn = block->torn = cut == 0 && block->part_count == 0;
        if (block->torn) cut = size;
        if (cut) status = add_part(input, block, bytes, cut, false, error);
        input->rest_size = size - cut;
        memcpy(input->rest, bytes + cut, size - cut);
        *out_full = true;
    }
    *used += cut;
    return status;
}

seq_status seq_text_blocks_fetch(seq_text_blocks *input, seq_text_block *block, seq_error *error) {
    size_t used = 0;
    bool full = false;
    seq_status status = SEQ_OK;
    clear_parts(block);
    block->resumes = input->torn;
    block->torn = input->torn = false;
    while (!status && !full && used <= SEQ_TEXT_BLOCK / 2 && block->part_count < SEQ_TEXT_PARTS) {
        if (!input->source) status = open_document(input, error);
        if (status || !input->source) break;
        status = fetch_part(input, block, &used, &full, error);
    }
    return status;
}

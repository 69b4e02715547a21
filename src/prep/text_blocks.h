// Documents -> blocks of text: as many bytes as a block holds, cut where the parts before and
// behind may be tokenized apart, whenever the text allows.
#ifndef SEQ_PREP_TEXT_BLOCKS_H
#define SEQ_PREP_TEXT_BLOCKS_H

#include "documents.h"
#include "byte_reader.h"
#include <seqtrain/data/tokenizer.h>

enum { SEQ_TEXT_BLOCK = 1 << 18, SEQ_TEXT_PARTS = 64 }; // bytes, documents at most

typedef struct seq_text_part {
    size_t size;
    seq_text_place place; // its name is the part's own
    bool ends;            // the document
} seq_text_part;

// Zero-initialise before use.
typedef struct seq_text_block {
    char *bytes; // of its parts, one after another
    seq_text_part parts[SEQ_TEXT_PARTS];
    size_t part_count;
    bool resumes; // its first part goes on with a tokenizer that was not flushed
    bool torn;    // its last part could be cut nowhere: the next block resumes
} seq_text_block;

seq_status seq_text_block_begin(seq_text_block *block, seq_error *error);
void seq_text_block_end(seq_text_block *block);

// Zero-initialise before use.
typedef struct seq_text_blocks {
    const seq_text_rules *rules;   // the caller's
    seq_byte_reader_rules packing; // how bytes are made of files
    seq_documents paths;
    seq_byte_reader *source; // of the document that is being read
    char *name;
    seq_text_place place; // of the next byte
    char *rest;           // what was read of it and belongs to the next block
    size_t rest_size;
    bool torn;         // the last block was
    bool carriage;     // the last byte of it was CR
    int64_t documents; // read to their ends
} seq_text_blocks;

seq_status seq_text_blocks_begin(seq_text_blocks *input, const seq_text_rules *rules,
                                 const seq_byte_reader_rules *packing, const char *const *paths,
                                 size_t count, seq_error *error);
// `text` of `packing` is set by the unit. A block of no parts is the end. After a failure the block
// holds what was read before.
seq_status seq_text_blocks_fetch(seq_text_blocks *input, seq_text_block *block, seq_error *error);
void seq_text_blocks_end(seq_text_blocks *input);

#endif

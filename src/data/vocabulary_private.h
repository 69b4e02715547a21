// The vocabulary's inside, for the files of this layer.
#ifndef SEQ_DATA_VOCABULARY_PRIVATE_H
#define SEQ_DATA_VOCABULARY_PRIVATE_H

#include <seqtrain/data/string_table.h>
#include <seqtrain/data/subword.h>
#include <seqtrain/data/vocabulary_builder.h>

struct seq_vocabulary {
    seq_text_rules rules;
    seq_string_table types; // id = number
    int unk, eos;           // SEQ_NO_ID: none
    seq_subword *subword;   // NULL: none
};

#endif

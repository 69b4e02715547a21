// --init-from: which parameters of another model are taken, under which names,
// and how their values come over.
#ifndef SEQ_TRAIN_TRANSFER_H
#define SEQ_TRAIN_TRANSFER_H

#include <seqtrain/data/schema.h>
#include <seqtrain/data/vocabulary.h>
#include <seqtrain/model/parameters.h>

enum { SEQ_SOURCES = 16, SEQ_SOURCE_PARTS = 64 };

// "PATH[:PART,...][@RATE]". A part is FROM=TO, FROM= or NAME; a path whose last
// name holds a colon or an @ ends with /.
typedef struct seq_source {
    char *path;
    char *parts; // "" : all parameters under their names
    double rate; // factor of the learning rate of what is taken; 0: frozen
} seq_source;

typedef struct seq_sources {
    int count;
    seq_source items[SEQ_SOURCES];
} seq_sources;

// Sources separated by semicolons. SEQ_BAD_USAGE says what is wrong. Release
// with seq_sources_clear, after a failure, too.
seq_status seq_sources_parse(const char *text, seq_sources *out, seq_error *error);
void seq_sources_clear(seq_sources *sources);
// The rate as "@X", "" where it is 1.
void seq_source_print_rate(double rate, char out[40]);

// What parameter `name` is called here. A part names whole steps of a name
// ("rnn", "output.bias"), or the end of one when it begins with _ ("_l0"). Each
// FROM=TO is put in once, one part after the other, and NAME takes the parameter
// as it is; what none of these names is left out. FROM= leaves out what it
// names; where there are no other parts, all else is taken. Returns false: not taken. Bit i of
// *used is set where part i of `parts` has named something.
bool seq_source_rename(const char *parts, const char *name, char out[SEQ_PARAMETER_NAME],
                       uint64_t *used);
// Part number `index`; false: there are fewer.
bool seq_source_part(const char *parts, int index, char out[2 * SEQ_PARAMETER_NAME]);

// A model with what its rows mean.
typedef struct seq_meaning {
    const seq_parameter_table *table;
    const seq_schema *schema;
    const seq_vocabulary *const *vocabularies; // by the schema's index
} seq_meaning;

typedef struct seq_transfer {
    bool by_symbol;         // rows were matched through both vocabularies; then:
    size_t rows, matched;   // of the parameter here
    int64_t covered, total; // tokens of the training part here: of words that were matched, all
} seq_transfer;

// The values of parameter `from` of another model (a row of its table, its flat
// vector) become those of parameter `to`. Rows that stand for entries of a
// vocabulary are matched by symbol, others stay as they are; all other shapes
// must be equal, and what depends on a list of words or labels as a whole needs
// the same list. SEQ_BAD_USAGE: they do not fit, or are words on one side and
// labels on the other.
seq_status seq_transfer_parameter(const seq_meaning *there, int from, const float *values,
                                  const seq_meaning *here, int to, float *parameters,
                                  seq_transfer *out, seq_error *error);

#endif

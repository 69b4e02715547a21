// What seqprep tells of its inputs besides the counts: line ends of different kinds, no <eos> in
// the training part, BOMs that stay in the text, and what was left out or replaced on request. Each
// is a warning; what changed the text is also in summary.txt. Test: tests/cli/seqprep_text.sh.
#include "prepare_private.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <string.h>

static void tell_line_ends(const seq_prepare *prepare, const seq_text_counts *counts) {
    const int64_t kinds[] = {counts->line_feeds - counts->crlf, counts->crlf, counts->carriages,
                             counts->next_lines};
    int different = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        different += kinds[i] > 0;
    if (prepare->rules.unit == SEQ_UNIT_BYTE && counts->carriages)
        seq_log_warning("%lld CR stand without LF: for --unit byte, LF alone ends a line",
                        (long long)counts->carriages);
    else if (prepare->rules.unit != SEQ_UNIT_BYTE && different > 1)
        seq_log_warning("lines end in different ways: %lld LF, %lld CRLF, %lld CR, %lld NEL; each "
                        "is one line end",
                        (long long)kinds[0], (long long)kinds[1], (long long)kinds[2],
                        (long long)kinds[3]);
}

static void tell_ends(const seq_prepare *prepare, const seq_text_counts *counts,
                      const seq_string_table *types, const seq_vocabulary *vocabulary) {
    size_t number = seq_string_table_find(types, seq_eos_text, strlen(seq_eos_text));
    if (prepare->rules.eos == SEQ_EOS_NONE) return;
    if (number != SIZE_MAX && seq_vocabulary_eos(vocabulary) == SEQ_NO_ID)
        seq_log_warning("--vocab %s has no <eos>: its place is taken by <unk> or, with --missing "
                        "drop, nothing",
                        prepare->vocabulary_from);
    if (number != SIZE_MAX && types->items[number].count > 0) return;
    if (prepare->rules.eos == SEQ_EOS_DOCUMENT)
        seq_log_warning("<eos> does not occur in the training part: no document ends in it");
    else
        seq_log_warning("<eos> does not occur in the training part: no line ends in it (in all "
                        "inputs: %lld LF, %lld CRLF, %lld CR, %lld NEL)",
                        (long long)(counts->line_feeds - counts->crlf), (long long)counts->crlf,
                        (long long)counts->carriages, (long long)counts->next_lines);
}

static void tell_marks(const seq_prepare *prepare, int64_t marks) {
    if (marks && prepare->rules.unit == SEQ_UNIT_BYTE)
        seq_log_warning("%lld documents begin with a BOM, which --unit byte keeps as three bytes",
                        (long long)marks);
    else if (marks)
        seq_log_warning("%lld BOMs (U+FEFF) stand at the beginning of a line inside a document and "
                        "stay: were files joined? Give them one by one",
                        (long long)marks);
}

static void note_changes(const seq_prepare *prepare, const seq_unit_stream *stream, FILE *notes) {
    if (stream->counts.long_words)
        fprintf(notes, "%lld words of more than 64 KB %s\n", (long long)stream->counts.long_words,
                prepare->rules.long_words == SEQ_LONG_UNK ? "became <unk>" : "were left out");
    if (stream->missing)
        fprintf(notes, "%lld units that --vocab %s lacks were left out\n",
                (long long)stream->missing, prepare->vocabulary_from);
}

seq_status seq_prepare_notes(const seq_prepare *prepare, seq_unit_stream *stream,
                             const seq_vocabulary *vocabulary, seq_error *error) {
    size_t size = 0;
    tell_line_ends(prepare, &stream->counts);
    tell_ends(prepare, &stream->counts, &stream->types, vocabulary);
    tell_marks(prepare, stream->counts.marks);
    FILE *notes = open_memstream(&stream->notes, &size);
    if (notes) note_changes(prepare, stream, notes);
    if (seq_memory_stream_close(notes, &stream->notes, error, "describing the inputs"))
        return error->status;
    for (const char *at = stream->notes; *at;) {
        int length = (int)strcspn(at, "\n");
        seq_log_warning("%.*s", length, at);
        at += length + 1;
    }
    return SEQ_OK;
}

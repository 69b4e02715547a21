// Rules and layout of transcripts. Invariant: a transcript that is trimmed twice
// stays as it is, so a cutter sees the same bytes wherever they came from. Test:
// tests/unit/data/test_transcript.c.
#include <seqtrain/data/transcript.h>

const char seq_blank_text[] = "<blank>";

seq_text_rules seq_transcript_rules(seq_unit unit) {
    return (seq_text_rules){.unit = unit, .nfc = true};
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

size_t seq_transcript_trim(const char *text, size_t size, char *out) {
    size_t used = 0;
    bool pending = false;
    for (size_t i = 0; i < size; i++) {
        if (is_blank(text[i])) {
            pending = used > 0;
            continue;
        }
        if (pending) out[used++] = ' ';
        pending = false;
        out[used++] = text[i];
    }
    return used;
}

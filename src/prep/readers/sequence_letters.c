// IUPAC nucleotide codes (Cornish-Bowden, Nucleic Acids Research 13, 1985):
// R = A or G, Y = C or T, S = C or G, W = A or T, K = G or T, M = A or C,
// B = not A, D = not C, H = not G, V = not T, N = any. The complement of a set
// is the set of the complements. Invariant: applied twice it gives the letter
// back, U of RNA included. Tests: tests/unit/prep/test_sequence_letters.c.
#include "sequence_letters.h"
#include <ctype.h>
#include <string.h>

static const char codes[] = "ACGTUNRYSWKMBDHV-.", complements[] = "TGCAANYRSWMKVHDB-.";

int seq_is_sequence_letter(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '*' ||
           byte == '-' || byte == '.';
}

char seq_complement(char nucleotide, int rna) {
    char upper = (char)toupper((unsigned char)nucleotide);
    const char *at = upper ? strchr(codes, upper) : NULL;
    if (!at) return 0;
    char other = rna && upper == 'A' ? 'U' : complements[at - codes];
    return upper == nucleotide ? other : (char)tolower((unsigned char)other);
}

size_t seq_not_nucleotide(const char *letters, size_t size) {
    size_t at = 0;
    while (at < size && seq_complement(letters[at], 0))
        at++;
    return at;
}

static int holds(const char *letters, size_t size, char letter) {
    return memchr(letters, letter, size) || memchr(letters, tolower((unsigned char)letter), size);
}

void seq_reverse_complement(char *letters, size_t size) {
    int rna = holds(letters, size, 'U') && !holds(letters, size, 'T');
    for (size_t i = 0; i < size - i; i++) {
        char head = letters[i], tail = letters[size - 1 - i];
        letters[i] = seq_complement(tail, rna);
        letters[size - 1 - i] = seq_complement(head, rna);
    }
}

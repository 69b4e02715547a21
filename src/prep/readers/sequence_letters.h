// Letters of nucleotides and proteins.
#ifndef SEQ_PREP_SEQUENCE_LETTERS_H
#define SEQ_PREP_SEQUENCE_LETTERS_H

#include <stddef.h>

// Of a sequence in FASTA form: letters, '*' (stop), '-' and '.' (gaps).
int seq_is_sequence_letter(char byte);
// The complement of an IUPAC nucleotide, in the same case; 0 for any other byte.
// U pairs with A and A with T (with `rna`: with U); gaps stay.
char seq_complement(char nucleotide, int rna);
// The first byte that is no IUPAC nucleotide, or `size`.
size_t seq_not_nucleotide(const char *letters, size_t size);
// In place. All letters must be nucleotides. A sequence that holds U and no T is RNA.
void seq_reverse_complement(char *letters, size_t size);

#endif

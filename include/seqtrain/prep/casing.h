// How a word is written: a feature that stands beside words in lower case
// (Collobert et al. 2011). Upper and lower are Unicode's categories Lu and Lt,
// and Ll; digits are Nd, punctuation is P.
#ifndef SEQTRAIN_PREP_CASING_H
#define SEQTRAIN_PREP_CASING_H

#include <stddef.h>

// In the order of their ids, NULL at the end. The first that holds counts:
//   digits       digits alone              digits-in  some digits
//   punctuation  punctuation alone         lower      no letter is upper
//   upper        no letter is lower        title      the first letter alone is upper
//   mixed        other letters of two cases
//   other        no letter has a case
extern const char *const seq_casings[];
// One of them. The text need not be UTF-8: other bytes have no class.
const char *seq_casing(const char *text, size_t size);

#endif

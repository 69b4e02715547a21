// ln p of a label sequence over all its alignments, by the forward sum in logarithms.
#ifndef SEQ_TESTS_CTC_FORWARD_H
#define SEQ_TESTS_CTC_FORWARD_H

#include <seqtrain/infer/beam.h>
#include <seqtrain/nn/softmax.h>

enum { FORWARD_MOST = 64 }; // labels

static inline double ctc_forward(const float *log_probabilities, int frames, int symbols,
                                 const int32_t *labels, int count) {
    double blank[FORWARD_MOST + 1], label[FORWARD_MOST + 1]; // of the first u labels
    for (int u = 0; u <= count; u++)
        blank[u] = label[u] = -INFINITY;
    blank[0] = 0;
    for (int t = 0; t < frames; t++) {
        const float *frame = log_probabilities + t * symbols;
        for (int u = count; u >= 0; u--) {
            double stays = seq_log_add(blank[u], label[u]);
            if (u) {
                bool again = u > 1 && labels[u - 1] == labels[u - 2];
                double reach = again ? blank[u - 1] : seq_log_add(blank[u - 1], label[u - 1]);
                label[u] = seq_log_add(label[u], reach) + (double)frame[labels[u - 1]];
            }
            blank[u] = stays + (double)frame[0];
        }
    }
    return seq_log_add(blank[count], label[count]);
}

#endif

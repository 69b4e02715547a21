#include <seqtrain/optim/optimizer.h>

double seq_clip_factor(double norm, double limit) {
    return limit > 0 && norm > limit ? limit / norm : 1;
}

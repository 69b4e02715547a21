// Clipping by norm (Pascanu et al. 2013): the factor that scales a gradient
// down to the limit, never up. Test: tests/golden/test_optimizers.c.
#include <seqtrain/optim/optimizer.h>

double seq_clip_factor(double norm, double limit) {
    return limit > 0 && norm > limit ? limit / norm : 1;
}

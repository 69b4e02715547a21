// Counts saturated cell values and units without gradient in a layer's tape.
//
// Forward leaves tanh(c<t>) in the tape (h<t> for cells without memory);
// backward leaves dL/d(pre-activation) in `gates`. One pass over either, no
// memory of its own. The counts do not depend on how rows are cut into windows
// and ranks, but for the threshold of idle units, which belongs to a window.
// Test: tests/unit/model/test_saturation.c.
#include <seqtrain/nn/saturation.h>
#include <math.h>
#include <string.h>

static const float SATURATED = 0.999f, IDLE = 1e-6f; // of the layer's mean

void seq_saturation_add_values(seq_saturation *sum, const seq_recurrent *layer,
                               const seq_tape *tape, int sequences, size_t rows) {
    size_t hidden = (size_t)layer->hidden, count = rows * hidden;
    const float *squashed =
        layer->cell->memory ? tape->auxiliary : tape->hidden + (size_t)sequences * hidden;
    for (size_t row = 0; row < count; row += hidden) {
        int saturated = 0; // narrow, so that the loop is one of vectors
        for (size_t i = row; i < row + hidden; i++)
            saturated += fabsf(squashed[i]) > SATURATED;
        sum->saturated += saturated;
    }
    sum->values += (int64_t)count;
}

void seq_saturation_add_carried(seq_saturation *sum, const seq_recurrent *layer,
                                const float *values, size_t count) {
    float limit = layer->cell->memory ? atanhf(SATURATED) : SATURATED;
    for (size_t i = 0; i < count; i++)
        sum->saturated += fabsf(values[i]) > limit;
    sum->values += (int64_t)count;
}

// The largest |gradient| of each unit, over rows and all gates but the output gate.
static void find_largest(const seq_recurrent *layer, const float *gates, size_t rows,
                         float *largest) {
    size_t hidden = (size_t)layer->hidden, all = hidden * (size_t)layer->cell->gates;
    memset(largest, 0, hidden * sizeof *largest);
    for (size_t row = 0; row < rows; row++)
        for (int gate = 0; gate < layer->cell->gates; gate++) {
            const float *values = gates + row * all + (size_t)gate * hidden;
            if (gate == layer->cell->output_gate) continue;
            for (size_t j = 0; j < hidden; j++)
                largest[j] = fabsf(values[j]) > largest[j] ? fabsf(values[j]) : largest[j];
        }
}

void seq_saturation_add_units(seq_saturation *sum, const seq_recurrent *layer, const seq_tape *tape,
                              size_t rows, float *scratch) {
    double mean = 0;
    find_largest(layer, tape->gates, rows, scratch);
    for (int j = 0; j < layer->hidden; j++)
        mean += (double)scratch[j] / layer->hidden;
    for (int j = 0; j < layer->hidden; j++)
        sum->idle += scratch[j] <= IDLE * (float)mean;
    sum->units += layer->hidden;
}

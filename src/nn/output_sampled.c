// sampled: the words of `full`, but a window of training sees only its targets
// and words that were drawn for it. They are drawn without replacement by
// Zipf's law for words in order of frequency, p(w) = ln((w + 2) / (w + 1)) /
// ln(V + 1). With Q the probability that w is drawn, ln Q(w) is taken off the
// logits; so the gradient's expectation leads to the full softmax (Bengio and
// Senecal 2003; Jean et al. 2015). Evaluation is exact, in blocks of words.
// Test: tests/unit/model/test_output.c.
#include "outputs.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/nn/embedding.h>
#include <string.h>

enum { BLOCK_ROWS = 4096 }; // of evaluation, at most

static seq_status check(const seq_output_shape *shape, seq_error *error) {
    if (shape->samples >= 1) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--samples: %d: at least 1", shape->samples);
}

// From half of the vocabulary on, drawing without replacement would take long: all words are taken.
static bool takes_all(const seq_output_shape *shape) {
    return shape->samples > shape->vocabulary / 2;
}

static size_t most_words(const seq_output_shape *shape, size_t rows) {
    size_t vocabulary = (size_t)shape->vocabulary, most = (size_t)shape->samples + rows;
    return takes_all(shape) || most > vocabulary ? vocabulary : most;
}

static int list(const seq_output_shape *shape, seq_output_part *parts) {
    double share = takes_all(shape) ? 1 : (double)shape->samples / shape->vocabulary;
    return seq_output_list_words(shape, share, parts);
}

static double probability(const seq_output_shape *shape, int word) {
    return log1p(1.0 / (word + 1)) / log1p(shape->vocabulary);
}

// ln(1 - p) of a word that is not drawn in one try.
static double log_missed(const seq_output_shape *shape, int word) {
    return log1p(-probability(shape, word));
}

// Tries T with sum over words of Q = 1 - (1 - p)^T equal to `samples`: the sum is concave in T, so
// Newton's steps from below stay below.
static double count_tries(const seq_output_shape *shape) {
    double tries = shape->samples, step = tries;
    while (step > 1e-9 * tries) {
        double drawn = 0, slope = 0;
        for (int word = 0; word < shape->vocabulary; word++) {
            double missed = log_missed(shape, word), still = exp(tries * missed);
            drawn += 1 - still;
            slope -= still * missed;
        }
        step = (shape->samples - drawn) / slope;
        tries += step;
    }
    return tries;
}

static void take_training(seq_output *output, seq_arena *arena) {
    size_t most = most_words(&output->shape, output->rows), units = (size_t)output->shape.units;
    output->softmax = (seq_softmax){.compute = output->compute, .columns = most, .units = units};
    seq_softmax_take(&output->softmax, output->rows, true, arena);
    output->sampled.words = seq_arena_take(arena, most, sizeof(int32_t));
    output->sampled.column =
        seq_arena_take(arena, (size_t)output->shape.vocabulary, sizeof(int32_t));
    output->sampled.weights = SEQ_ARENA_FLOATS(arena, most * units);
    output->sampled.bias = SEQ_ARENA_FLOATS(arena, most);
    output->sampled.d_bias = SEQ_ARENA_FLOATS(arena, most);
    output->sampled.forward =
        seq_arena_take(arena, 1, seq_compute_packed_bytes(output->compute, most, units));
    output->sampled.backward =
        seq_arena_take(arena, 1, seq_compute_packed_bytes(output->compute, units, most));
    if (arena->base && !takes_all(&output->shape))
        output->sampled.tries = count_tries(&output->shape);
}

static void take(seq_output *output, bool training, seq_arena *arena) {
    size_t rows = output->rows < BLOCK_ROWS ? output->rows : BLOCK_ROWS,
           panel = output->compute->kernels->panel_columns(),
           panels = ((size_t)output->shape.vocabulary + panel - 1) / panel,
           most = SEQ_CHUNK_LOGITS / rows / panel;
    seq_softmax *block = &output->sampled.block;
    *block = (seq_softmax){.compute = output->compute,
                           .columns = (panels < most ? panels : most) * panel,
                           .units = (size_t)output->shape.units};
    seq_softmax_take(block, rows, false, arena);
    output->sampled.block_rows = rows;
    output->sampled.packed_block = seq_arena_take(
        arena, 1, seq_compute_packed_bytes(output->compute, block->columns, block->units));
    output->sampled.log_sum = seq_arena_take(arena, rows, sizeof(double));
    output->sampled.targets = seq_arena_take(arena, output->rows, sizeof(int32_t));
    output->found = seq_arena_take(arena, 2 * rows, sizeof *output->found);
    if (training) take_training(output, arena);
}

static void add_word(seq_output *output, int32_t word) {
    if (output->sampled.column[word]) return;
    output->sampled.words[output->sampled.count++] = word;
    output->sampled.column[word] = (int32_t)output->sampled.count;
}

static int32_t word_at(const seq_output_shape *shape, double unit) {
    int32_t word = (int32_t)exp(unit * log1p(shape->vocabulary)) - 1;
    return word < shape->vocabulary ? word : shape->vocabulary - 1;
}

static void draw_words(seq_output *output, const seq_output_rows *rows) {
    seq_random_key key = {rows->seed, SEQ_RANDOM_CANDIDATES};
    size_t wanted = (size_t)output->shape.samples;
    for (uint32_t draw = 0; output->sampled.count < wanted; draw++) {
        uint32_t words[4];
        seq_random_words(key, draw, rows->step, rows->first_stream, words);
        for (int i = 0; i < 4 && output->sampled.count < wanted; i += 2)
            add_word(output,
                     word_at(&output->shape, seq_random_unit_double(words[i], words[i + 1])));
    }
}

static void choose(seq_output *output, const seq_output_rows *rows) {
    output->sampled.count = 0;
    if (takes_all(&output->shape))
        for (int32_t word = 0; word < output->shape.vocabulary; word++)
            add_word(output, word);
    else
        draw_words(output, rows);
    output->sampled.drawn = output->sampled.count;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->targets[i] >= 0) add_word(output, rows->targets[i]);
        output->sampled.targets[i] =
            rows->targets[i] < 0 ? -1 : output->sampled.column[rows->targets[i]] - 1;
    }
    for (size_t i = 0; i < output->sampled.count; i++)
        output->sampled.column[output->sampled.words[i]] = 0;
}

static double log_drawn(const seq_output *output, int word) {
    if (takes_all(&output->shape)) return 0;
    return log(-expm1(output->sampled.tries * log_missed(&output->shape, word)));
}

static void gather(seq_output *output, const seq_output_rows *rows) {
    size_t units = (size_t)output->shape.units, count = output->sampled.count;
    float *weights = output->sampled.weights;
    seq_embedding_forward(rows->weights[0].values, units, output->sampled.words, count, weights);
    for (size_t i = 0; i < count; i++) {
        int32_t word = output->sampled.words[i];
        output->sampled.bias[i] = rows->weights[1].values[word] - (float)log_drawn(output, word);
    }
    seq_compute_pack(output->compute, SEQ_TRANSPOSED, count, units, weights, units,
                     output->sampled.forward);
    seq_compute_pack(output->compute, SEQ_PLAIN, units, count, weights, units,
                     output->sampled.backward);
}

static void scatter(const seq_output *output, const seq_output_rows *rows) {
    size_t units = (size_t)output->shape.units;
    for (size_t i = 0; i < output->sampled.count; i++) {
        size_t word = (size_t)output->sampled.words[i];
        memcpy(rows->gradients[0] + word * units, output->sampled.weights + i * units,
               units * sizeof(float));
        rows->gradients[1][word] = output->sampled.d_bias[i];
    }
}

// A row counts the drawn words and its own target.
static seq_loss train(seq_output *output, const seq_output_rows *rows) {
    choose(output, rows);
    gather(output, rows);
    seq_softmax softmax = output->softmax;
    softmax.columns = output->sampled.count;
    softmax.shared = output->sampled.drawn;
    seq_softmax_weights weights = {output->sampled.forward, output->sampled.backward,
                                   output->sampled.bias};
    seq_loss loss =
        seq_softmax_train(&softmax, &weights, rows->count, rows->x, output->sampled.targets,
                          rows->scale, rows->dx, output->sampled.weights, output->sampled.d_bias);
    scatter(output, rows);
    return loss;
}

// Words first .. first + count - 1 as a layer of their own.
typedef struct block {
    seq_softmax softmax;
    seq_softmax_weights weights;
    int32_t first, count;
} block;

static block block_at(const seq_output *output, const seq_output_weights *weights, int32_t first) {
    size_t units = (size_t)output->shape.units, left = (size_t)(output->shape.vocabulary - first);
    block block = {.softmax = output->sampled.block, .first = first};
    if (block.softmax.columns > left) block.softmax.columns = left;
    block.count = (int32_t)block.softmax.columns;
    block.weights.bias = weights[1].values + first;
    if (weights[0].forward)
        block.weights.forward = (const char *)weights[0].forward +
                                seq_compute_packed_bytes(output->compute, (size_t)first, units);
    else {
        seq_compute_pack(output->compute, SEQ_TRANSPOSED, block.softmax.columns, units,
                         weights[0].values + (size_t)first * units, units,
                         output->sampled.packed_block);
        block.weights.forward = output->sampled.packed_block;
    }
    return block;
}

static double add_logs(double a, double b) {
    return a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b));
}

// What a block says about the rows, into what the words before it said.
static void merge(const seq_output *output, const block *block, size_t rows,
                  const seq_softmax_row *found) {
    for (size_t i = 0; i < rows; i++) {
        seq_softmax_row *total = &output->found[i];
        if (output->sampled.targets[i] >= 0) total->target = found[i].target;
        if (block->first == 0 || found[i].best > total->best) {
            total->best = found[i].best;
            total->best_column = block->first + found[i].best_column;
        }
        output->sampled.log_sum[i] = block->first
                                         ? add_logs(output->sampled.log_sum[i], found[i].log_sum)
                                         : found[i].log_sum;
    }
}

static seq_loss evaluate_rows(const seq_output *output, const seq_output_rows *rows) {
    seq_softmax_row *found = output->found + output->sampled.block_rows;
    for (int32_t first = 0; first < output->shape.vocabulary;) {
        block block = block_at(output, rows->weights, first);
        for (size_t i = 0; i < rows->count; i++) {
            int32_t column = rows->targets[i] - first;
            output->sampled.targets[i] = column < block.count && column >= 0 ? column : -1;
        }
        seq_softmax_survey(&block.softmax, &block.weights, rows->count, rows->x,
                           output->sampled.targets, block.softmax.columns, NULL, found);
        merge(output, &block, rows->count, found);
        first += block.count;
    }
    for (size_t i = 0; i < rows->count; i++)
        output->found[i].log_sum = (float)output->sampled.log_sum[i];
    return seq_output_sum(rows, output->found);
}

static seq_loss evaluate(const seq_output *output, const seq_output_rows *rows) {
    seq_loss loss = {0};
    size_t most = output->sampled.block_rows, units = (size_t)output->shape.units;
    for (size_t start = 0; start < rows->count; start += most) {
        seq_output_rows part = *rows;
        part.count = rows->count - start < most ? rows->count - start : most;
        part.x += start * units;
        part.targets += start;
        part.log_probabilities += rows->log_probabilities ? start : 0;
        seq_loss found = evaluate_rows(output, &part);
        loss.sum += found.sum;
        loss.count += found.count;
        loss.correct += found.correct;
    }
    return loss;
}

static void logits(const seq_output *output, const seq_output_rows *rows, float *logits) {
    for (int32_t first = 0; first < output->shape.vocabulary;) {
        block block = block_at(output, rows->weights, first);
        seq_softmax_logits(&block.softmax, &block.weights, rows->count, rows->x, logits + first,
                           (size_t)output->shape.vocabulary);
        first += block.count;
    }
}

const seq_output_kind seq_output_sampled = {.name = "sampled",
                                            .ties = true,
                                            .packs_to_train = false,
                                            .check = check,
                                            .list = list,
                                            .take = take,
                                            .choose = choose,
                                            .train = train,
                                            .evaluate = evaluate,
                                            .logits = logits};

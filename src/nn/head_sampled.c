// sampled: the words of `full`, but a window of training sees only its targets
// and words that were drawn for it. They are drawn without replacement by
// Zipf's law for words in order of frequency, p(w) = ln((w + 2) / (w + 1)) /
// ln(V + 1). With Q the probability that w is drawn, ln Q(w) is taken off the
// logits; so the gradient's expectation leads to the full softmax (Bengio and
// Senecal 2003; Jean et al. 2015). Evaluation is exact, in blocks of words.
// Test: tests/unit/model/test_output.c.
#include "heads.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/nn/embedding.h>
#include <string.h>

enum { BLOCK_ROWS = 4096 }; // of evaluation, at most

typedef struct memory {
    double tries;          // draws that give `samples` different words, on average
    size_t most;           // words of a batch
    seq_softmax softmax;   // training: a batch's words
    int32_t *column;       // (V): a word's place among the batch's + 1, or 0
    float *weights, *bias; // of the words: (., W), then their gradient; (.), less ln Q
    float *d_bias;
    void *forward, *backward;
    seq_softmax block;  // evaluation: some words at once,
    size_t block_rows;  // for so many rows
    void *packed_block; // (W, words of a block)
    double *log_sum;    // (block_rows)
    int32_t *targets;   // (block_rows): columns of the block
    seq_softmax_row *found;
} memory;

// What is drawn for a batch, or follows from its targets.
typedef struct drawn {
    size_t count;      // of words
    size_t drawn;      // of them the first; then targets that were not drawn
    int32_t numbers[]; // the words, each once: (most); columns instead of targets: (N)
} drawn;

static int samples_of(const seq_node *node) {
    return ((const seq_words_options *)node->options)->samples;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    if (samples_of(node) < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "--samples: %d: at least 1", samples_of(node));
    return seq_head_word_shape(node, out, error);
}

// From half of the vocabulary on, drawing without replacement would take long: all words are taken.
static bool takes_all(const seq_node *node) {
    return (size_t)samples_of(node) > seq_head_words(node) / 2;
}

static size_t most_words(const seq_node *node, size_t rows) {
    size_t words = seq_head_words(node), most = (size_t)samples_of(node) + rows;
    return takes_all(node) || most > words ? words : most;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    int words = (int)seq_head_words(node), units = (int)seq_head_units(node);
    seq_parameter_need *weight = seq_list_parameter(list, "weight", words, units, 1 / sqrt(units));
    weight->sparse = true;
    weight->vocabulary = node->input_shapes[1].vocabulary;
    weight->share = takes_all(node) ? 1 : (double)samples_of(node) / words;
    seq_parameter_need *bias = seq_list_parameter(list, "bias", words, 0, 0);
    bias->sparse = true;
    bias->vocabulary = weight->vocabulary;
    seq_packed_need forward = seq_whole_matrix(list, 0, false);
    forward.use = SEQ_PACKED_EVALUATE; // training packs the batch's words itself
    seq_list_packed(list, forward);
}

static double probability(const seq_node *node, int word) {
    return log1p(1.0 / (word + 1)) / log1p((double)seq_head_words(node));
}

// ln(1 - p) of a word that is not drawn in one try.
static double log_missed(const seq_node *node, int word) {
    return log1p(-probability(node, word));
}

// Tries T with sum over words of Q = 1 - (1 - p)^T equal to `samples`: the sum is concave in T, so
// Newton's steps from below stay below.
static double count_tries(const seq_node *node) {
    double tries = samples_of(node), step = tries;
    while (step > 1e-9 * tries) {
        double drawn = 0, slope = 0;
        for (int word = 0; word < (int)seq_head_words(node); word++) {
            double missed = log_missed(node, word), still = exp(tries * missed);
            drawn += 1 - still;
            slope -= still * missed;
        }
        step = (samples_of(node) - drawn) / slope;
        tries += step;
    }
    return tries;
}

static void plan_training(const seq_node *node, memory *memory, size_t rows, seq_arena *kept,
                          seq_arena *scratch) {
    size_t most = memory->most, units = seq_head_units(node);
    memory->softmax = (seq_softmax){.compute = node->compute, .columns = most, .units = units};
    seq_softmax_take(&memory->softmax, rows, true, scratch);
    memory->column = seq_arena_take(kept, seq_head_words(node), sizeof(int32_t));
    memory->weights = SEQ_ARENA_FLOATS(scratch, most * units);
    memory->bias = SEQ_ARENA_FLOATS(scratch, most);
    memory->d_bias = SEQ_ARENA_FLOATS(scratch, most);
    memory->forward =
        seq_arena_take(scratch, 1, seq_compute_packed_bytes(node->compute, most, units));
    memory->backward =
        seq_arena_take(scratch, 1, seq_compute_packed_bytes(node->compute, units, most));
    if (kept->base && !takes_all(node)) memory->tries = count_tries(node);
}

static void plan_evaluation(const seq_node *node, memory *memory, size_t all, seq_arena *scratch) {
    size_t rows = all < BLOCK_ROWS ? all : BLOCK_ROWS,
           panel = node->compute->kernels->panel_columns(),
           panels = (seq_head_words(node) + panel - 1) / panel,
           most = SEQ_CHUNK_LOGITS / rows / panel;
    seq_softmax *block = &memory->block;
    *block = (seq_softmax){.compute = node->compute,
                           .columns = (panels < most ? panels : most) * panel,
                           .units = seq_head_units(node)};
    seq_softmax_take(block, rows, false, scratch);
    memory->block_rows = rows;
    memory->packed_block = seq_arena_take(
        scratch, 1, seq_compute_packed_bytes(node->compute, block->columns, block->units));
    memory->log_sum = seq_arena_take(scratch, rows, sizeof(double));
    memory->targets = seq_arena_take(scratch, rows, sizeof(int32_t));
    memory->found = seq_arena_take(scratch, 2 * rows, sizeof *memory->found);
}

// Training and evaluation use the same scratch in turn.
static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t rows = seq_head_rows(node, limits);
    seq_arena again = *scratch;
    memory->most = most_words(node, rows);
    plan_evaluation(node, memory, rows ? rows : 1, &again);
    if (training) plan_training(node, memory, rows, kept, scratch);
    if (again.used > scratch->used) *scratch = again;
}

static size_t drawn_bytes(const seq_node *node, const seq_limits *limits) {
    size_t rows = seq_head_rows(node, limits);
    return sizeof(drawn) + (most_words(node, rows) + rows) * sizeof(int32_t);
}

static void add_word(const memory *memory, drawn *drawn, int32_t word) {
    if (memory->column[word]) return;
    drawn->numbers[drawn->count++] = word;
    memory->column[word] = (int32_t)drawn->count;
}

static int32_t word_at(int32_t words, double unit) {
    int32_t word = (int32_t)exp(unit * log1p(words)) - 1;
    return word < words ? word : words - 1;
}

static void draw_words(const seq_node *node, const seq_pass *pass, const memory *memory,
                       drawn *drawn) {
    seq_random_key key = {pass->seed, SEQ_RANDOM_CANDIDATES};
    size_t wanted = (size_t)samples_of(node);
    for (uint32_t draw = 0; drawn->count < wanted; draw++) {
        uint32_t words[4];
        seq_random_words(key, draw, pass->step, pass->batch->draw_key, words);
        for (int i = 0; i < 4 && drawn->count < wanted; i += 2)
            add_word(memory, drawn,
                     word_at((int32_t)seq_head_words(node),
                             seq_random_unit_double(words[i], words[i + 1])));
    }
}

// The rows of both parameters that training writes.
static void touched(const seq_node *node, seq_pass *pass, seq_rows_mark *mark, void *context) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_head_work work = seq_head_work_of(node, pass);
    drawn *drawn = seq_run(node, pass)->drawn;
    int32_t *columns = drawn->numbers + memory->most;
    drawn->count = 0;
    if (takes_all(node))
        for (int32_t word = 0; word < (int32_t)seq_head_words(node); word++)
            add_word(memory, drawn, word);
    else
        draw_words(node, pass, memory, drawn);
    drawn->drawn = drawn->count;
    for (size_t i = 0; i < work.rows; i++) {
        if (work.targets[i] >= 0) add_word(memory, drawn, work.targets[i]);
        columns[i] = work.targets[i] < 0 ? -1 : memory->column[work.targets[i]] - 1;
    }
    for (size_t i = 0; i < drawn->count; i++) {
        memory->column[drawn->numbers[i]] = 0;
        for (int parameter = 0; mark && parameter < 2; parameter++)
            mark(context, node->parameters[parameter], drawn->numbers[i]);
    }
}

static double log_drawn(const seq_node *node, const memory *memory, int word) {
    if (takes_all(node)) return 0;
    return log(-expm1(memory->tries * log_missed(node, word)));
}

static void gather(const seq_node *node, const seq_pass *pass, const memory *memory,
                   const drawn *drawn) {
    size_t units = seq_head_units(node), count = drawn->count;
    float *weights = memory->weights;
    const float *bias = seq_parameter_values(node, pass, 1);
    seq_embedding_forward(seq_parameter_values(node, pass, 0), units, drawn->numbers, count,
                          weights);
    for (size_t i = 0; i < count; i++) {
        int32_t word = drawn->numbers[i];
        memory->bias[i] = bias[word] - (float)log_drawn(node, memory, word);
    }
    seq_compute_pack(node->compute, SEQ_TRANSPOSED, count, units, weights, units, memory->forward);
    seq_compute_pack(node->compute, SEQ_PLAIN, units, count, weights, units, memory->backward);
}

static void scatter(const seq_node *node, const seq_pass *pass, const memory *memory,
                    const drawn *drawn) {
    size_t units = seq_head_units(node);
    float *d_weight = seq_parameter_gradient(node, pass, 0),
          *d_bias = seq_parameter_gradient(node, pass, 1);
    for (size_t i = 0; i < drawn->count; i++) {
        size_t word = (size_t)drawn->numbers[i];
        if (d_weight)
            memcpy(d_weight + word * units, memory->weights + i * units, units * sizeof(float));
        if (d_bias) d_bias[word] = memory->d_bias[i];
    }
}

// A row counts the drawn words and its own target.
static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    const memory *memory = seq_run(node, pass)->memory;
    const drawn *drawn = seq_run(node, pass)->drawn;
    seq_head_work work = seq_head_work_of(node, pass);
    gather(node, pass, memory, drawn);
    seq_softmax softmax = memory->softmax;
    softmax.columns = drawn->count;
    softmax.shared = drawn->drawn;
    seq_softmax_weights weights = {memory->forward, memory->backward, memory->bias};
    seq_loss loss =
        seq_softmax_train(&softmax, &weights, work.rows, work.x, drawn->numbers + memory->most,
                          (float)scale, work.dx, memory->weights, memory->d_bias);
    scatter(node, pass, memory, drawn);
    return loss;
}

// ---- evaluation

// Words first .. first + count - 1 as a head of their own.
typedef struct block {
    seq_softmax softmax;
    seq_softmax_weights weights;
    int32_t first, count;
} block;

static block block_at(const seq_node *node, const seq_pass *pass, const memory *memory,
                      int32_t first) {
    size_t units = seq_head_units(node), left = seq_head_words(node) - (size_t)first;
    const void *packed = seq_packed(node, pass, 0);
    block block = {.softmax = memory->block, .first = first};
    if (block.softmax.columns > left) block.softmax.columns = left;
    block.count = (int32_t)block.softmax.columns;
    block.weights.bias = seq_parameter_values(node, pass, 1) + first;
    if (packed)
        block.weights.forward =
            (const char *)packed + seq_compute_packed_bytes(node->compute, (size_t)first, units);
    else {
        seq_compute_pack(node->compute, SEQ_TRANSPOSED, block.softmax.columns, units,
                         seq_parameter_values(node, pass, 0) + (size_t)first * units, units,
                         memory->packed_block);
        block.weights.forward = memory->packed_block;
    }
    return block;
}

// What a block says about the rows, into what the words before it said.
static void merge(const memory *memory, const block *block, size_t rows,
                  const seq_softmax_row *found) {
    for (size_t i = 0; i < rows; i++) {
        seq_softmax_row *total = &memory->found[i];
        if (memory->targets[i] >= 0) total->target = found[i].target;
        if (block->first == 0 || found[i].best > total->best) {
            total->best = found[i].best;
            total->best_column = block->first + found[i].best_column;
        }
        memory->log_sum[i] =
            block->first ? seq_log_add(memory->log_sum[i], found[i].log_sum) : found[i].log_sum;
    }
}

static void survey_rows(const seq_node *node, const seq_pass *pass, const memory *memory,
                        const seq_head_work *work) {
    seq_softmax_row *found = memory->found + memory->block_rows;
    for (int32_t first = 0; first < (int32_t)seq_head_words(node);) {
        block block = block_at(node, pass, memory, first);
        for (size_t i = 0; i < work->rows; i++) {
            int32_t column = work->targets[i] - first;
            memory->targets[i] = column < block.count && column >= 0 ? column : -1;
        }
        seq_softmax_survey(&block.softmax, &block.weights, work->rows, work->x, memory->targets,
                           block.softmax.columns, NULL, found);
        merge(memory, &block, work->rows, found);
        first += block.count;
    }
    for (size_t i = 0; i < work->rows; i++)
        memory->found[i].log_sum = (float)memory->log_sum[i];
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_head_work work = seq_head_work_of(node, pass);
    seq_loss loss = {0};
    size_t most = memory->block_rows;
    for (size_t start = 0; start == 0 || start < work.rows; start += most) {
        seq_head_work part = work;
        part.rows = work.rows - start < most ? work.rows - start : most;
        part.x += start * seq_head_units(node);
        part.targets += start;
        survey_rows(node, pass, memory, &part);
        seq_loss found =
            seq_head_sum(node, pass, memory->found, part.targets, start, part.rows, losses);
        loss.sum += found.sum;
        loss.count += found.count;
        loss.correct += found.correct;
    }
    return loss;
}

static void scores(const seq_node *node, seq_pass *pass, size_t first, size_t rows, float *scores) {
    const memory *memory = seq_run(node, pass)->memory;
    size_t units = seq_head_units(node), words = seq_head_words(node);
    for (int32_t word = 0; word < (int32_t)words;) {
        block block = block_at(node, pass, memory, word);
        seq_softmax_logits(&block.softmax, &block.weights, rows,
                           seq_input(node, pass, 0)->values + first * units, scores + word, words);
        word += block.count;
    }
}

const seq_head_kind seq_head_sampled = {
    .node = {.name = "sampled",
             .options = sizeof(seq_words_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan,
             .touched = touched,
             .drawn = drawn_bytes},
    .unit = "nats",
    .ties = true,
    .train = train,
    .evaluate = evaluate,
    .scores = scores,
    .chance = seq_head_word_chance,
};

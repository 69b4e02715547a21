// What a comparison has found, as a table to read or as one JSON
// object, and the items as tab-separated values. Invariant: what is undefined is
// null in every form. Texts of files are escaped. Test: tests/cli/compare.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_LABELS = 20, // of a confusion matrix in the table to read
    NAME_WIDTH = 22,
};

static const char *number(double value, int digits, char out[40]) {
    if (isnan(value)) return "null";
    snprintf(out, 40, "%.*g", digits, value);
    return out;
}

static void print_figure(double value) {
    char text[40];
    printf(" %10s", number(value, 6, text));
}

static void print_name(const char *name) {
    char text[300];
    seq_escape(name, strlen(name), false, text, sizeof text);
    printf("%-*s", NAME_WIDTH, text);
}

// The system that the first one, or its runs, are compared with; NULL: none.
static const seq_eval_system *second_of(const seq_eval_comparison *comparison) {
    bool two = comparison->count > comparison->runs;
    return two ? &comparison->systems[comparison->runs] : NULL;
}

static void print_measures(const seq_eval_comparison *comparison) {
    static const char *const heads[] = {"first",      "low", "high", "second", "low",      "high",
                                        "difference", "low", "high", "p",      "paired-bs"};
    const seq_eval_system *two = second_of(comparison);
    printf("\n%-*s", NAME_WIDTH, "measure");
    for (int i = 0; i < (two ? 10 + (comparison->texts != NULL) : 3); i++)
        printf(" %10s", two || i ? heads[i] : "value");
    putchar('\n');
    for (int i = 0; i < SEQ_EVAL_MEASURES; i++) {
        const seq_eval_measure *first = &comparison->first[i], *second = NULL;
        if (!first->name) break;
        for (int k = 0; two && k < SEQ_EVAL_MEASURES && two->measures[k].name; k++)
            if (strcmp(two->measures[k].name, first->name) == 0) second = &two->measures[k];
        printf("%-*s", NAME_WIDTH, first->name);
        print_figure(first->value);
        print_figure(first->interval.low);
        print_figure(first->interval.high);
        if (second) {
            print_figure(second->value);
            print_figure(second->interval.low);
            print_figure(second->interval.high);
            print_figure(second->value - first->value);
            print_figure(second->difference.low);
            print_figure(second->difference.high);
            print_figure(second->two_sided);
            if (comparison->texts) print_figure(second->exceeds);
        }
        putchar('\n');
    }
}

// A row for each run.
static void print_runs(const seq_eval_comparison *comparison) {
    printf("\n%-*s", NAME_WIDTH, "run");
    for (int i = 0; i < SEQ_EVAL_MEASURES && comparison->first[i].name; i++)
        printf(" %22s", comparison->first[i].name);
    putchar('\n');
    for (int run = 0; run < comparison->runs; run++) {
        printf("%-*d", NAME_WIDTH, run + 1);
        for (int i = 0; i < SEQ_EVAL_MEASURES && comparison->first[i].name; i++)
            for (int k = 0; k < SEQ_EVAL_MEASURES && comparison->systems[run].measures[k].name; k++)
                if (strcmp(comparison->systems[run].measures[k].name, comparison->first[i].name) ==
                    0) {
                    char text[40];
                    printf(" %22s", number(comparison->systems[run].measures[k].value, 6, text));
                }
        putchar('\n');
    }
}

static void print_hits_head(const char *what, bool auc) {
    printf("\n%-*s %10s %10s %10s %10s %10s %10s%s\n", NAME_WIDTH, what, "precision", "recall",
           "f1", "right", "predicted", "gold", auc ? "        auc" : "");
}

static void print_hits(const char *name, seq_hits hits, const double *auc) {
    print_name(name);
    print_figure(seq_hits_precision(hits));
    print_figure(seq_hits_recall(hits));
    print_figure(seq_hits_f1(hits));
    printf(" %10lld %10lld %10lld", (long long)hits.right, (long long)hits.predicted,
           (long long)hits.gold);
    if (auc) print_figure(*auc);
    putchar('\n');
}

static void print_entities(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    const seq_strings *types = &comparison->tables.labels.types;
    print_hits_head("entities", false);
    print_hits("all", system->all, NULL);
    print_hits("all, strict", system->strict, NULL);
    if (comparison->has_surfaces) print_hits("surface forms", system->surface, NULL);
    if (comparison->has_unseen) print_hits("never in training", system->unseen, NULL);
    for (int32_t i = 0; i < types->count; i++)
        print_hits(seq_strings_text(types, i, NULL), seq_hits_at(system->types, i), NULL);
}

static int64_t cell(const seq_eval_system *system, int32_t gold, int32_t predicted) {
    for (size_t i = 0; i < system->cells; i++)
        if (system->confusion[i].gold == gold && system->confusion[i].predicted == predicted)
            return system->confusion[i].count;
    return 0;
}

// Rows: gold, columns: predicted.
static void print_confusion(const seq_strings *labels, const seq_eval_system *system) {
    if (labels->count > SHOWN_LABELS) {
        printf("\nconfusion matrix of %d labels: --json has it\n", labels->count);
        return;
    }
    printf("\n%-*s", NAME_WIDTH, "gold \\ predicted");
    for (int32_t k = 0; k < labels->count; k++) {
        char text[300];
        const char *name = seq_strings_text(labels, k, NULL);
        seq_escape(name, strlen(name), false, text, sizeof text);
        printf(" %10.10s", text);
    }
    for (int32_t i = 0; i < labels->count; i++) {
        putchar('\n');
        print_name(seq_strings_text(labels, i, NULL));
        for (int32_t k = 0; k < labels->count; k++)
            printf(" %10lld", (long long)cell(system, i, k));
    }
    putchar('\n');
}

static void print_edits(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    printf("\n%-*s %10s %10s %10s %10s %10s\n", NAME_WIDTH, "edits", "substitute", "delete",
           "insert", "predicted", "gold");
    printf("%-*s %10lld %10lld %10lld %10zu %10zu\n", NAME_WIDTH, "all",
           (long long)system->edits.substitutions, (long long)system->edits.deletions,
           (long long)system->edits.insertions, system->answers.places, comparison->gold.places);
}

static void print_texts(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    printf("\n%-*s %23s %10s %10s %10s %10s\n", NAME_WIDTH, "precisions", "1/2/3/4", "penalty",
           "ratio", "output", "references");
    for (int i = 0; i < SEQ_BLEU_TOKENS; i++) {
        const seq_bleu *bleu = &system->bleu[i];
        const int64_t *counts = system->bleu_counts[i];
        const double *parts = bleu->precisions;
        char text[64];
        snprintf(text, sizeof text, "%.1f/%.1f/%.1f/%.1f", parts[0], parts[1], parts[2], parts[3]);
        printf("%-*s %23s", NAME_WIDTH, comparison->texts[i].name, text);
        print_figure(bleu->penalty);
        print_figure((double)counts[SEQ_BLEU_OUTPUT] / (double)counts[SEQ_BLEU_REFERENCE]);
        printf(" %10lld %10lld\n", (long long)counts[SEQ_BLEU_OUTPUT],
               (long long)counts[SEQ_BLEU_REFERENCE]);
    }
}

static void signature(const seq_eval_comparison *comparison, int measure, char out[200]) {
    static const char version[] = "seqtrain-" SEQ_VERSION;
    const seq_text_measure *own = &comparison->texts[measure];
    if (own->chrf)
        seq_chrf_signature(own->words, own->lower, comparison->references, version, out, 200);
    else
        seq_bleu_signature(own->tokens, own->bleu, own->lower, comparison->references, version, out,
                           200);
}

static void print_signatures(const seq_eval_comparison *comparison) {
    printf("\nsignatures\n");
    for (int i = 0; comparison->texts[i].name; i++) {
        char text[200];
        signature(comparison, i, text);
        printf("%-*s %s\n", NAME_WIDTH, comparison->texts[i].name, text);
    }
}

static void print_system(const seq_eval_comparison *comparison, int index) {
    const seq_eval_system *system = &comparison->systems[index];
    const seq_strings *labels = &comparison->tables.labels.names;
    if (comparison->gold.kind == SEQ_ANSWERS_RATINGS) return;
    if (comparison->count == 2) {
        printf("\n%-*s ", NAME_WIDTH, index ? "second" : "first");
        seq_escape_print(stdout, system->answers.file, strlen(system->answers.file));
        putchar('\n');
    }
    if (comparison->texts) print_texts(comparison, system);
    if (system->item_edits) print_edits(comparison, system);
    if (comparison->texts || system->item_edits) return;
    if (system->types) print_entities(comparison, system);
    print_hits_head(comparison->gold.kind == SEQ_ANSWERS_TAGS ? "tags" : "classes", system->auc);
    for (int32_t i = 0; i < labels->count; i++)
        print_hits(seq_strings_text(labels, i, NULL), seq_hits_at(system->labels, i),
                   system->auc ? &system->auc[i] : NULL);
    print_confusion(labels, system);
}

static void print_file(const char *what, const seq_answers *answers, int64_t broken, bool tags) {
    printf("%-*s ", NAME_WIDTH, what);
    seq_escape_print(stdout, answers->file, strlen(answers->file));
    if (tags) printf(", scheme %s", seq_scheme_names[answers->scheme]);
    if (tags && answers->scheme) printf(", %lld entities with broken tags", (long long)broken);
    if (answers->passed_over) printf(", %lld lines passed over", (long long)answers->passed_over);
    putchar('\n');
}

static void print_bow(const seq_eval_comparison *comparison) {
    const seq_bow_report *bow = &comparison->bow;
    printf("%-*s penalty %g / items, %lld of %lld right where it was chosen, %d iterations\n",
           NAME_WIDTH, "baseline", bow->penalty, (long long)bow->right, (long long)bow->selected,
           bow->iterations);
}

static void print_table(const seq_eval_comparison *comparison) {
    bool tags = comparison->gold.kind == SEQ_ANSWERS_TAGS;
    printf("%-*s %s\n", NAME_WIDTH, "task", seq_answer_kind_names[comparison->gold.kind]);
    print_file("gold", &comparison->gold, comparison->gold_broken, tags);
    for (int i = 0; i < comparison->count; i++)
        print_file(comparison->count == 1 ? "predictions"
                   : i < comparison->runs ? "first"
                                          : "second",
                   &comparison->systems[i].answers, comparison->systems[i].broken, tags);
    if (comparison->runs > 1)
        printf("%-*s %d of the first: its measures are means over them\n", NAME_WIDTH, "runs",
               comparison->runs);
    if (comparison->has_bow) print_bow(comparison);
    if (comparison->split) printf("%-*s %s\n", NAME_WIDTH, "split", comparison->split);
    printf("%-*s %zu\n", NAME_WIDTH, "items", comparison->gold.items);
    if (tags) printf("%-*s %zu\n", NAME_WIDTH, "tokens", comparison->gold.places);
    if (comparison->gold.kind == SEQ_ANSWERS_TRANSCRIPTS)
        printf("%-*s %zu\n", NAME_WIDTH, "labels", comparison->gold.places);
    if (comparison->resamples)
        printf("%-*s 95 %% of %d resamples of items, seed %lld\n", NAME_WIDTH, "low, high",
               comparison->resamples, (long long)comparison->seed);
    if (comparison->split)
        printf("%-*s %.6g %s a target\n", NAME_WIDTH, "loss", comparison->loss,
               comparison->loss_unit);
    print_measures(comparison);
    if (comparison->runs > 1) print_runs(comparison);
    for (int i = 0; comparison->runs == 1 && i < comparison->count; i++)
        print_system(comparison, i);
    if (comparison->texts) print_signatures(comparison);
}

static void json_number(const char *name, double value, const char *end) {
    char text[40];
    printf("\"%s\": %s%s", name, number(value, 9, text), end);
}

static void json_hits(const char *name, seq_hits hits, const double *auc, const char *end) {
    seq_json_print(stdout, name);
    printf(": {");
    json_number("precision", seq_hits_precision(hits), ", ");
    json_number("recall", seq_hits_recall(hits), ", ");
    json_number("f1", seq_hits_f1(hits), ", ");
    printf("\"right\": %lld, \"predicted\": %lld, \"gold\": %lld", (long long)hits.right,
           (long long)hits.predicted, (long long)hits.gold);
    if (auc) {
        printf(", ");
        json_number("auc", *auc, "");
    }
    printf("}%s", end);
}

static void json_measures(const char *name, const seq_eval_measure *measures) {
    printf("\"%s\": {", name);
    for (int i = 0; i < SEQ_EVAL_MEASURES && measures[i].name; i++) {
        const seq_eval_measure *measure = &measures[i];
        printf("%s\"%s\": {", i ? ", " : "", measure->name);
        json_number("value", measure->value, ", ");
        json_number("low", measure->interval.low, ", ");
        json_number("high", measure->interval.high, "}");
    }
    putchar('}');
}

static void json_entities(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    const seq_strings *types = &comparison->tables.labels.types;
    printf(", \"entities\": {");
    json_hits("all", system->all, NULL, ", ");
    json_hits("strict", system->strict, NULL, ", ");
    if (comparison->has_surfaces) json_hits("surface", system->surface, NULL, ", ");
    if (comparison->has_unseen) json_hits("unseen", system->unseen, NULL, ", ");
    printf("\"types\": {");
    for (int32_t i = 0; i < types->count; i++)
        json_hits(seq_strings_text(types, i, NULL), seq_hits_at(system->types, i), NULL,
                  i + 1 < types->count ? ", " : "");
    printf("}}");
}

static void json_labels(const seq_strings *labels, const seq_eval_system *system) {
    printf(", \"labels\": {");
    for (int32_t i = 0; i < labels->count; i++)
        json_hits(seq_strings_text(labels, i, NULL), seq_hits_at(system->labels, i),
                  system->auc ? &system->auc[i] : NULL, i + 1 < labels->count ? ", " : "");
    printf("}, \"confusion\": [");
    for (size_t i = 0; i < system->cells; i++) {
        printf("%s{\"gold\": ", i ? ", " : "");
        seq_json_print(stdout, seq_strings_text(labels, system->confusion[i].gold, NULL));
        printf(", \"predicted\": ");
        seq_json_print(stdout, seq_strings_text(labels, system->confusion[i].predicted, NULL));
        printf(", \"count\": %lld}", (long long)system->confusion[i].count);
    }
    putchar(']');
}

static void json_texts(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    printf(", \"bleu\": {");
    for (int i = 0; i < SEQ_BLEU_TOKENS; i++) {
        const int64_t *counts = system->bleu_counts[i];
        printf("%s\"%s\": {\"precisions\": [", i ? ", " : "", comparison->texts[i].name);
        for (int n = 0; n < SEQ_BLEU_ORDER; n++)
            printf("%s%.9g", n ? ", " : "", system->bleu[i].precisions[n]);
        printf("], \"brevity_penalty\": %.9g, \"output_tokens\": %lld, \"reference_tokens\": "
               "%lld}",
               system->bleu[i].penalty, (long long)counts[SEQ_BLEU_OUTPUT],
               (long long)counts[SEQ_BLEU_REFERENCE]);
    }
    putchar('}');
}

static void json_signatures(const seq_eval_comparison *comparison) {
    printf(", \"signatures\": {");
    for (int i = 0; comparison->texts[i].name; i++) {
        char text[200];
        signature(comparison, i, text);
        printf("%s\"%s\": \"%s\"", i ? ", " : "", comparison->texts[i].name, text);
    }
    putchar('}');
}

static void json_system(const seq_eval_comparison *comparison, const seq_eval_system *system) {
    printf("{\"file\": ");
    seq_json_print(stdout, system->answers.file);
    if (comparison->gold.kind == SEQ_ANSWERS_TAGS)
        printf(", \"scheme\": \"%s\", \"broken\": %lld", seq_scheme_names[system->answers.scheme],
               (long long)system->broken);
    printf(", ");
    json_measures("measures", system->measures);
    if (system->item_edits)
        printf(", \"substitutions\": %lld, \"deletions\": %lld, \"insertions\": %lld, "
               "\"labels\": %zu",
               (long long)system->edits.substitutions, (long long)system->edits.deletions,
               (long long)system->edits.insertions, system->answers.places);
    if (comparison->texts) json_texts(comparison, system);
    if (system->types) json_entities(comparison, system);
    if (system->labels) json_labels(&comparison->tables.labels.names, system);
    putchar('}');
}

// Of the second system to the first, for the measures that both have.
static void json_differences(const seq_eval_comparison *comparison) {
    const seq_eval_system *two = second_of(comparison);
    bool begun = false;
    printf(", \"differences\": {");
    for (int i = 0; i < SEQ_EVAL_MEASURES && two->measures[i].name; i++) {
        const seq_eval_measure *second = &two->measures[i];
        for (int k = 0; k < SEQ_EVAL_MEASURES && comparison->first[k].name; k++) {
            const seq_eval_measure *first = &comparison->first[k];
            if (strcmp(first->name, second->name) != 0) continue;
            printf("%s\"%s\": {", begun ? ", " : "", second->name);
            json_number("value", second->value - first->value, ", ");
            json_number("low", second->difference.low, ", ");
            json_number("high", second->difference.high, ", ");
            json_number("p", second->two_sided, comparison->texts ? ", " : "}");
            if (comparison->texts) json_number("p_paired_bs", second->exceeds, "}");
            begun = true;
        }
    }
    putchar('}');
}

static void print_json(const seq_eval_comparison *comparison) {
    const seq_answers *gold = &comparison->gold;
    printf("{\"task\": \"%s\", \"gold\": ", seq_answer_kind_names[gold->kind]);
    seq_json_print(stdout, gold->file);
    if (comparison->split) {
        printf(", \"split\": \"%s\", ", comparison->split);
        json_number("loss", comparison->loss, "");
        printf(", \"loss_unit\": \"%s\"", comparison->loss_unit);
    }
    printf(", \"items\": %zu", gold->items);
    if (gold->kind == SEQ_ANSWERS_TAGS)
        printf(", \"tokens\": %zu, \"scheme\": \"%s\", \"broken\": %lld", gold->places,
               seq_scheme_names[gold->scheme], (long long)comparison->gold_broken);
    if (gold->kind == SEQ_ANSWERS_TRANSCRIPTS) printf(", \"labels\": %zu", gold->places);
    printf(", \"resamples\": %d, \"seed\": %lld", comparison->resamples,
           (long long)comparison->seed);
    if (comparison->has_bow) {
        printf(", \"baseline\": {");
        json_number("penalty", comparison->bow.penalty, ", ");
        printf("\"right\": %lld, \"selected\": %lld}", (long long)comparison->bow.right,
               (long long)comparison->bow.selected);
    }
    printf(", \"systems\": [");
    for (int i = 0; i < comparison->count; i++) {
        printf("%s", i ? ", " : "");
        json_system(comparison, &comparison->systems[i]);
    }
    putchar(']');
    if (comparison->runs > 1) {
        printf(", \"runs\": %d, ", comparison->runs);
        json_measures("mean", comparison->first);
    }
    if (second_of(comparison)) json_differences(comparison);
    if (comparison->texts) json_signatures(comparison);
    printf("}\n");
}

void seq_eval_print(const seq_eval_comparison *comparison, bool json) {
    if (json)
        print_json(comparison);
    else
        print_table(comparison);
}

static void write_answer(FILE *stream, const seq_eval_comparison *comparison,
                         const seq_answers *answers, size_t item) {
    size_t at = answers->first[item], size;
    bool joined =
        answers->kind == SEQ_ANSWERS_TRANSCRIPTS && comparison->tables.rules.unit == SEQ_UNIT_CHAR;
    fputc('\t', stream);
    if (answers->kind == SEQ_ANSWERS_RATINGS) {
        fprintf(stream, "%.17g", answers->values[at]);
        return;
    }
    for (size_t i = at; i < answers->first[item + 1]; i++) {
        bool whole = answers->kind == SEQ_ANSWERS_TEXTS;
        const char *text =
            seq_strings_text(whole ? &comparison->tables.words : &comparison->tables.labels.names,
                             answers->ids[i], &size);
        if (whole && i > at) break; // the first reference stands for all
        if (i > at && !joined) fputc(' ', stream);
        seq_escape_print(stream, text, size);
    }
}

static void write_item(FILE *stream, const seq_eval_comparison *comparison, size_t item) {
    const seq_answers *gold = &comparison->gold;
    if (comparison->losses)
        fprintf(stream, "%zu\t%.9g", item, comparison->losses[item]);
    else
        fprintf(stream, "%zu\t%lld", item,
                (long long)(gold->item_lines ? gold->item_lines[item]
                                             : gold->lines[gold->first[item]]));
    write_answer(stream, comparison, gold, item);
    for (int i = 0; i < comparison->count; i++) {
        const seq_answers *own = &comparison->systems[i].answers;
        write_answer(stream, comparison, own, item);
        if (gold->kind == SEQ_ANSWERS_RATINGS) {
            size_t at = gold->first[item];
            fprintf(stream, "\t%.17g", own->values[at] - gold->values[at]);
            continue;
        }
        if (comparison->texts) {
            fprintf(stream, "\t%.9g\t%.9g", comparison->systems[i].item_bleu[item],
                    comparison->systems[i].item_chrf[item]);
            continue;
        }
        if (gold->kind == SEQ_ANSWERS_TRANSCRIPTS) {
            seq_edits edits = comparison->systems[i].item_edits[item];
            fprintf(stream, "\t%lld\t%lld\t%lld", (long long)edits.substitutions,
                    (long long)edits.deletions, (long long)edits.insertions);
            continue;
        }
        size_t right = 0;
        for (size_t k = gold->first[item]; k < gold->first[item + 1]; k++)
            right += gold->ids[k] == own->ids[k];
        fprintf(stream, "\t%zu", right);
    }
    fputc('\n', stream);
}

seq_status seq_eval_write_items(const void *context, FILE *stream, seq_error *error) {
    const seq_eval_comparison *comparison = context;
    static const char *const of_edits[] = {"substitutions", "deletions", "insertions", NULL};
    static const char *const of_texts[] = {"bleu", "chrf", NULL};
    static const char *const of_ratings[] = {"error", NULL}, *const of_labels[] = {"right", NULL};
    seq_answer_kind kind = comparison->gold.kind;
    const char *const *columns = kind == SEQ_ANSWERS_TRANSCRIPTS ? of_edits
                                 : kind == SEQ_ANSWERS_TEXTS     ? of_texts
                                 : kind == SEQ_ANSWERS_RATINGS   ? of_ratings
                                                                 : of_labels;
    (void)error;
    fprintf(stream, "index\t%s\tgold", comparison->losses ? "loss" : "line");
    for (int i = 1; i <= comparison->count; i++) {
        char number[12] = "";
        if (i > 1) snprintf(number, sizeof number, "%d", i);
        fprintf(stream, "\toutput%s", number);
        for (int k = 0; columns[k]; k++)
            fprintf(stream, "\t%s%s", columns[k], number);
    }
    fputc('\n', stream);
    for (size_t i = 0; i < comparison->gold.items; i++)
        write_item(stream, comparison, i);
    return SEQ_OK;
}

// Reads --init-from: the sources, and the parts that say which parameters are
// taken and what they are called here. The text that a checkpoint records has
// the same form, with hashes in place of paths. Invariant: nothing of a part but
// letters, digits, dots and underscores, so the text stands in one field of
// identity.txt. Test: tests/unit/train/test_transfer.c.
#include "transfer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_sources_clear(seq_sources *sources) {
    for (int i = 0; i < sources->count; i++) {
        free(sources->items[i].path);
        free(sources->items[i].parts);
    }
    *sources = (seq_sources){0};
}

void seq_source_print_rate(double rate, char out[40]) {
    *out = '\0';
    for (int digits = 1; rate != 1 && digits <= 17; digits++) {
        snprintf(out, 40, "@%.*g", digits, rate);
        if (strtod(out + 1, NULL) == rate) return;
    }
}

bool seq_source_part(const char *parts, int index, char out[2 * SEQ_PARAMETER_NAME]) {
    for (; *parts && index > 0; index--) {
        parts += strcspn(parts, ",");
        parts += *parts == ',';
    }
    snprintf(out, 2 * SEQ_PARAMETER_NAME, "%.*s", (int)strcspn(parts, ","), parts);
    return *parts != '\0';
}

static seq_status refuse(const char *source, const char *why, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--init-from %s: %s; expected RUN[:FROM=TO,...][@RATE], and a / at the "
                         "end of a RUN whose name has : or @",
                         source, why);
}

// Names and parts of names, and at most one =.
static bool is_part(const char *part, size_t size) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
    size_t from = strspn(part, letters),
           to = part[from] == '=' ? strspn(part + from + 1, letters) : 0;
    size_t all = from + to + (part[from] == '=');
    return from && all == size && from < SEQ_PARAMETER_NAME && to < SEQ_PARAMETER_NAME;
}

static seq_status check_parts(const char *source, const char *parts, seq_error *error) {
    int count = 0;
    for (const char *at = parts; *at; count++) {
        size_t size = strcspn(at, ",");
        if (!is_part(at, size) || (at[size] == ',' && !at[size + 1]))
            return refuse(source, "parts are FROM=TO, FROM= or NAME, separated by commas", error);
        at += size + (at[size] == ',');
    }
    return count <= SEQ_SOURCE_PARTS ? SEQ_OK : refuse(source, "more than 64 parts", error);
}

static seq_status parse_source(char *text, seq_source *out, seq_error *error) {
    char whole[200];
    snprintf(whole, sizeof whole, "%s", text);
    char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;
    char *at = strrchr(name, '@'), *colon = strchr(name, ':'), *end;
    out->rate = 1;
    if (at) {
        out->rate = strtod(at + 1, &end);
        if (end == at + 1 || *end || !(out->rate >= 0 && out->rate <= 1000))
            return refuse(whole, "a rate is a number from 0 to 1000", error);
        *at = '\0';
    }
    if (colon) *colon = '\0';
    if (colon && !colon[1]) return refuse(whole, "there is no part behind the colon", error);
    if (!*text) return refuse(whole, "a RUN is missing", error);
    out->path = strdup(text);
    out->parts = strdup(colon ? colon + 1 : "");
    if (!out->path || !out->parts)
        return seq_error_set(error, SEQ_NO_MEMORY, "--init-from: out of memory");
    return check_parts(whole, out->parts, error);
}

seq_status seq_sources_parse(const char *text, seq_sources *out, seq_error *error) {
    char *copy = strdup(text), *rest = copy;
    *out = (seq_sources){0};
    if (!copy) return seq_error_set(error, SEQ_NO_MEMORY, "--init-from: out of memory");
    for (char *source; !error->status && (source = strsep(&rest, ";"));) {
        if (out->count == SEQ_SOURCES)
            refuse(text, "more than 16 sources", error);
        else
            parse_source(source, &out->items[out->count++], error);
    }
    free(copy);
    return error->status;
}

// Where `part` stands in the name, or NULL.
static const char *find_part(const char *name, const char *part, size_t size) {
    for (const char *at = strstr(name, part); at; at = strstr(at + 1, part)) {
        bool begins = at == name || at[-1] == '.' || *part == '_';
        if (begins && (at[size] == '\0' || at[size] == '.')) return at;
    }
    return NULL;
}

bool seq_source_rename(const char *parts, const char *name, char out[SEQ_PARAMETER_NAME],
                       uint64_t *used) {
    bool selects = false, named = false, kept = true;
    char part[2 * SEQ_PARAMETER_NAME], changed[4 * SEQ_PARAMETER_NAME];
    snprintf(changed, sizeof changed, "%s", name);
    for (int i = 0; seq_source_part(parts, i, part); i++) {
        char *equals = strchr(part, '=');
        if (equals) *equals = '\0';
        bool drops = equals && !equals[1];
        selects |= !drops;
        size_t size = strlen(part);
        const char *found = find_part(changed, part, size);
        if (!found) continue;
        named |= !drops;
        kept &= !drops;
        *used |= UINT64_C(1) << i;
        if (!equals) continue;
        char before[sizeof changed];
        snprintf(before, sizeof before, "%s", changed);
        snprintf(changed, sizeof changed, "%.*s%s%.64s", (int)(found - changed), before, equals + 1,
                 before + (found - changed) + size);
        if (strlen(changed) >= SEQ_PARAMETER_NAME) return false; // no parameter is called so
    }
    snprintf(out, SEQ_PARAMETER_NAME, "%.47s", changed);
    return kept && (named || !selects);
}

// An SVG file: sources along the top, turned; outputs down the side; the darker a square, the more
// attention. The number is the square's title. Invariant: the XML is well-formed whatever the
// texts hold. Test: tests/cli/translate_search.sh.
#include "seqpredict_picture.h"
#include <seqtrain/base/escape.h>
#include <string.h>

enum { CELL = 24, SIZE = 14, MARGIN = 12, GLYPH = 9 }; // pixels; of a letter, about

static size_t letters_of(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static size_t longest(const char *const *texts, size_t count) {
    size_t most = 1;
    for (size_t i = 0; i < count; i++)
        if (letters_of(texts[i]) > most) most = letters_of(texts[i]);
    return most;
}

// What XML has no character for becomes U+FFFD.
static void print_xml(FILE *stream, const char *text) {
    for (size_t size = strlen(text), valid; size; text++, size--) {
        valid = seq_utf8_invalid(text, size);
        unsigned char byte = (unsigned char)*text;
        bool no_character = size > 2 && byte == 0xEF &&
                            (unsigned char)text[1] == 0xBF && // U+FFFE, U+FFFF
                            (unsigned char)text[2] >= 0xBE;
        if (valid == 0 || byte < 0x20 || byte == 0x7F)
            fputs("&#xFFFD;", stream);
        else if (no_character) {
            fputs("&#xFFFD;", stream);
            text += 2;
            size -= 2;
        } else if (byte == '&')
            fputs("&amp;", stream);
        else if (byte == '<')
            fputs("&lt;", stream);
        else if (byte == '>')
            fputs("&gt;", stream);
        else {
            do // the whole character
                putc(*text, stream);
            while (size > 1 && ((unsigned char)text[1] & 0xC0) == 0x80 && (text++, size--));
        }
    }
}

static void print_label(FILE *stream, const char *place, const char *text) {
    fprintf(stream, "<text %s>", place);
    print_xml(stream, text);
    fputs("</text>\n", stream);
}

void attention_picture_print(FILE *stream, const attention_picture *picture) {
    size_t left = MARGIN + GLYPH * longest(picture->rows, picture->row_count),
           top = 3 * MARGIN + GLYPH * longest(picture->columns, picture->column_count),
           width = left + CELL * picture->column_count + MARGIN,
           height = top + CELL * picture->row_count + MARGIN;
    char place[160];
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" "
            "viewBox=\"0 0 %zu %zu\" font-family=\"sans-serif\" font-size=\"%d\">\n<title>",
            width, height, width, height, SIZE);
    print_xml(stream, picture->title);
    fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", stream);
    for (size_t i = 0; i < picture->column_count; i++) {
        size_t x = left + CELL * i + CELL / 2 + SIZE / 3, y = top - 6;
        snprintf(place, sizeof place, "x=\"%zu\" y=\"%zu\" transform=\"rotate(-90 %zu %zu)\"", x, y,
                 x, y);
        print_label(stream, place, picture->columns[i]);
    }
    for (size_t j = 0; j < picture->row_count; j++) {
        size_t y = top + CELL * j;
        snprintf(place, sizeof place, "x=\"%zu\" y=\"%zu\" text-anchor=\"end\"", left - 6,
                 y + CELL / 2 + SIZE / 3);
        print_label(stream, place, picture->rows[j]);
        for (size_t i = 0; i < picture->column_count; i++) {
            double weight = (double)picture->weights[j * picture->column_count + i];
            fprintf(stream,
                    "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"#08306b\" "
                    "fill-opacity=\"%.3f\" stroke=\"#cccccc\"><title>%.4f</title></rect>\n",
                    left + CELL * i, y, CELL, CELL, weight, weight);
        }
    }
    fputs("</svg>\n", stream);
}

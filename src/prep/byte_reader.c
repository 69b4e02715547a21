// A file, pipe or standard input -> bytes. The file's first bytes are waited for, however many
// reads they take, and say whether and how it is unpacked. Then the first bytes that come out are
// looked at once more: what is packed in them is refused, as a tar archive is. At each border
// between frames zeros are passed over (tapes and `dd` pad with them), and another frame must
// follow, or the end. `base` + `used` is at any time the place in the file, for messages.
// Tests: tests/unit/prep/test_byte_reader.c, tests/cli/seqprep_files.sh, tests/fuzz/fuzz_corpus.c.
#include "byte_reader.h"
#include <seqtrain/data/forms.h>
#include "unpack.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 17 };

struct seq_byte_reader {
    const char *path, *name; // the caller's; as it stands in messages
    seq_byte_reader_rules rules;
    int descriptor;
    char *buffer; // of the file
    size_t used, filled;
    int64_t base;                 // of the buffer in the file
    bool at_end;                  // of the file
    const seq_unpacker *unpacker; // NULL: plain
    void *state;                  // the unpacker's
    bool in_frame, any_frame;
    uint64_t memory; // that the frame takes, as far as it says
    char *head;      // the first unpacked bytes, which were looked at
    size_t head_used, head_size;
};

// Until there is something to read, or the end. The signal that stops the program may have been
// another thread's, so that no call of this one is interrupted: it looks now and then.
static seq_status await_bytes(const seq_byte_reader *source, seq_error *error) {
    enum { MILLISECONDS = 100 };
    struct pollfd wanted = {.fd = source->descriptor, .events = POLLIN};
    bool told = !source->rules.idle;
    for (;;) {
        int ready = poll(&wanted, 1, told ? MILLISECONDS : 0);
        if (ready < 0 && errno != EINTR)
            return seq_error_set_errno(error, "reading %s", source->name);
        if (ready > 0) return SEQ_OK;
        if (!told && source->rules.idle(source->rules.idle_context, error)) return error->status;
        told = true;
        if (source->rules.stopped && source->rules.stopped())
            return seq_error_set(error, SEQ_STOPPED, "reading %s: interrupted", source->name);
    }
}

static seq_status read_some(seq_byte_reader *source, char *out, size_t capacity, size_t *out_size,
                            seq_error *error) {
    ssize_t got;
    do {
        if (await_bytes(source, error)) return error->status;
        got = read(source->descriptor, out, capacity);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0) return seq_error_set_errno(error, "reading %s", source->name);
    *out_size = (size_t)got;
    source->at_end = got == 0;
    return SEQ_OK;
}

// At least `wanted` bytes behind `used`, or all that the file has.
static seq_status look_ahead(seq_byte_reader *source, size_t wanted, seq_error *error) {
    if (source->filled - source->used >= wanted) return SEQ_OK;
    memmove(source->buffer, source->buffer + source->used, source->filled - source->used);
    source->base += (int64_t)source->used;
    source->filled -= source->used;
    source->used = 0;
    seq_status status = SEQ_OK;
    for (size_t got; !status && !source->at_end && source->filled < wanted;) {
        status = read_some(source, source->buffer + source->filled, BUFFER - source->filled, &got,
                           error);
        if (!status) source->filled += got;
    }
    return status;
}

// Whole lines are there, and nothing more at the moment.
static bool rests(const seq_byte_reader *source) {
    struct pollfd wanted = {.fd = source->descriptor, .events = POLLIN};
    return source->filled && source->buffer[source->filled - 1] == '\n' && poll(&wanted, 1, 0) == 0;
}

// The first bytes, which tell the form: `wanted` of them, or all.
static seq_status look_at_start(seq_byte_reader *source, size_t wanted, seq_error *error) {
    if (!source->rules.idle) return look_ahead(source, wanted, error);
    seq_status status = SEQ_OK;
    while (!status && !source->at_end && source->filled < wanted && !rests(source))
        status = look_ahead(source, source->filled + 1, error);
    return status;
}

static int64_t place(const seq_byte_reader *source) {
    return source->base + (int64_t)source->used;
}

static seq_status trouble(const seq_byte_reader *source, seq_unpack_result result,
                          const seq_unpack_step *step, seq_error *error) {
    const char *kind = source->unpacker->name, *name = source->name;
    double megabytes = (double)(step->memory ? step->memory : source->memory) / 1e6;
    switch (result) {
    case SEQ_UNPACK_DAMAGED:
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: damaged %s data at byte offset %" PRId64 ": %s", name,
                             kind, place(source), step->reason);
    case SEQ_UNPACK_LIMIT:
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: to unpack its %s data at byte offset %" PRId64
                             " takes %.0f MB of memory, and --max-memory allows %.0f MB",
                             name, kind, place(source), megabytes,
                             (double)source->rules.memory / 1e6);
    case SEQ_UNPACK_REFUSED:
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: %s data at byte offset %" PRId64 ": %s", name, kind,
                             place(source), step->reason);
    default:
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "reading %s: there is no memory to unpack its %s data (%.0f MB)", name,
                             kind, megabytes);
    }
}

// Behind a frame, or before the first: *out_more false at the end of the file.
static seq_status begin_frame(seq_byte_reader *source, bool *out_more, seq_error *error) {
    const seq_unpacker *unpacker = source->unpacker;
    do {
        while (source->any_frame && source->used < source->filled &&
               source->buffer[source->used] == 0)
            source->used++;
        if (look_ahead(source, SEQ_FRAME_HEAD, error)) return error->status;
    } while (source->any_frame && source->used < source->filled &&
             source->buffer[source->used] == 0);
    *out_more = source->used < source->filled;
    if (!*out_more) return SEQ_OK;
    seq_unpack_step step = {.in = (const unsigned char *)source->buffer + source->used,
                            .in_size = source->filled - source->used};
    const seq_form *form = seq_form_find((const char *)step.in, step.in_size);
    if (source->any_frame &&
        (!form || seq_unpacker_find(form->packing) != unpacker || form->packing == SEQ_PLAIN))
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: what follows the last %s %s, from byte offset %" PRId64
                             " on, is %s",
                             source->name, unpacker->name, unpacker->frame, place(source),
                             form ? form->name : "something else: cut it off, or mend the file");
    seq_unpack_result result = unpacker->begin(&source->state, source->rules.memory, &step);
    source->in_frame = source->any_frame = true;
    source->memory = step.memory;
    return result ? trouble(source, result, &step, error) : SEQ_OK;
}

static seq_status unpack(seq_byte_reader *source, char *out, size_t capacity, size_t *out_size,
                         seq_error *error) {
    *out_size = 0;
    while (*out_size == 0) {
        bool more = true;
        if (!source->in_frame && (begin_frame(source, &more, error) || !more)) return error->status;
        if (look_ahead(source, 1, error)) return error->status;
        seq_unpack_step step = {.in = (const unsigned char *)source->buffer + source->used,
                                .in_size = source->filled - source->used,
                                .out = (unsigned char *)out,
                                .out_size = capacity};
        seq_unpack_result result = source->unpacker->step(source->state, &step);
        source->used += step.in_used;
        if (result) return trouble(source, result, &step, error);
        source->in_frame = !step.ended;
        *out_size = step.out_used;
        if (step.in_used || step.out_used || step.ended) continue;
        if (source->at_end && source->used == source->filled)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "reading %s: damaged %s data: the file ends too early, at byte "
                                 "offset %" PRId64 ", inside of a %s",
                                 source->name, source->unpacker->name, place(source),
                                 source->unpacker->frame);
        memcpy(step.reason, "no progress", sizeof "no progress");
        return trouble(source, SEQ_UNPACK_DAMAGED, &step, error);
    }
    return SEQ_OK;
}

typedef struct words {
    char text[40];
} words;

// Subject and verb of what the first bytes tell.
static words subject(const seq_byte_reader *source) {
    words out = {"it is"};
    if (source->unpacker)
        snprintf(out.text, sizeof out.text, "its %s data hold", source->unpacker->name);
    return out;
}

static seq_status check_encoding(const seq_byte_reader *source, const char *bytes, size_t size,
                                 seq_error *error) {
    const char *encoding = seq_form_wide_encoding(bytes, size);
    words words = subject(source);
    if (!encoding || source->rules.any_form) return SEQ_OK;
    if (source->rules.text)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: %s text in %s; convert it to UTF-8: iconv -f %s -t UTF-8",
                             source->name, words.text, encoding, encoding);
    seq_log_warning("%s: %s text in %s, and --unit byte takes its bytes; to convert it to UTF-8: "
                    "iconv -f %s -t UTF-8",
                    source->name, words.text, encoding, encoding);
    return SEQ_OK;
}

static seq_status check_form(const seq_byte_reader *source, const seq_form *form,
                             seq_error *error) {
    if (!form || source->rules.any_form) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: %s %s, not text%s%s%s", source->name,
                         subject(source).text, form->name, form->advice ? "; " : "",
                         form->advice ? form->advice : "",
                         source->rules.text ? "" : "; --as-is takes the bytes of any file");
}

static seq_status look_into_packed(seq_byte_reader *source, seq_error *error) {
    seq_status status = seq_allocate(&source->head, SEQ_FORM_BYTES, 1, "an input", error);
    for (size_t got = 1; !status && got && source->head_size < SEQ_FORM_BYTES;) {
        status = unpack(source, source->head + source->head_size,
                        SEQ_FORM_BYTES - source->head_size, &got, error);
        if (!status) source->head_size += got;
    }
    if (!status) status = check_form(source, seq_form_find(source->head, source->head_size), error);
    return status ? status : check_encoding(source, source->head, source->head_size, error);
}

static seq_status begin(seq_byte_reader *source, seq_error *error) {
    seq_status status = look_at_start(source, source->rules.as_is ? 1 : SEQ_FORM_BYTES, error);
    if (status || source->rules.as_is) return status;
    const seq_form *form = seq_form_find_named(source->path, source->buffer, source->filled);
    if (!form) return check_encoding(source, source->buffer, source->filled, error);
    if (form->packing == SEQ_PLAIN) return check_form(source, form, error);
    source->unpacker = seq_unpacker_find(form->packing);
    const seq_unpacker *unpacker = source->unpacker;
    if (!unpacker->package) return look_into_packed(source, error);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: it is %s data, and this program was built without %s: unpack "
                         "it with %s -d, or install the package %s and build again",
                         source->name, unpacker->name, unpacker->library, unpacker->name,
                         unpacker->package);
}

static seq_status open_descriptor(seq_byte_reader *source, seq_error *error) {
    struct stat status;
    bool standard = strcmp(source->path, "-") == 0;
    source->name = standard ? "standard input" : source->path;
    // A pipe without a writer is waited for where bytes are.
    source->descriptor =
        standard ? dup(STDIN_FILENO) : open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->descriptor < 0) return seq_error_set_errno(error, "opening %s", source->name);
    if (fstat(source->descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return seq_error_set_errno(error, "opening %s", source->name);
    }
    return SEQ_OK;
}

seq_status seq_byte_reader_open(const char *path, const seq_byte_reader_rules *rules,
                                seq_byte_reader **out, seq_error *error) {
    seq_byte_reader *source = NULL;
    seq_status status = seq_allocate(&source, 1, sizeof *source, "an input", error);
    if (status) return status;
    source->path = path;
    source->rules = *rules;
    source->descriptor = -1;
    status = seq_allocate(&source->buffer, BUFFER, 1, "an input", error);
    if (!status) status = open_descriptor(source, error);
    if (!status) status = begin(source, error);
    if (status)
        seq_byte_reader_close(source);
    else
        *out = source;
    return status;
}

int seq_byte_reader_file(const seq_byte_reader *source) {
    struct stat status;
    bool plain = !source->unpacker && strcmp(source->path, "-") != 0 &&
                 fstat(source->descriptor, &status) == 0 && S_ISREG(status.st_mode);
    return plain ? source->descriptor : 0;
}

void seq_byte_reader_close(seq_byte_reader *source) {
    if (!source) return;
    if (source->state) source->unpacker->end(source->state);
    if (source->descriptor >= 0) close(source->descriptor);
    free(source->buffer);
    free(source->head);
    free(source);
}

// What of `from` fits.
static size_t copy(char *out, size_t capacity, const char *from, size_t *used, size_t size) {
    size_t some = size - *used < capacity ? size - *used : capacity;
    if (some) memcpy(out, from + *used, some);
    *used += some;
    return some;
}

seq_status seq_byte_reader_read(seq_byte_reader *source, char *out, size_t capacity,
                                size_t *out_size, seq_error *error) {
    *out_size = copy(out, capacity, source->head, &source->head_used, source->head_size);
    if (*out_size) return SEQ_OK;
    if (source->unpacker) return unpack(source, out, capacity, out_size, error);
    *out_size = copy(out, capacity, source->buffer, &source->used, source->filled);
    if (*out_size || source->at_end) return SEQ_OK;
    return read_some(source, out, capacity, out_size, error);
}

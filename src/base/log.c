// Every message goes out as one line: what it quotes from a path, a file or a command line is
// escaped here, once, as a whole. So nothing that is quoted can end the line or steer the terminal.
// A reader that stays and reads nothing (Ctrl-S, a full pipe) is waited for once, for a second.
// Then lines are dropped and counted until it reads again; an error is worth the wait each time. A
// pipe that is ready has room for PIPE_BUF (4096) bytes, more than a line has. Tested by
// tests/cli/escapes.sh and tests/fault/streams.sh.
#include <seqtrain/base/log.h>
#include <seqtrain/base/escape.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE = 2048, PATIENCE = 1000 }; // bytes; milliseconds

// A mutable global (see the header).
static struct {
    FILE *stream;
    seq_log_level level;
    char program[32];
    bool terminal;
    bool live;    // the cursor stands on a live line
    bool stalled; // its reader reads nothing
    long dropped; // lines since then
} sink;

void seq_log_open(FILE *stream, seq_log_level level, const char *program) {
    sink.stream = stream;
    sink.level = level;
    sink.live = false;
    sink.stalled = false;
    sink.dropped = 0;
    sink.terminal = stream && isatty(fileno(stream));
    snprintf(sink.program, sizeof sink.program, "%s", program);
}

// Where writing fails at once, it does not block.
static bool is_ready(int milliseconds) {
    struct pollfd output = {.fd = fileno(sink.stream), .events = POLLOUT};
    if (output.fd < 0) return true; // a stream in memory
    int ready = poll(&output, 1, milliseconds);
    if (ready < 0 && errno == EINTR) ready = poll(&output, 1, 0);
    return ready != 0;
}

static bool put(const char *text, bool wait) {
    sink.stalled = !is_ready(wait || !sink.stalled ? PATIENCE : 0);
    if (sink.stalled) return false;
    fputs(text, sink.stream);
    fflush(sink.stream);
    return true;
}

static void tell_dropped(void) {
    char line[LINE];
    if (!sink.dropped) return;
    snprintf(line, sizeof line,
             "%s%s: warning: nobody read these messages for a while: %ld are missing here\n",
             sink.live ? "\n" : "", sink.program, sink.dropped);
    if (!put(line, false)) return;
    sink.dropped = 0;
    sink.live = false;
}

static void print(seq_log_level level, const char *prefix, const char *format, va_list arguments) {
    char text[LINE], line[2 * LINE];
    if (!sink.stream || level > sink.level) return;
    tell_dropped();
    size_t used = (size_t)snprintf(line, sizeof line, "%s", sink.live ? "\n" : "");
    if (prefix)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s: %s", sink.program, prefix);
    vsnprintf(text, sizeof text, format, arguments);
    seq_escape(text, strlen(text), false, line + used, sizeof line - used - 1);
    strcat(line, "\n");
    if (put(line, level == SEQ_LOG_ERROR))
        sink.live = false;
    else
        sink.dropped++;
}

#define PRINT(level, prefix)                                                                       \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        print(level, prefix, format, arguments);                                                   \
        va_end(arguments);                                                                         \
    } while (0)

void seq_log_info(const char *format, ...) {
    PRINT(SEQ_LOG_INFO, NULL);
}

void seq_log_warning(const char *format, ...) {
    PRINT(SEQ_LOG_WARNING, "warning: ");
}

void seq_log_error(const char *format, ...) {
    PRINT(SEQ_LOG_ERROR, "");
}

static size_t terminal_width(void) {
    struct winsize size;
    if (ioctl(fileno(sink.stream), TIOCGWINSZ, &size) || size.ws_col < 20) return 80;
    return size.ws_col;
}

void seq_log_live(bool landmark, const char *format, ...) {
    if (!sink.terminal) {
        if (landmark) PRINT(SEQ_LOG_INFO, NULL);
        return;
    }
    if (sink.level < SEQ_LOG_INFO) return;
    char text[LINE], escaped[LINE], line[LINE + 16];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t width = terminal_width();
    if (width < sizeof text) text[width - 1] = '\0';
    seq_escape(text, strlen(text), false, escaped, sizeof escaped);
    snprintf(line, sizeof line, "\r%s\033[K", escaped);
    if (put(line, false)) sink.live = true;
}

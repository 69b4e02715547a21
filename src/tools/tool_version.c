// Prints --version: the program's version, compiler and build type, then the
// lines that its caller adds. Test: tests/cli/options.sh.
#include "tool_version.h"
#include <stdio.h>

void tool_print_version(const char *program, const char *const *lines) {
    printf("%s %s\n  compiler: %s, %s build\n", program, SEQ_VERSION, SEQ_COMPILER, SEQ_BUILD_TYPE);
    for (; *lines; lines++)
        printf("  %s\n", *lines);
}

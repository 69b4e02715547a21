// --version, the same for every program.
#ifndef SEQ_TOOLS_VERSION_H
#define SEQ_TOOLS_VERSION_H

// "seqprep 0.1.0", the compiler and build type, then `lines` (NULL-terminated) indented.
void tool_print_version(const char *program, const char *const *lines);

#endif

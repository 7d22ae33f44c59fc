/*
 * Programs and libraries that make system calls by themselves, not through libc: the filter would not see their reads and writes, and a
 * file that they make in a volume would be plaintext. Every Go program is one; some in Rust, assembler, Free Pascal.
 */
#ifndef OVERLAY_RAW_PROGRAM_H
#define OVERLAY_RAW_PROGRAM_H

#include "filter.h"

struct raw_program {
    bool is_go;       /* the program, or one of its libraries: its stacks are small (trap.h) */
    bool makes_calls; /* one of them may; true of Go as well */
};

/* In the constructor: looks at all that is loaded. */
struct raw_program raw_program_look(void) HIDDEN;

/* Go's linker leaves a note in every program and library, */
bool raw_is_go_note(uintptr_t at, uintptr_t end) HIDDEN;

/* and sections by which Go's own tools know it, should it be built without the note. */
bool raw_file_is_go(int fd, bool is_sealed) HIDDEN;

/* pread, of the plain bytes of a sealed file. */
long raw_file_read(int fd, bool is_sealed, void *target, uint64_t size, uint64_t offset) HIDDEN;

/* A library that is about to be mapped for execution. False: it may not be, since nothing would see its calls; the reason was logged. */
bool raw_library_is_allowed(int fd, bool is_sealed) HIDDEN;

#endif

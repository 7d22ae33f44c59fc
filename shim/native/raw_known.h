/*
 * What was found in files, remembered beside the agent's socket, in a folder that is this user's alone to write: reading text that nobody else
 * reads takes each start 0.3 ms a megabyte. A file counts as the same as long as device, inode, size and both times are.
 */
#ifndef OVERLAY_RAW_KNOWN_H
#define OVERLAY_RAW_KNOWN_H

#include <sys/stat.h>

#include "raw_scan.h"

struct raw_file {
    uint64_t device, inode, size, modified, changed;
};

/* -1: there is no place to remember anything. */
int raw_known_open(void) HIDDEN;
void raw_known_close(int list) HIDDEN;

bool raw_known_is_worth_it(const Elf64_Phdr *headers, int count) HIDDEN;
struct raw_file raw_known_identify(const struct stat *status) HIDDEN;
bool raw_known_find(int list, const struct raw_file *file, enum raw_verdict *verdict) HIDDEN;
void raw_known_add(int list, const struct raw_file *file, enum raw_verdict verdict) HIDDEN;

#endif

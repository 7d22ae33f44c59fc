/*
 * What was found in large files, remembered beside the agent's socket, in a folder that is this user's alone: reading all of node's text
 * takes 10 ms of each start. A file counts as the same as long as device, inode, size and both times are.
 */
#ifndef OVERLAY_RAW_KNOWN_H
#define OVERLAY_RAW_KNOWN_H

#include <sys/types.h>

#include "raw_scan.h"

struct raw_file {
    uint64_t device, inode, size, modified, changed;
};

bool raw_known_is_worth_it(const Elf64_Phdr *headers, int count) HIDDEN;

/* False: there is no such file, or no place to remember anything. */
bool raw_known_identify(const char *path, struct raw_file *file) HIDDEN;

bool raw_known_find(const struct raw_file *file, enum raw_verdict *verdict) HIDDEN;
void raw_known_add(const struct raw_file *file, enum raw_verdict verdict) HIDDEN;

#endif

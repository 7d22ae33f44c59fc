#ifndef OVERLAY_LIBRARY_PIN_H
#define OVERLAY_LIBRARY_PIN_H

#include "filter.h"

/*
 * The loader knows libraries by device and inode. A mapping keeps a deleted file's inode, ours in plain memory does not, and the next
 * file to get that inode would be taken for the library: so the stored file is mapped, too, one page without access. It
 * stays for the life of the process, once for each library.
 */
void library_pin(int fd) HIDDEN;

#endif

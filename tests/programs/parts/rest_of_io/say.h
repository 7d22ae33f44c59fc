/* What the programs here say of a call: its text, its result, and the error. */
#ifndef SAY_H
#define SAY_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline long say(const char *what, long result)
{
    printf("%s: %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
    fflush(stdout);
    return result;
}

#define SAY(call) say(#call, (long)(call))

/* Where the number of a descriptor says nothing. */
static inline int opened(const char *what, int fd)
{
    printf("%s: %s\n", what, fd < 0 ? strerror(errno) : "opened");
    fflush(stdout);
    return fd;
}

#define OPENED(call) opened(#call, (call))

#endif

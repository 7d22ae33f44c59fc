/*
 * What overlay-ctl starts, under the shim, to become the program that it was asked for: so that one that lies in a volume is found, and
 * one that the shim cannot enter is refused, as everywhere else. overlay-exec COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* With tools/overlay-ctl/ExitCodes.cs, all of overlay-ctl's. */
#define NOT_EXECUTABLE 126
#define NOT_FOUND 127

int main(int count, char **arguments)
{
    if (count < 2)
        return NOT_FOUND;
    execvp(arguments[1], arguments + 1);
    if (errno == ENOENT) {
        fprintf(stderr, "overlay-ctl: %s: command not found.\n", arguments[1]);
        return NOT_FOUND;
    }
    fprintf(stderr, "overlay-ctl: %s: cannot be executed (errno %d).\n", arguments[1], errno);
    return NOT_EXECUTABLE;
}

/* mdwe COMMAND...: runs it where memory may not become executable, so that libc's text cannot be changed. Says so in plain sight where the
 * kernel has no such thing (before Linux 6.3). */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

int main(int count, char **arguments)
{
    if (count < 2)
        return 2;
    if (prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0)
        fprintf(stderr, "no PR_SET_MDWE here\n");
    execvp(arguments[1], arguments + 1);
    perror(arguments[1]);
    return 127;
}

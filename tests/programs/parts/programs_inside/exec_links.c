/* execveat relative to a directory, and by a symbolic link that must not be followed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void try(const char *what, int directory, const char *path, int flags)
{
    char *arguments[] = {"started", "at", NULL}, *environment[] = {"DESCRIPTORS=1", NULL};
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execveat(directory, path, arguments, environment, flags);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%s: %d\n", what, WEXITSTATUS(status));
}

int main(void)
{
    int directory = open("folder", O_RDONLY | O_DIRECTORY), path_only = open("who", O_PATH);
    try("relative", directory, "who", 0);
    try("relative script", directory, "script.sh", 0);
    try("link", directory, "link", 0);
    try("link not followed", directory, "link", AT_SYMLINK_NOFOLLOW);
    try("empty", directory, "", 0);
    try("a directory", directory, "", AT_EMPTY_PATH);
    try("O_PATH", path_only, "", AT_EMPTY_PATH);
    try("no such descriptor", 555, "who", 0);
    return 0;
}

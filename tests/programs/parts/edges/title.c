/*
 * title DIRECTORY MARKER: a server that writes its title where its arguments and its environment were (nginx, PostgreSQL and Perl's $0 do),
 * and only then touches its files and starts a program, with an environment of its own making.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void overwrite(char **argv)
{
    char *first = argv[0], *end = first;
    for (char **entry = argv; *entry != NULL; entry++)
        end = *entry + strlen(*entry) + 1;
    for (char **entry = environ; *entry != NULL; entry++)
        if (*entry == end)
            end = *entry + strlen(*entry) + 1;
    static char *s_environment[] = {"PATH=/usr/bin:/bin", NULL};
    environ = s_environment;
    memset(first, 0, (size_t)(end - first));
    strcpy(first, "title: working");
}

static void write_marker(const char *marker)
{
    int fd = open("by-the-server", O_RDWR | O_CREAT, 0600);
    printf("opened: %d, written: %zd\n", fd >= 0, write(fd, marker, strlen(marker)));
    close(fd);
}

int main(int argc, char **argv)
{
    static char s_directory[4096], s_marker[4096];
    if (argc != 3)
        return 2;
    strncpy(s_directory, argv[1], sizeof s_directory - 1);
    strncpy(s_marker, argv[2], sizeof s_marker - 1);
    overwrite(argv);
    if (chdir(s_directory) < 0)
        return 2;
    write_marker(s_marker);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *arguments[] = {"sh", "-c", "echo \"$0\" >by-its-program && cat by-its-program by-the-server", s_marker, NULL};
        execve("/bin/sh", arguments, environ);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    printf("its program: %d\n", status);
    return 0;
}

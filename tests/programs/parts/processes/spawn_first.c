/*
 * The first that a process has to do with a volume is done by a child that shares its memory: posix_spawn of a program there, or of
 * one whose output goes there. Then by itself. spawn_first run PROGRAM | to FILE | append FILE | write FILE | read FILE ...
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static void spawn(const char *program, const char *output)
{
    char *arguments[] = {(char *)program, "from the child", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output != NULL)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    pid_t child;
    int error = posix_spawn(&child, program, &actions, NULL, arguments, environ), status = -1;
    if (error == 0)
        waitpid(child, &status, 0);
    printf("%s: %s, %d\n", program, strerror(error), status);
}

static void use(const char *path, const char *mode)
{
    char line[100] = "";
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        perror(path);
        return;
    }
    if (*mode == 'r')
        printf("read %s", fgets(line, sizeof line, file) != NULL ? line : "nothing\n");
    else
        fprintf(file, "from the parent, mode %s\n", mode);
    if (fclose(file) != 0)
        perror(path);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 1; i + 1 < count; i += 2) {
        const char *verb = arguments[i], *path = arguments[i + 1];
        if (strcmp(verb, "run") == 0)
            spawn(path, NULL);
        else if (strcmp(verb, "to") == 0)
            spawn("/bin/echo", path);
        else
            use(path, strcmp(verb, "append") == 0 ? "a" : strcmp(verb, "write") == 0 ? "w" : "r");
    }
    return 0;
}

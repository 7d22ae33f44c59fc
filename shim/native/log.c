#include "log.h"

#include "syscalls.h"
#include "text.h"

static const char *s_path;

void log_set(const char *value)
{
    s_path = value != NULL && !text_same(value, "stderr") ? value : NULL;
}

static size_t append(char *line, size_t length, size_t limit, const char *text)
{
    while (*text != 0 && length < limit)
        line[length++] = *text++;
    return length;
}

static void write_line(const char *subject, const char *cause, const char *detail)
{
    char line[PATH_SIZE + 512];
    const size_t limit = sizeof line - 1;
    size_t length = append(line, 0, limit, "overlay: ");
    if (subject != NULL) {
        length = append(line, length, PATH_SIZE, subject);
        length = append(line, length, limit, ": ");
    }
    length = append(line, length, limit, cause);
    length = append(line, length, limit, detail);
    line[length++] = '\n';
    /* Opened for each line: a descriptor kept open would be one more number for the program to trip over. */
    long fd = s_path != NULL ? sys_openat(AT_FDCWD, s_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : 2;
    if (fd < 0)
        fd = 2;
    sys_write((int)fd, line, (long)length);
    if (fd != 2)
        sys_close((int)fd);
}

void log_line(const char *subject, const char *cause)
{
    write_line(subject, cause, "");
}

void log_error(const char *subject, const char *cause, long negative_errno)
{
    char detail[32] = " (errno ";
    size_t length = 8 + text_decimal(detail + 8, (unsigned long)-negative_errno);
    detail[length] = ')';
    detail[length + 1] = 0;
    write_line(subject, cause, detail);
}

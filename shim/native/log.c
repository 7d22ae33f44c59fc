#include "log.h"

#include <sys/uio.h>

#include "syscalls.h"
#include "text.h"

static const char *s_path;

void log_set(const char *value)
{
    s_path = value != NULL && !text_same(value, "stderr") ? value : NULL;
}

/* The rest of a text goes without saying. */
#define LONGEST_PART 4096

static struct iovec part(const char *text)
{
    size_t length = text_length(text);
    return (struct iovec){(char *)text, length < LONGEST_PART ? length : LONGEST_PART};
}

/* Standard error may be a sealed file's: what it would get is plaintext in the middle of its blocks. Then nobody is told. */
static bool is_sealed(int fd)
{
    struct stat status;
    return sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
}

/* One call, so that lines of several processes do not mix. */
static void write_line(const char *subject, const char *cause, const char *detail)
{
    const struct iovec line[] = {part("overlay: "), part(subject != NULL ? subject : ""), part(subject != NULL ? ": " : ""),
                                 part(cause), part(detail), part("\n")};
    /* Opened for each line: a descriptor kept open would be one more number for the program to trip over. */
    long fd = s_path != NULL ? sys_openat(AT_FDCWD, s_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : 2;
    if (fd < 0)
        fd = 2;
    if (!is_sealed((int)fd))
        overlay_raw_syscall6(SYS_writev, fd, (long)line, sizeof line / sizeof line[0], 0, 0, 0);
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

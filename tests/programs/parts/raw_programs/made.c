/* made TEXT: writes a file by code that it has made itself, as just-in-time compilers do. No look at any file finds it. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "raw.h"

static const unsigned char s_code[] = {
    0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, /* call(number, a, b, c) */
    0x0f, 0x05, 0xc3,
};

int main(int count, char **arguments)
{
    CHECK(count == 2);
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memcpy(memory, s_code, sizeof s_code);
    CHECK(mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0);
    long (*call)(long, long, long, long) = (long (*)(long, long, long, long))memory;
    long fd = call(SYS_open, (long)"by-made-code", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && call(SYS_write, fd, (long)arguments[1], (long)strlen(arguments[1])) == (long)strlen(arguments[1]));
    CHECK(call(SYS_close, fd, 0, 0) == 0);
    return 0;
}

#include "library_pin.h"

#include <sys/mman.h>

#include "syscalls.h"

#define PIN_LIMIT 512

static struct pin {
    dev_t device;
    ino_t inode;
} s_pins[PIN_LIMIT] LARGE;
static unsigned s_pin_count;

void library_pin(int fd)
{
    struct stat status;
    if (sys_fstat(fd, &status) < 0)
        return;
    /* Two threads may pin one library twice, or overwrite each other's note of it: a page more, no harm. */
    unsigned count = __atomic_load_n(&s_pin_count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < count; i++)
        if (s_pins[i].inode == status.st_ino && s_pins[i].device == status.st_dev)
            return;
    long at = overlay_raw_syscall6(SYS_mmap, 0, 1, PROT_NONE, MAP_PRIVATE, fd, 0);
    if (overlay_is_error(at) || count >= PIN_LIMIT)
        return;
    s_pins[count] = (struct pin){status.st_dev, status.st_ino};
    __atomic_store_n(&s_pin_count, count + 1, __ATOMIC_RELEASE);
}

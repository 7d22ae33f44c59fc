/*
 * touch   uses half of the memory that can be had, and 6 GiB at most, once, and gives it back
 *
 * A virtual machine's memory that was never used costs its first user some ten microseconds a page: that would be the first side, or the first row.
 */
#include "measure.h"
#include <sys/mman.h>

int main(void)
{
    const size_t most = (size_t)6 << 30;
    size_t available = (size_t)sysconf(_SC_AVPHYS_PAGES) * PAGE / 2, size = available < most ? available : most;
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    need(memory != MAP_FAILED, "mmap");
    for (size_t at = 0; at < size; at += PAGE)
        memory[at] = 1;
    return 0;
}

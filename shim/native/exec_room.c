#include "exec_room.h"

#include <sys/mman.h>

#include "syscalls.h"

static void *of_the_stack(struct exec_room *room, size_t size)
{
    room->used += size;
    return room->bytes + room->used - size;
}

void *exec_room_take(struct exec_room *room, size_t size)
{
    size = (size + 15) & ~15UL;
    if (is_borrowed_memory() && size <= EXEC_ROOM_SIZE - room->used)
        return of_the_stack(room, size);
    int free = room->mapped_size[0] == 0 ? 0 : 1;
    if (room->mapped_size[free] != 0)
        return NULL;
    long address = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(address)) /* who lowers RLIMIT_AS and execs may map nothing more, and needs nothing more */
        return size <= EXEC_ROOM_SIZE - room->used ? of_the_stack(room, size) : NULL;
    room->mapped[free] = (char *)address;
    room->mapped_size[free] = size;
    return room->mapped[free];
}

void exec_room_end(const struct exec_room *room)
{
    for (int i = 0; i < 2; i++)
        if (room->mapped_size[i] != 0)
            overlay_raw_syscall6(SYS_munmap, (long)room->mapped[i], (long)room->mapped_size[i], 0, 0, 0, 0);
}

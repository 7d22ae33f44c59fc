#include "kept.h"

#include "engine_call.h"
#include "fdtable.h"
#include "syscalls.h"
#include "text.h"

int overlay_has_locks;
static int s_adopted[KEPT_LIMIT], s_adopted_count;

void kept_note_lock(void)
{
    if (!is_borrowed_memory())
        __atomic_store_n(&overlay_has_locks, 1, __ATOMIC_RELAXED);
}

void kept_in_child(void)
{
    overlay_has_locks = 0;
}

static void set_flags(const int *descriptors, int count, int flags)
{
    for (int i = 0; i < count; i++)
        sys_fcntl(descriptors[i], F_SETFD, flags);
}

int kept_adopted(const int **descriptors)
{
    *descriptors = s_adopted;
    return s_adopted_count;
}

const char *kept_begin(struct kept *kept)
{
    kept->count = 0;
    if (__atomic_load_n(&overlay_has_locks, __ATOMIC_RELAXED) == 0 || is_borrowed_memory())
        return NULL;
    if (engine_is_loaded())
        kept->count = (int)ENGINE_CALL(own_descriptors, (long)kept->descriptors, KEPT_LIMIT);
    else
        for (; kept->count < s_adopted_count; kept->count++)
            kept->descriptors[kept->count] = s_adopted[kept->count];
    set_flags(kept->descriptors, kept->count, 0);
    size_t length = 0;
    for (int i = 0; i < kept->count; i++) {
        length += text_decimal(kept->text + length, (unsigned long)kept->descriptors[i]);
        kept->text[length++] = i + 1 < kept->count ? ',' : 0;
    }
    return kept->count > 0 ? kept->text : NULL;
}

void kept_end(const struct kept *kept)
{
    set_flags(kept->descriptors, kept->count, FD_CLOEXEC);
}

void kept_adopt(const char *list)
{
    while (*list >= '0' && *list <= '9' && s_adopted_count < KEPT_LIMIT) {
        int fd = 0;
        for (; *list >= '0' && *list <= '9' && fd < FD_LIMIT; list++)
            fd = fd * 10 + (*list - '0');
        list += *list == ',';
        struct stat status;
        if (sys_fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
            continue; /* not from an exec of ours */
        fd_reserve(fd, 1);
        s_adopted[s_adopted_count++] = fd;
    }
    set_flags(s_adopted, s_adopted_count, FD_CLOEXEC);
    overlay_has_locks = 1;
}

/*
 * A program must know what it sees before it looks at sizes, and nearly none sees ciphertext: so the agent is asked only where the volume has the mark
 * .overlay/ciphertext, or somebody else's .overlay cannot be looked into. The mark is only a hint. Where it is missing such a program is given no keys.
 */
#include "view.h"

#include <errno.h>

#include "engine_call.h"
#include "own_stack.h"
#include "syscalls.h"
#include "text.h"

enum { VIEW_UNKNOWN, VIEW_PLAIN, VIEW_RAW };
static int s_views[VOLUME_LIMIT];

static long look_for_mark(const long *arguments)
{
    const struct volume *volume = (const struct volume *)arguments[0];
    static const char name[] = "/.overlay/ciphertext";
    char path[PATH_SIZE + sizeof name];
    struct stat status;
    size_t length = volume->root_length == 1 ? 0 : volume->root_length;
    text_copy(path, volume->root, length);
    text_copy(path + length, name, sizeof name);
    return sys_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
}

bool view_is_raw(struct volume *volume)
{
    long index = volume - overlay_volumes;
    int known = __atomic_load_n(&s_views[index], __ATOMIC_ACQUIRE);
    if (known != VIEW_UNKNOWN)
        return known == VIEW_RAW;
    if (volume->is_out_of_reach)
        return false;
    long found = ON_OWN_STACK(look_for_mark, (long)volume);
    long answered = found == 0 || found == -EACCES ? ENGINE_CALL(view, index) : 0;
    if (answered < 0)
        return false; /* nobody answers: whatever is opened next says so */
    __atomic_store_n(&s_views[index], answered > 0 ? VIEW_RAW : VIEW_PLAIN, __ATOMIC_RELEASE);
    return answered > 0;
}

bool view_of_file_is_raw(int fd, int directory, const char *path)
{
    int raw = 0;
    for (int i = 0; i < overlay_volume_count; i++)
        raw += view_is_raw(&overlay_volumes[i]);
    if (raw == 0 || raw == overlay_volume_count)
        return raw > 0;
    struct volume *volume = fd >= 0 ? volumes_of_descriptor(fd) : volumes_locate(directory, path);
    return volume != NULL && view_is_raw(volume);
}

void view_ask_all(void)
{
    for (int i = 0; i < overlay_volume_count; i++)
        (void)view_is_raw(&overlay_volumes[i]);
}

/* Record locks of processes and of descriptions, and flock. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "world.h"

void step_of_locks(void)
{
    static const int commands[] = {F_SETLK, F_GETLK, F_OFD_SETLK, F_OFD_GETLK};
    static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK}, whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    int fd = any_fd();
    if (one_in(5)) {
        static const int kinds[] = {LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN};
        int kind = kinds[below(3)];
        say("flock(%d, %d)", fd, kind);
        answer(flock(fd, kind));
        return;
    }
    int command = commands[below(4)];
    int64_t start = odd_offset() - (one_in(3) ? 5000 : 0), length = (int64_t)odd_size();
    struct flock lock = {.l_type = types[below(3)], .l_whence = whences[below(3)], .l_start = start, .l_len = length};
    say("lock(%d, %d, %d, %d, %lld, %lld)", fd, command, lock.l_type, lock.l_whence, (long long)start, (long long)length);
    int result = fcntl(fd, command, &lock);
    int is_ours = lock.l_pid == getpid(), is_description = lock.l_pid == -1;
    say(" type %d whence %d start %lld length %lld %s", lock.l_type, lock.l_whence, (long long)lock.l_start, (long long)lock.l_len,
        lock.l_pid == 0 ? "nobody" : is_ours ? "ours" : is_description ? "description" : "other");
    answer(result);
}

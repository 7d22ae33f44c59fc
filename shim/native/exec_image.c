#include "exec_image.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "engine_call.h"
#include "exec_elf.h"
#include "log.h"
#include "program_name.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

static long create(const struct program_level *level)
{
    char path[PATH_SIZE];
    bool is_descriptor = level->path[0] == 0;
    /* O_PATH: closing it drops none of the program's POSIX locks. */
    long fd = is_descriptor ? level->directory
                            : sys_openat(level->directory, level->path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    const char *name = volumes_path_of((int)fd, path) ? program_name_for_image(path) : PROGRAM_NAME_UNKNOWN;
    if (!is_descriptor)
        sys_close((int)fd);
    long image = overlay_raw_syscall6(SYS_memfd_create, (long)name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC, 0, 0, 0, 0);
    if (image == -EINVAL) /* before Linux 6.3 */
        image = overlay_raw_syscall6(SYS_memfd_create, (long)name, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0, 0, 0, 0);
    if (image < 0)
        log_error(level->path, "no memory file for a program of a volume (is vm.memfd_noexec set?)", image);
    return image;
}

/* RLIMIT_FSIZE is about the program's files, but memory files count as well, and the answer would be a deadly signal. */
static long set_size(int fd, uint64_t size)
{
    struct rlimit asked, raised;
    long error = overlay_raw_syscall6(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&asked, 0, 0);
    bool is_tight = error == 0 && asked.rlim_cur < size;
    if (is_tight) {
        raised.rlim_cur = size;
        raised.rlim_max = asked.rlim_max < size ? size : asked.rlim_max; /* only root may do that */
        if (overlay_raw_syscall6(SYS_prlimit64, 0, RLIMIT_FSIZE, (long)&raised, 0, 0, 0) < 0)
            return -EFBIG;
    }
    /* Allocated, not only sized: where memory is short this is an errno, and storing to it would be a deadly signal, too. */
    error = overlay_raw_syscall6(SYS_fallocate, fd, 0, 0, (long)size, 0, 0);
    if (is_tight)
        overlay_raw_syscall6(SYS_prlimit64, 0, RLIMIT_FSIZE, (long)&asked, 0, 0, 0);
    return error;
}

/* The program asks for overlay-start in its loader's place: by descriptor, since any other name would be too long. */
static void put_start_before_loader(const struct elf_image *elf, struct exec_image *image)
{
    uint64_t room;
    char *name = elf_interpreter(elf, &room), link[40] = "/proc/self/fd/";
    if (name == NULL || room > LOADER_NAME_SIZE)
        return;
    long fd = sys_openat(AT_FDCWD, overlay_settings.start_path, O_PATH | O_CLOEXEC, 0);
    size_t length = fd < 0 ? room : 14 + text_decimal(link + 14, (unsigned long)fd);
    if (length >= room) {
        if (fd >= 0)
            sys_close((int)fd);
        log_line(overlay_settings.start_path, "cannot be put before the loader: libraries of volumes will not be found");
        return;
    }
    text_copy(image->loader, name, room);
    for (uint64_t i = 0; i < room; i++)
        name[i] = i < length ? link[i] : 0;
    image->start = (int)fd;
}

static long fill(struct exec_image *image, const struct program_level *level, uint64_t size, bool searches_volumes)
{
    long error = set_size(image->fd, size);
    if (error < 0)
        return error;
    long address = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0);
    if (overlay_is_error(address))
        return address;
    long count = ENGINE_CALL(peek, level->path[0] == 0 ? level->directory : -1, level->directory, (long)level->path,
                             level->flags, address, (long)size);
    struct elf_image elf = {(char *)address, count < 0 ? 0 : (uint64_t)count};
    uint64_t room;
    image->has_loader = elf_interpreter(&elf, &room) != NULL;
    if (searches_volumes || elf_names_places(&elf))
        put_start_before_loader(&elf, image);
    overlay_raw_syscall6(SYS_munmap, address, (long)size, 0, 0, 0, 0);
    if (count < 0)
        return count;
    if ((uint64_t)count < size)
        error = overlay_raw_syscall6(SYS_ftruncate, image->fd, count, 0, 0, 0, 0);
    return error < 0 ? error
                     : sys_fcntl(image->fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

long exec_image_make(const struct program_level *level, bool searches_volumes, struct exec_image *out)
{
    struct stat status;
    *out = (struct exec_image){.fd = -1, .start = -1};
    long error = sys_fstatat(level->directory, level->path, &status, level->flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
    if (error < 0)
        return error;
    long size = !level->is_sealed ? status.st_size
                                  : ENGINE_CALL(size, level->path[0] == 0 ? level->directory : -1, level->directory,
                                                (long)level->path, level->flags, (long)status.st_dev, (long)status.st_ino);
    if (size < 0)
        return size;
    if (size == 0 || size > 0x7fffffff)
        return -ENOEXEC;
    long fd = create(level);
    if (fd < 0)
        return fd;
    out->fd = (int)fd;
    error = fill(out, level, (uint64_t)size, searches_volumes);
    if (error < 0)
        exec_image_close(out);
    return error;
}

void exec_image_close(const struct exec_image *image)
{
    if (image->fd >= 0)
        sys_close(image->fd);
    if (image->start >= 0)
        sys_close(image->start);
}

/* Which paths lie in a volume. Answers are lexical where that is enough; the kernel's resolution decides elsewhere. */
#ifndef OVERLAY_VOLUMES_H
#define OVERLAY_VOLUMES_H

#include <sys/stat.h>

#include "filter.h"

struct volume {
    size_t root_length;
    uint64_t device, inode; /* of the root directory */
    bool is_out_of_reach;   /* since a chroot: the root's path is as it was, as /proc/self/fd shows it of descriptors that are left */
    uint32_t block_size;    /* 0 until config.json was read; then the default block size, or 1 = not known */
    char root[PATH_SIZE];   /* absolute, real, no slash at the end */
};

#define VOLUME_LIMIT 16
extern struct volume overlay_volumes[VOLUME_LIMIT] HIDDEN;
extern int overlay_volume_count HIDDEN;

/* After a chroot: only the filter knows where the volumes are now. */
extern bool overlay_volumes_are_rebased HIDDEN;

/* Takes the value of OVERLAY_VOLUMES; returns 0, or -errno with *bad pointing at the entry that cannot be used. */
long volumes_set(const char *list, const char **bad) HIDDEN;

/* The volume in which an absolute real path lies (the root itself included), or NULL. */
struct volume *volumes_containing(const char *path) HIDDEN;

/* The real path behind fd, by /proc; false where there is none. */
bool volumes_path_of(int fd, char path[PATH_SIZE]) HIDDEN;

/* The volume in which what is behind fd lies by its path, or NULL. */
struct volume *volumes_of_descriptor(int fd) HIDDEN;

/* Joins and normalises (directory, path) lexically; symbolic links are not followed. False: cannot tell. */
bool volumes_absolute(int directory, const char *path, char absolute[PATH_SIZE]) HIDDEN;

/* The volume in which (directory, path) seems to lie, or NULL. */
struct volume *volumes_locate(int directory, const char *path) HIDDEN;

/* The same of a path that is PATH_PLAIN. */
struct volume *volumes_locate_plain(int directory, const char *path) HIDDEN;

/* True for a volume's `.overlay` and everything below: the program gets ENOENT. False of any path that is PATH_PLAIN. */
bool volumes_hides(int directory, const char *path) HIDDEN;

/* listing.c: is this a directory from whose listing nothing is left out? */
bool listing_hides_nothing(const struct stat *status) HIDDEN;

/* True if a file on this device could lie in a volume (volumes_device.c). */
bool volumes_on_device(uint64_t device) HIDDEN;

/* Before a mount of our own. */
void volumes_forget_devices(void) HIDDEN;

/* Is this the root directory of a volume? */
bool volumes_is_root(uint64_t device, uint64_t inode) HIDDEN;

/* The volume in which the file lies although its path does not say so: the volume was renamed since we started. Or NULL. */
const struct volume *volumes_moved_over(int fd) HIDDEN;

/* The block size that the arithmetic of settled sizes uses (format 8), or 0 where it is not known or not unique. */
uint32_t volumes_block_size(void) HIDDEN;

/* After chdir, fchdir, chroot. */
void volumes_forget_directory(void) HIDDEN;

/* Since a chroot: /proc; else -1. */
extern int overlay_proc HIDDEN;

/* Around a chroot: before it, and after it with the new root's path as it was, or "" where that is not known. */
void volumes_keep_roots(void) HIDDEN;
void volumes_rebase(const char *root) HIDDEN;

#endif

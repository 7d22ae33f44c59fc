/*
 * The engine's exports, as the call filter sees them. The C# side is shim/Exports.cs; a test compares the two lists.
 *
 * Every function returns a value >= 0, or -errno. All are called with asynchronous signals blocked, the fork gate held shared
 * and the thread marked "in engine" (its own libc calls then pass straight to the kernel). Buffers belong to the program.
 * `fd` is always the program's descriptor, whose kernel offset is the logical offset.
 */
#ifndef OVERLAY_ENGINE_H
#define OVERLAY_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

struct cache_table;
struct cached_file;
struct process_counters;

/* What filter and runtime ask of each other about threads (shim/runtime/threads.c). */
struct overlay_engine_threads {
    /* Ours: has the process no other thread? Then the rest is left out. And around the runtime's work at the end of a thread; no fork meanwhile, and no signal any more. */
    bool (*is_last)(void);
    void (*enter_for_end)(void);
    void (*leave_for_end)(void);
    /* The engine's: in each thread before its first call comes to the gate; at once in a forked child. */
    void (*prepare)(void);
    void (*forget)(void);
};

/* A private mapping that is filled when it is touched, a unit at a time. */
struct overlay_lazy_range {
    int64_t start, end;
    const uint8_t *filled; /* a byte for each unit: not 0, it is; never unmapped. NULL: not known */
    int64_t offset;        /* of `start` in what `filled` speaks of */
    int64_t unit_log2;
};

/* A second thread for large writes, in the order in which they are called (IHelper.cs, helper.h). */
struct overlay_helper_calls {
    int (*take)(int64_t bytes);
    void (*call)(long (*work)(void *job), void *job);
    void (*recall)(void);
    void (*release)(void);
};

struct overlay_engine_start {
    const char *volumes;      /* OVERLAY_VOLUMES: absolute real paths, separated by ':' */
    const char *agent;        /* OVERLAY_AGENT: socket path, or NULL: find or start one by OVERLAY_KEY_FILE */
    const char *key_file;     /* OVERLAY_KEY_FILE or NULL */
    const char *library_path; /* where liboverlay-engine.so was loaded from */
    /* Starts `overlay-ctl agent --autostart` outside of the program's sight; returns 0 when it serves, or -errno. */
    long (*start_agent)(const char *overlay_ctl, const char *volumes, const char *key_file);
    /*
     * Keeps a descriptor of the engine (reserved = 1) out of the program's reach, or gives it back (0). 2: it is closed in forked children,
     * before anything else.
     */
    void (*reserve_descriptor)(int fd, int reserved);
    struct overlay_engine_threads *threads;
    /* Where sealed files are mapped shared: starts and ends, merged and in order. One call at a time. */
    void (*note_mappings)(const int64_t *pairs, int count);
    /* Descriptors that the exec before us left open (kept.h). */
    const int *kept;
    int64_t kept_count;
    /* Grows with each process that gets our descriptors. */
    const int *fork_count;
    /* Not 0: the process has, or had, POSIX locks, which closing any descriptor of their file would drop. */
    const int *has_locks;
    /* Grows when the program changes its limit of file sizes. */
    const int *limit_changes;
    struct overlay_recent *recent; /* recent.h */
    /* Where private mappings lie that are filled when they are touched, in order. One call at a time. */
    void (*note_lazy)(const struct overlay_lazy_range *ranges, int count);
    /* Before the first of them: 1: their faults will be answered; 0: they cannot be. */
    int (*begin_lazy)(void);
    /* Not 0: the program has put a seccomp filter on itself. */
    const int *has_filter;
    /* Grows when the program unmaps or protects memory. */
    const uint32_t *memory_generation;
    /* OVERLAY_CACHE: bytes of the block cache at most, or NULL. */
    const char *cache_size;
    /* Filled by the engine, for cached_read.c. */
    struct cache_table *cache;
    struct cached_file **cached_files; /* by descriptor */
    int64_t descriptor_limit;
    struct process_counters **counters; /* counters.h; set by the engine where somebody watches */
    const struct overlay_helper_calls *helper;
};

/* What overlay_attach is told about a descriptor. */
enum {
    OVERLAY_ATTACH_TRUNCATE = 1,  /* the program asked for O_TRUNC; the filter took it out of the kernel's open */
    OVERLAY_ATTACH_TRANSIENT = 2, /* a CLONE_VM child: do the work on the file (create, truncate), remember nothing */
    /* After a chroot: by its path the file lies in volume (flags >> 8); the engine cannot tell. */
    OVERLAY_ATTACH_INSIDE = 8,
    OVERLAY_ATTACH_OPENED = 4,    /* just opened by path (so foreign files are refused); otherwise inherited or received */
};

/* What overlay_transfer is told of its input, where that is sealed and more than that is to be said. */
enum { OVERLAY_TRANSFER_DISTINCT = 2 };

/* What the filter knows of a descriptor, so that the engine need not ask the kernel again (OpenedFile.cs). */
struct overlay_opened {
    uint64_t device, inode;
    int64_t size;
    uint32_t mode;
    int32_t flags; /* as F_GETFL has them; -1: to be asked for */
};

/* Names of the entry points for dlsym, in the order of struct overlay_engine. */
#define OVERLAY_ENGINE_EXPORTS(X)                                                                                      \
    X(int, nop, (void))                                                                                                \
    X(long, start, (const struct overlay_engine_start *start))                                                         \
    /* First engine call of a forked child: new agent connection, new lock descriptors, forget in-flight state. */     \
    /* is_of_borrower: the descriptors are those of a CLONE_VM child (borrowed.c), not those that the engine knows. */  \
    X(long, after_fork, (int is_of_borrower))                                                                          \
    /* Before exit_group and execve: settle what this process has open. */                                             \
    X(long, settle_all, (void))                                                                                        \
    /* The engine's own descriptors of sealed files, at most `limit`; how many. */                                     \
    X(long, own_descriptors, (int *descriptors, int limit))                                                            \
    /* Connect to the agent now, before the program may cut itself off (chroot, setuid, setns, seccomp). */            \
    X(long, prepare, (void))                                                                                           \
    /* 1: sealed and remembered; 0: not ours; -errno: ours, but it cannot be used. opened may be NULL. */              \
    X(long, attach, (int fd, int attach_flags, const struct overlay_opened *opened))                                   \
    /* Before the kernel closes or replaces fd; or afterwards, where that needs nothing of it (recent.h). */           \
    X(long, detach, (int fd, int may_be_closed))                                                                       \
    /* Before fcntl(F_SETFL), with the flags that are to come, and after it, with 0. */                                \
    X(long, flags_changed, (int fd, int coming))                                                                       \
    X(long, read, (int fd, void *buffer, uint64_t size))                                                               \
    X(long, write, (int fd, const void *buffer, uint64_t size))                                                        \
    X(long, pread, (int fd, void *buffer, uint64_t size, int64_t offset))                                              \
    X(long, pwrite, (int fd, const void *buffer, uint64_t size, int64_t offset))                                       \
    /* offset -1: at the descriptor's offset; rwf_flags as in preadv2 (RWF_APPEND, RWF_DSYNC, RWF_SYNC, ...). */       \
    X(long, readv, (int fd, const void *iov, int count, int64_t offset, int rwf_flags))                                \
    X(long, writev, (int fd, const void *iov, int count, int64_t offset, int rwf_flags))                               \
    X(long, lseek, (int fd, int64_t offset, int whence))                                                               \
    X(long, ftruncate, (int fd, int64_t length))                                                                       \
    /* path is resolved by the kernel relative to the working directory; 0 = not sealed, do it raw. */                 \
    X(long, truncate, (const char *path, int64_t length, int64_t *result))                                             \
    X(long, fallocate, (int fd, int mode, int64_t offset, int64_t length))                                             \
    /* sync_file_range's flags; a valid range, length 0: to the end. */                                                \
    X(long, sync_range, (int fd, int64_t offset, int64_t length, uint32_t flags))                                      \
    X(long, fsync, (int fd, int data_only))                                                                            \
    /* Logical size of an unsettled file, for stat; fd >= 0, or (dirfd, path, at_flags). */                            \
    X(long, size, (int fd, int dirfd, const char *path, int at_flags, uint64_t device, uint64_t inode))                \
    /* The first bytes of a file that need not be attached (a program to be executed); fd >= 0, or (dirfd, path,       \
       at_flags). */                                                                                                   \
    X(long, peek, (int fd, int dirfd, const char *path, int at_flags, void *buffer, uint64_t size))                    \
    /* The keeper lets go of the file's pages, and of the file, if no process maps it any more; the file as with peek. */                \
    X(long, release_pages, (int fd, int dirfd, const char *path, int at_flags))                                        \
    /* sendfile, copy_file_range, splice: offsets may be NULL (then the descriptor's own). Either may be sealed;       \
       in_sealed is OVERLAY_TRANSFER_DISTINCT where ranges of one file must not meet. */                               \
    X(long, transfer, (int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset, uint64_t size, int in_sealed,   \
                       int out_sealed))                                                                                \
    /* A mapping of a sealed file: the address, or -errno. */                                                          \
    X(long, mmap, (uint64_t address, uint64_t length, int protection, int flags, int fd, int64_t offset))              \
    /* Before the kernel maps something that is not ours over shared mappings of sealed files. */                      \
    X(long, map_over, (uint64_t address, uint64_t length))                                                             \
    /* munmap, mremap and msync are done by the engine, kernel call and all. */                                        \
    X(long, munmap, (uint64_t address, uint64_t length))                                                               \
    X(long, mremap, (uint64_t address, uint64_t length, uint64_t new_length, int flags, uint64_t new_address))         \
    /* Before mprotect makes something writable. */                                                                    \
    X(long, allow_writing, (uint64_t address, uint64_t length))                                                        \
    X(long, msync, (uint64_t address, uint64_t length, int flags))                                                     \
    /* Makes present what lies there. access: the PROT_ bit of an access that faulted; 0: before the kernel reads or writes it. What the \
       program may do there, or -EFAULT: the fault is its own; other errors: what was to be there cannot be had. */    \
    X(long, fault, (uint64_t address, uint64_t length, int access))                                                    \
    /* mprotect and mmap(MAP_FIXED) where such mappings lie, kernel call and all; 0: none does, it is the kernel's. */ \
    X(long, protect_lazily, (uint64_t address, uint64_t length, int protection))                                       \
    X(long, map_over_lazy, (uint64_t address, uint64_t length, int protection, int flags, int fd, int64_t offset))  \
    /* 1: by the policy of the volume with this number the process sees ciphertext, and gets no keys; else 0. */       \
    X(long, view, (int volume))

#define OVERLAY_DECLARE(type, name, parameters) type(*name) parameters;
struct overlay_engine {
    OVERLAY_ENGINE_EXPORTS(OVERLAY_DECLARE)
};
#undef OVERLAY_DECLARE

#endif

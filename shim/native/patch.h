/* Call interception: routes the file calls of libc through overlay_filter (design D2).
 *
 * overlay_patch_install() runs once, from the shim's constructor, while the process has one thread and no
 * signal handler. It needs no libc function but dl_iterate_phdr, and leaves no heap, no thread-local state. */
#ifndef OVERLAY_PATCH_H
#define OVERLAY_PATCH_H

#include <stddef.h>
#include <stdint.h>

#include "trampoline.h"

/* x86-64 call numbers end well below this; a larger number never reaches the filter. */
#define OVERLAY_NUMBER_LIMIT 512

/* One byte for each number: 0 lets the call pass in about a nanosecond without asking the filter. Starts as the
 * bitmap given to overlay_patch_install; may be changed at any time with a plain store. Numbers whose sites were
 * not patched at all (absent from that bitmap) stay invisible whatever is stored here, except at the few sites
 * whose number is known only when they run (`syscall()`, glibc 2.41's cancellable calls). */
extern __attribute__((visibility("hidden"))) volatile uint8_t *overlay_interest;

/* What becomes of one `syscall` instruction. */
enum overlay_site_fate {
    OVERLAY_SITE_NOT_CODE,       /* the bytes 0f 05 inside another instruction */
    OVERLAY_SITE_NOT_WANTED,     /* its number is known and not among those wanted */
    OVERLAY_SITE_JUMP,           /* the instructions before it moved to a slot, a 5-byte jump in their place */
    OVERLAY_SITE_SPRINGBOARD,    /* too little room: a 2-byte jump to a 5-byte jump in the padding nearby */
    OVERLAY_SITE_CALLERS,        /* glibc 2.41's __syscall_cancel_arch: the calls to it are redirected */
    OVERLAY_SITE_UNPATCHABLE,
};

struct overlay_patch_site {
    uintptr_t syscall;           /* the instruction */
    uintptr_t start;             /* what is overwritten: from here */
    uintptr_t springboard;       /* where the 5-byte jump goes if not to `start`, 0 = to `start` */
    uintptr_t slot;              /* set when the slots are written */
    const uint8_t *code;         /* what should be at `start`, for who must not read it there yet (patch_known.h); 0: read it there */
    int32_t number;              /* -1: known only when it runs */
    uint8_t moved;               /* bytes from `start` to `syscall`, which the slot runs instead */
    uint8_t overwritten;         /* bytes changed at `start`: whole instructions */
    uint8_t fate;
};

struct overlay_patch_options {
    uint64_t numbers[OVERLAY_NUMBER_LIMIT / 64];    /* bit n: the filter wants to see call n */
    int include_loader;                             /* also patch ld-linux's sites */
    int restore_loader;                             /* somebody else has patched them: put them back first */
    int add_stubs;                                  /* overlay_patch_stubs */
    /* Optional: told of every `syscall` site and what becomes of it (tests, diagnostics). Called before anything is
     * changed. */
    void (*observe)(const struct overlay_patch_site *site, void *context);
    void *observe_context;
};

/* Behind the end of libc's text, in its last page: `syscall; ret`, and what returns from a signal handler. */
struct overlay_patch_stubs {
    uintptr_t text, text_end;        /* libc's, the stubs included */
    uintptr_t raw_entry, restorer;   /* 0: there was no room */
};

enum overlay_patch_result {
    OVERLAY_PATCH_OK = 0,
    OVERLAY_PATCH_NO_LIBC = 1,          /* no glibc among the loaded modules */
    OVERLAY_PATCH_UNPATCHABLE = 2,      /* a file call could not be intercepted; nothing was changed */
    OVERLAY_PATCH_NO_MEMORY = 3,        /* no room for trampolines within reach of libc, or out of memory */
    OVERLAY_PATCH_TEXT_FIXED = 4,       /* program text may not be changed (PR_SET_MDWE, SELinux execmod, seccomp);
                                           nothing was changed */
    OVERLAY_PATCH_NOT_AS_KNOWN = 5,     /* never answered: a text is not what its build id says; all are analysed then */
};

struct overlay_patch_report {
    uint32_t found;                 /* `syscall` instructions in the modules */
    uint32_t patched;
    uint32_t skipped_not_wanted;
    uint32_t unpatchable_wanted;    /* more than 0 only with OVERLAY_PATCH_UNPATCHABLE */
    uintptr_t first_unpatchable;    /* address in its module, for the message; 0 = none */
    const char *module;             /* path of the module that was being worked on when an error arose */
    int error;                      /* errno of a failed mmap or mprotect, else 0 */
    struct overlay_patch_stubs stubs;
    uint32_t modules, known_modules; /* looked at; of these, those whose plan was made when the shim was built */
};

/* Answers enum overlay_patch_result. On anything but OVERLAY_PATCH_OK nothing is intercepted and libc is as it was. */
__attribute__((visibility("hidden")))
int overlay_patch_install(const struct overlay_patch_options *options, struct overlay_patch_report *report);

/* What went wrong, in a few words; for the line the shim writes before it refuses to run. */
__attribute__((visibility("hidden"))) const char *overlay_patch_explain(int result);

#endif

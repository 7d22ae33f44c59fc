/* The one way into the engine: loads it on first need, and keeps signals, fork and vector state out of its way. */
#ifndef OVERLAY_ENGINE_CALL_H
#define OVERLAY_ENGINE_CALL_H

#include <sys/stat.h>

#include "engine.h"
#include "filter.h"

/* Filled when the engine is loaded; read only through ENGINE_CALL. */
extern struct overlay_engine overlay_engine HIDDEN;

/* True while this thread runs engine (or loader) code: its system calls go straight to the kernel. */
extern __thread int overlay_in_engine HIDDEN __attribute__((tls_model("initial-exec")));

/* Calls *entry with the arguments; ELIBACC where the engine cannot be loaded, another errno where it cannot be now. */
long engine_invoke(void *const *entry, const long arguments[7]) HIDDEN;

bool engine_is_loaded(void) HIDDEN;

/* Loaded, and this thread has all that it needs of libc for its calls. */
bool engine_is_ready(void) HIDDEN;

/* Descriptors that are not the program's lie here and above, where there is room (Descriptors.cs, HighestFloor). */
#define HIGH_DESCRIPTOR 768

/* At the end of a thread. */
void engine_forget_thread(void) HIDDEN;

#define ENGINE_CALL(name, ...) engine_invoke((void *const *)&overlay_engine.name, (const long[7]){__VA_ARGS__})

static inline struct overlay_opened engine_opened(const struct stat *status, int flags)
{
    return (struct overlay_opened){status->st_dev, status->st_ino, status->st_size, status->st_mode, flags};
}

/* What init.c found in the environment; the strings stay valid. */
struct engine_settings {
    const char *engine_path, *start_path, *volumes, *agent, *key_file, *cache_size;
    const char *runtime_entry; /* "OVERLAY_RUNTIME_DIR=..." or NULL: a started agent must listen where we look */
};
extern struct engine_settings overlay_settings HIDDEN;

/* In the copy that a borrower made of itself: what the engine knows of descriptors is not true there. */
void engine_serve_borrower(void) HIDDEN;

/* In a forked child, at once. */
void engine_in_child(void) HIDDEN;

#endif

/* The code of stubs. Each ends in overlay_entry with rcx behind a `syscall`: the site's own, or one in the stub. */
#include "patch.h"

#include "text.h"
#include "trampoline.h"

struct writer {
    uint8_t *at;
    bool fits;
};

static void put(struct writer *writer, const void *bytes, size_t count)
{
    text_copy((char *)writer->at, bytes, count); /* not memcpy: while libc is patched its text cannot run */
    writer->at += count;
}

/* An opcode and the distance from its end to `target`. */
static void put_relative(struct writer *writer, const char *opcode, size_t opcode_length, const uint8_t *target)
{
    put(writer, opcode, opcode_length);
    int64_t distance = target - (writer->at + 4);
    int32_t narrow = (int32_t)distance;
    writer->fits &= distance == narrow;
    put(writer, &narrow, sizeof narrow);
}

#define LEA_RCX "\x48\x8d\x0d"
#define JMP "\xe9"

bool patch_write_stub(const struct patch_site *site, uint8_t *stub)
{
    struct writer writer = {stub, true};
    if (site->kind == PATCH_MOV) {
        put(&writer, "\xb8", 1);
        put(&writer, &site->number, 4);
        put_relative(&writer, LEA_RCX, 3, site->syscall + 2);
        put_relative(&writer, JMP, 1, (const uint8_t *)overlay_entry);
        return writer.fits;
    }
    if (site->kind == PATCH_HEAD)
        put(&writer, site->start, (size_t)(site->syscall - site->start));
    uint8_t *after_syscall = writer.at + 7 + 5 + 2;
    put_relative(&writer, LEA_RCX, 3, after_syscall);
    put_relative(&writer, JMP, 1, (const uint8_t *)overlay_entry);
    put(&writer, "\x0f\x05", 2);
    if (site->kind == PATCH_TAIL)
        put(&writer, site->syscall + 2, (size_t)(site->length - 2));
    put_relative(&writer, JMP, 1, site->start + site->length);
    return writer.fits;
}

void patch_write_jump(const struct patch_site *site, const uint8_t *stub)
{
    struct writer writer = {site->start, true};
    put_relative(&writer, JMP, 1, stub);
    /* Nobody comes to the rest; a trap shows it if somebody did. For MOV the rest is the `syscall` itself, untouched. */
    for (; site->kind != PATCH_MOV && writer.at < site->start + site->length; writer.at++)
        *writer.at = 0xcc;
}

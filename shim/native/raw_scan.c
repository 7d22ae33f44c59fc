#include "raw_scan.h"

#include <sys/syscall.h>

#include "dispatch.h"
#include "patch_number.h"
#include "patch_scan.h"

/* How far before a `syscall` that lies in no described function its number may be set. */
#define NUMBER_DISTANCE 32
/* From where ways to it begin. */
#define NEAREST 4
#define FARTHEST 64

struct scan {
    struct patch_module module;
    struct function_scratch *scratch;
    struct function_map map;
    int64_t mapped; /* the function in `map`, -1: none */
    bool is_mapped_whole;
    uintptr_t walked; /* where an instruction starts, in a function too long to be mapped */
    int64_t walked_in;
};

static bool concerns_us(long number)
{
    static uint8_t s_interest[CALL_LIMIT];
    if (s_interest[SYS_write] == 0)
        dispatch_mark_interest(s_interest, false);
    /* Whoever sets thread pointers by himself is to be refused (process.c). */
    return number < 0 || number >= CALL_LIMIT || number == SYS_arch_prctl || s_interest[number] != 0;
}

static uint32_t word_at(const uint8_t *code)
{
    return code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
}

/* mov $number,%eax or %rax; xor %eax,%eax; mov register,%eax; mov from the stack; push $number, pop %rax */
static bool sets_number(const uint8_t *code)
{
    if (code[0] == 0xb8)
        return word_at(code + 1) < CALL_LIMIT;
    if (code[0] == 0xc7 && code[1] == 0xc0)
        return word_at(code + 2) < CALL_LIMIT;
    if (code[0] == 0x31 || code[0] == 0x33)
        return code[1] == 0xc0;
    if (code[0] == 0x89)
        return (code[1] & 0xc7) == 0xc0;
    if (code[0] == 0x8b)
        return (code[1] & 0xf8) == 0xc0 || (code[1] == 0x44 && code[2] == 0x24);
    return code[0] == 0x6a && code[2] == 0x58;
}

enum walk { WALK_LOST, WALK_MEETS, WALK_PASSES };

/* From instruction to instruction. */
static enum walk walk(uintptr_t at, uintptr_t address, uintptr_t end)
{
    while (at < address) {
        struct instruction i;
        if (!overlay_decode((const uint8_t *)at, (const uint8_t *)end, &i))
            return WALK_LOST;
        at += i.length;
    }
    return at == address ? WALK_MEETS : WALK_PASSES;
}

/*
 * In text that nobody describes. Where an instruction that sets a number leads straight to it, it is a call. From wherever else one begins to
 * decode, the ways soon run together into the true one: if none of them meets the address, the bytes lie inside of an instruction.
 */
static enum raw_verdict judge_by_bytes(const struct scan *scan, uintptr_t syscall)
{
    uintptr_t room = syscall - scan->module.text;
    bool is_met = room < NEAREST;
    for (uintptr_t distance = 2; distance <= FARTHEST && distance <= room; distance++) {
        if (walk(syscall - distance, syscall, scan->module.text_end) != WALK_MEETS)
            continue;
        if (distance <= NUMBER_DISTANCE && sets_number((const uint8_t *)syscall - distance))
            return RAW_CALLS;
        is_met |= distance >= NEAREST;
    }
    return is_met ? RAW_DOUBTFUL : RAW_NONE;
}

/* `mov $number,%eax; syscall`, in that order in the bytes, with a number that does not matter: nearly all that there are in common libraries. */
static bool is_plainly_harmless(const struct scan *scan, uintptr_t syscall)
{
    const uint8_t *code = (const uint8_t *)syscall;
    return syscall >= scan->module.text + 6 && code[-5] == 0xb8 && (code[-6] & 0xf0) != 0x40 && !concerns_us((long)word_at(code - 4));
}

static bool map_function(struct scan *scan, uintptr_t address)
{
    int64_t index = overlay_function_before(&scan->module, address);
    if (index >= 0 && index != scan->mapped) {
        scan->mapped = index;
        scan->is_mapped_whole = overlay_function_map(&scan->module, (uint32_t)index, scan->scratch, &scan->map) != 0;
    }
    return index >= 0 && scan->is_mapped_whole && address < scan->map.range.end;
}

/* From the function's first instruction, and on from where the last search ended. */
static enum walk walk_function(struct scan *scan, int64_t index, uintptr_t start, uintptr_t address)
{
    if (scan->walked_in != index || scan->walked > address) {
        scan->walked_in = index;
        scan->walked = start;
    }
    while (scan->walked < address) {
        struct instruction i;
        if (!overlay_decode((const uint8_t *)scan->walked, (const uint8_t *)scan->module.text_end, &i))
            return WALK_LOST;
        scan->walked += i.length;
    }
    return scan->walked == address ? WALK_MEETS : WALK_PASSES;
}

/* In a function that is too long to be mapped, or in none. */
static enum raw_verdict judge_by_walk(struct scan *scan, uintptr_t syscall)
{
    struct address_range range;
    int64_t index = overlay_function_before(&scan->module, syscall);
    if (index < 0 || !overlay_function_at(&scan->module, (uint32_t)index, &range) || syscall >= range.end)
        return judge_by_bytes(scan, syscall);
    switch (walk_function(scan, index, range.start, syscall)) {
    case WALK_PASSES: return RAW_NONE;
    case WALK_MEETS: return RAW_CALLS;
    default: return judge_by_bytes(scan, syscall);
    }
}

static enum raw_verdict judge(struct scan *scan, uintptr_t syscall)
{
    if (is_plainly_harmless(scan, syscall))
        return RAW_NONE;
    if (!map_function(scan, syscall))
        return judge_by_walk(scan, syscall);
    if (!overlay_is_marked(&scan->map, syscall, MARK_START))
        return RAW_NONE;
    return concerns_us(overlay_call_number(&scan->map, syscall)) ? RAW_CALLS : RAW_NONE;
}

static enum raw_verdict scan_segment(struct scan *scan)
{
    enum raw_verdict worst = RAW_NONE;
    uintptr_t at = scan->module.text;
    for (; worst != RAW_CALLS && (at = overlay_scan_syscall(at, scan->module.text_end)) < scan->module.text_end; at += 2) {
        enum raw_verdict verdict = judge(scan, at);
        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

enum raw_verdict raw_scan(uintptr_t base, const Elf64_Phdr *headers, int count, struct function_scratch *scratch)
{
    struct scan scan = {.scratch = scratch, .mapped = -1, .walked_in = -2};
    enum raw_verdict worst = RAW_NONE;
    /* What it says of the text is of one segment; there may be several (node has three). */
    overlay_module_describe(base, headers, count, &scan.module);
    for (int i = 0; worst != RAW_CALLS && i < count; i++) {
        if (headers[i].p_type != PT_LOAD || (headers[i].p_flags & PF_X) == 0)
            continue;
        scan.module.text = base + headers[i].p_vaddr;
        scan.module.text_end = scan.module.text + headers[i].p_filesz;
        enum raw_verdict verdict = (headers[i].p_flags & PF_W) != 0 ? RAW_DOUBTFUL : scan_segment(&scan);
        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

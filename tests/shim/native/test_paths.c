/* Texts that are looked at by words of eight bytes, against the same byte by byte, wherever they lie: also right in front of a page that cannot be read. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../../shim/native/plain_path.h"

enum { LONGEST = 40, ROUNDS = 2000000 };

static bool is_plain_by_bytes(const char *path)
{
    const char *part = path + (path[0] == '/');
    for (const char *c = part;; c++) {
        if (*c != 0 && *c != '/')
            continue;
        size_t length = (size_t)(c - part);
        if ((length == 0 && *c != 0) || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (*c == 0)
            return true;
        part = c + 1;
    }
}

/* "//" anywhere, or a dot that begins a component. */
static enum path_look look_by_bytes(const char *path)
{
    for (const char *c = path; *c != 0; c++)
        if ((c != path && c[-1] == '/' && *c == '/') || (*c == '.' && (c == path || c[-1] == '/')))
            return PATH_OTHER;
    return PATH_PLAIN;
}

static uintptr_t s_unreadable;

static bool is_page_readable(uintptr_t at, bool is_writing)
{
    return !is_writing && at < s_unreadable;
}

/* Also at a page that cannot be read: it is asked about first. */
static void check_look(const char *text, const char *pages)
{
    size_t length = strlen(text);
    s_unreadable = (uintptr_t)pages + 4096;
    if (look_at_path(text, length + 1, is_page_readable) == look_by_bytes(text) &&
        look_at_path(text, length, is_page_readable) == PATH_UNREADABLE && (s_unreadable = 0, look_at_path(text, 4096, is_page_readable) == PATH_UNREADABLE))
        return;
    fprintf(stderr, "a wrong look at \"%s\"\n", text);
    exit(1);
}

static void check(const char *text)
{
    const char *slash = strchrnul(text, '/'), *dot = strchrnul(text, '.'), *odd = strchrnul(text, '\xaf');
    if (text_find(text, '/') == slash && text_find(text, '.') == dot && text_find(text, '\xaf') == odd &&
        text_length(text) == strlen(text) && is_plain_path(text) == is_plain_by_bytes(text))
        return;
    fprintf(stderr, "wrong about \"%s\"\n", text);
    exit(1);
}

int main(void)
{
    static const char letters[] = "//...ao\xaf\x01\xff\x80";
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + 4096, 4096, PROT_NONE) != 0)
        return 2;
    srand(1);
    int plain = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t length = (size_t)rand() % LONGEST;
        char *text = round % 2 == 0 ? pages + 4095 - length : pages + rand() % 64;
        int kinds = round % 3 == 0 ? (int)sizeof letters - 1 : 7;
        for (size_t i = 0; i < length; i++)
            text[i] = rand() % 3 == 0 ? letters[rand() % kinds] : 'x';
        text[length] = 0;
        check(text);
        check_look(text, pages);
        plain += is_plain_path(text);
    }
    memset(pages, 'a', 4096); /* no end before the page that cannot be read */
    s_unreadable = (uintptr_t)pages + 4096;
    for (int from = 4000; from < 4096; from++)
        if (look_at_path(pages + from, 4096, is_page_readable) != PATH_UNREADABLE)
            return 3;
    printf("paths agree, %d of %d are plain\n", plain, ROUNDS);
    return plain > ROUNDS / 20 && plain < ROUNDS - ROUNDS / 20 ? 0 : 1;
}

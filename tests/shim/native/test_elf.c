/* exec_elf.c reads what anybody may have written: damaged and cut programs in front of a page that cannot be read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../shim/native/exec_elf.c"

#define ROUNDS 200000
#define HEADERS 1024 /* header, program headers and the loader's name lie in here */

static char *area_end;
static uint64_t state = 88172645463325252ULL;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static struct elf_image place(const char *bytes, uint64_t size)
{
    memcpy(area_end - size, bytes, size);
    return (struct elf_image){area_end - size, size};
}

static void look(const struct elf_image *image, unsigned counts[2])
{
    uint64_t room = 0;
    const char *name = elf_interpreter(image, &room);
    counts[0] += name != NULL && strnlen(name, room) < room && name + room <= area_end;
    counts[1] += elf_names_places(image);
}

int main(void)
{
    static char file[1 << 20];
    int fd = open("/proc/self/exe", O_RDONLY);
    ssize_t size = read(fd, file, sizeof file);
    size_t area = sizeof file + 4096;
    char *start = mmap(NULL, area + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (size < HEADERS || start == MAP_FAILED || mprotect(start + area, 4096, PROT_NONE) != 0)
        return 1;
    area_end = start + area;

    unsigned whole[2] = {0, 0}, damaged[2] = {0, 0};
    struct elf_image image = place(file, (uint64_t)size);
    look(&image, whole);
    if (whole[0] != 1 || whole[1] != 0)
        return fprintf(stderr, "a program as it should be: %u %u\n", whole[0], whole[1]), 1;

    const Elf64_Phdr *dynamic = segment_of(&image, PT_DYNAMIC);
    uint64_t dynamic_at = dynamic->p_offset, dynamic_size = dynamic->p_filesz;
    for (int round = 0; round < ROUNDS; round++) {
        for (int change = (int)(next_random() % 6); change >= 0; change--) {
            uint64_t at = next_random() % 2 ? next_random() % HEADERS : dynamic_at + next_random() % dynamic_size;
            image.bytes[at] = next_random() % 3 == 0 ? (char)0xff : (char)next_random();
        }
        look(&image, damaged);
        memcpy(image.bytes, file, HEADERS);
        memcpy(image.bytes + dynamic_at, file + dynamic_at, dynamic_size);
    }
    for (uint64_t cut = 0; cut < (uint64_t)size; cut += cut < HEADERS ? 1 : 997) {
        struct elf_image part = place(file, cut);
        look(&part, damaged);
    }
    printf("images read: %u had a loader's name, %u named places\n", damaged[0], damaged[1]);
    return damaged[0] == 0 || damaged[1] == 0;
}

/* Copies its standard input, a file of a volume that overlay-start opened, to its standard output. An ordinary program. */
#include <errno.h>
#include <unistd.h>

int main(void)
{
    static char buffer[256 << 10];
    for (;;) {
        ssize_t count = read(0, buffer, sizeof buffer);
        if (count == 0)
            return 0;
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return 1;
        for (ssize_t done = 0; done < count;) {
            ssize_t put = write(1, buffer + done, (size_t)(count - done));
            if (put < 0 && errno != EINTR)
                return 1;
            done += put > 0 ? put : 0;
        }
    }
}

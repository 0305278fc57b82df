/* The reference: the smallest launcher that can know that a server is ready.
 * reference FD COMMAND [ARG]...   start COMMAND with a pipe on FD, wait for one byte on it, exit 0 (1 at its end).
 * It promises nothing of what onready promises: no session, no relay, no exit code, no time-out, no clean-up. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int p[2], fd;
    char byte;

    if (argc < 3 || pipe(p) < 0)
        return 2;
    fd = atoi(argv[1]);
    switch (fork()) {
    case -1:
        return 2;
    case 0:
        if (p[1] != fd) {
            dup2(p[1], fd);
            close(p[1]);
        }
        if (p[0] != fd)
            close(p[0]);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    close(p[1]);
    return read(p[0], &byte, 1) == 1 ? 0 : 1;
}

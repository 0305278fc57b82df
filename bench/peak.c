/* peak COMMAND [ARG]...   run COMMAND, print its exit code and its ru_maxrss in KiB on one line.
 * A process's ru_maxrss starts with the resident size of the process that started it (the kernel carries it over the
 * exec), so what starts the measured program has to be smaller than anything measured: this, linked statically. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

int main(int argc, char **argv)
{
    struct rusage use;
    int status, null;
    pid_t pid;

    if (argc < 2)
        return 2;
    pid = vfork();
    if (pid < 0)
        return 2;
    if (pid == 0) {
        null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        close(null);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &use) != pid)
        return 2;
    printf("%d %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), use.ru_maxrss);
    return 0;
}

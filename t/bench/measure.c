/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command and tells what it took: "exit wall_s user_s system_s peak_KiB" in the file named first. A program this
 * small, because a child's peak memory starts from that of the process it was forked from.
 *
 *   measure OUT COMMAND WORD... */
#define _DEFAULT_SOURCE /* wait4 */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;

    if (argc < 3) {
        fputs("usage: measure OUT COMMAND WORD...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "we");
    if (!out) {
        perror(argv[1]);
        return 3;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 3;
    }
    fprintf(out, "%d %.4f %.4f %.4f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss);
    return fclose(out) == 0 ? 0 : 3;
}

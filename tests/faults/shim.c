/* Counts the durable operations of a process on files below a folder, and makes the one asked for go wrong.
 *
 *   cc -shared -fPIC -O2 -o shim.so shim.c -ldl
 *   FAULT_BELOW=/project/var FAULT_COUNT=/tmp/count LD_PRELOAD=./shim.so trisect run …
 *   FAULT_BELOW=/project/var FAULT_AT=120 FAULT_KIND=kill LD_PRELOAD=./shim.so trisect run …
 *
 * Operations: write, pwrite, fsync, fdatasync, rename, unlink, ftruncate, whichever library asks for them.
 * Kinds: kill (SIGKILL before it), torn (half of a write, then SIGKILL), enospc, eio (it fails once, and from then on
 * every write does: a full disk stays full). Dagster's own store is left out unless FAULT_STORE is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counted;
static int broken;

static int watched(const char *path) {
    const char *below = getenv("FAULT_BELOW");
    if (!below || !path || strncmp(path, below, strlen(below))) return 0;
    return getenv("FAULT_STORE") || !strstr(path, "/dagster/");
}

static int watched_fd(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return watched(path);
}

/* 0: go on; 1: fail with errno set; 2: write half, then die. */
static int fault(int is_write) {
    const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND"), *count = getenv("FAULT_COUNT");
    int result = 0;
    pthread_mutex_lock(&lock);
    counted++;
    if (count) {
        FILE *file = fopen(count, "w");
        if (file) { fprintf(file, "%ld", counted); fclose(file); }
    }
    if (at && kind && (counted == atol(at) || (broken && is_write))) {
        if (!strcmp(kind, "kill")) kill(getpid(), SIGKILL);
        if (!strcmp(kind, "torn")) result = 2;
        else { broken = 1; errno = strcmp(kind, "eio") ? ENOSPC : EIO; result = 1; }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

#define NEXT(name) __typeof__(name) *next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define DIE() do { kill(getpid(), SIGKILL); pause(); } while (0)

ssize_t write(int fd, const void *bytes, size_t size) {
    NEXT(write);
    int wrong = watched_fd(fd) ? fault(1) : 0;
    if (wrong == 2) { next(fd, bytes, size / 2); DIE(); }
    return wrong ? -1 : next(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    NEXT(pwrite);
    int wrong = watched_fd(fd) ? fault(1) : 0;
    if (wrong == 2) { next(fd, bytes, size / 2, offset); DIE(); }
    return wrong ? -1 : next(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    NEXT(pwrite64);
    int wrong = watched_fd(fd) ? fault(1) : 0;
    if (wrong == 2) { next(fd, bytes, size / 2, offset); DIE(); }
    return wrong ? -1 : next(fd, bytes, size, offset);
}

int fsync(int fd) {
    NEXT(fsync);
    int wrong = watched_fd(fd) ? fault(0) : 0;
    if (wrong == 2) DIE();
    return wrong ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    int wrong = watched_fd(fd) ? fault(0) : 0;
    if (wrong == 2) DIE();
    return wrong ? -1 : next(fd);
}

int ftruncate(int fd, off_t size) {
    NEXT(ftruncate);
    int wrong = watched_fd(fd) ? fault(1) : 0;
    if (wrong == 2) DIE();
    return wrong ? -1 : next(fd, size);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    int wrong = watched(to) ? fault(0) : 0;
    if (wrong == 2) DIE();
    return wrong ? -1 : next(from, to);
}

int unlink(const char *path) {
    NEXT(unlink);
    int wrong = watched(path) ? fault(0) : 0;
    if (wrong == 2) DIE();
    return wrong ? -1 : next(path);
}

/* Counts the durable operations of a process on files below a folder, and makes the one asked for go wrong.
 *
 *   cc -shared -fPIC -O2 -o shim.so shim.c -ldl
 *   FAULT_BELOW=/project/var FAULT_COUNT=/tmp/count LD_PRELOAD=./shim.so trisect run …
 *   FAULT_BELOW=/project/var FAULT_AT=120 FAULT_KIND=kill LD_PRELOAD=./shim.so trisect run …
 *
 * Operations: open that creates, write, pwrite, ftruncate, fsync, fdatasync, rename, unlink, link, symlink, mkdir,
 * rmdir, whichever library asks for them. FAULT_COUNT gets a line for each: its name and its file.
 * Kinds: kill (SIGKILL before it), torn (half of a write, then SIGKILL), enospc, eio (it fails once, and from then on
 * every write does: a full disk stays full), power (SIGKILL before it, and what no fsync has made durable is undone: bytes
 * of a file until the file is flushed; names that came, changed or went until their folder is, those of folders with
 * all that is in them). FAULT_UNDO is a folder on
 * the same disk for that. Dagster's own store is left out unless FAULT_STORE is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counted;
static int broken;

/* What a loss of power would undo, the newest first. */
typedef struct undo {
    struct undo *next;
    enum { BYTES, CAME, WENT, MOVED, MADE, CLEARED } kind;
    dev_t device; ino_t inode;              /* what makes it durable when it is flushed: the file, or the folder */
    int fd; off_t offset, size; size_t length; char *bytes;
    char path[PATH_MAX], other[PATH_MAX], kept[PATH_MAX];
} undo;
static undo *journal;
static long kept_files;

#define NEXT(name) __typeof__(name) *next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define DIE() do { kill(getpid(), SIGKILL); pause(); } while (0)

static int is_power(void) {
    const char *kind = getenv("FAULT_KIND");
    return kind && !strcmp(kind, "power");
}

static int watched(const char *path) {
    const char *below = getenv("FAULT_BELOW");
    if (!below || !path || strncmp(path, below, strlen(below))) return 0;
    return getenv("FAULT_STORE") || !strstr(path, "/dagster/");
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length > 0;
}

static void path_at(int folder, const char *name, char *path) {
    char base[PATH_MAX];
    if (name[0] == '/' || folder == AT_FDCWD || !path_of(folder, base)) snprintf(path, PATH_MAX, "%s", name);
    else if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = 0;
}

static undo *noted(int kind, const char *path) {
    undo *one = calloc(1, sizeof *one);
    char parent[PATH_MAX];
    struct stat status;
    one->kind = kind;
    one->fd = -1;
    snprintf(one->path, PATH_MAX, "%s", path);
    snprintf(parent, PATH_MAX, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash) *slash = 0;
    if (!stat(parent, &status)) { one->device = status.st_dev; one->inode = status.st_ino; }
    one->next = journal;
    journal = one;
    return one;
}

/* Another name for a file that is about to go, so that it can come back. */
static void keep(undo *one, const char *path) {
    const char *folder = getenv("FAULT_UNDO");
    if (!folder) return;
    snprintf(one->kept, PATH_MAX, "%s/%d-%ld", folder, getpid(), kept_files++);
    NEXT(link);
    if (next(path, one->kept)) one->kept[0] = 0;
}

static void note_bytes(int fd, off_t offset, size_t length) {
    char name[64];
    struct stat status;
    if (!is_power() || fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    NEXT(open);
    int again = next(name, O_RDWR | O_CLOEXEC);
    if (again < 0) return;
    if (offset < 0) offset = fcntl(fd, F_GETFL) & O_APPEND ? status.st_size : lseek(fd, 0, SEEK_CUR);
    pthread_mutex_lock(&lock);
    undo *one = noted(BYTES, "/");
    one->device = status.st_dev; one->inode = status.st_ino;
    one->fd = again; one->offset = offset; one->size = status.st_size;
    if (offset < status.st_size) {
        one->bytes = malloc(length);
        ssize_t read = pread(again, one->bytes, length, offset);
        one->length = read < 0 ? 0 : read;
    }
    pthread_mutex_unlock(&lock);
}

static void note_name(int kind, const char *path, const char *other) {
    if (!is_power()) return;
    pthread_mutex_lock(&lock);
    undo *one = noted(kind, path);
    if (kind == WENT || kind == MOVED) keep(one, path);
    if (other) snprintf(one->other, PATH_MAX, "%s", other);
    pthread_mutex_unlock(&lock);
}

static void durable(int fd) {
    struct stat status;
    if (!is_power() || fstat(fd, &status)) return;
    pthread_mutex_lock(&lock);
    for (undo **at = &journal; *at;) {
        undo *one = *at;
        if (one->device == status.st_dev && one->inode == status.st_ino) {
            *at = one->next;
            if (one->fd >= 0) close(one->fd);
            free(one->bytes);
            free(one);
        } else at = &one->next;
    }
    pthread_mutex_unlock(&lock);
}

/* What older notes say of a folder holds for what it is called now. */
static void renamed(undo *older, const char *from, const char *to) {
    size_t length = strlen(from);
    char path[PATH_MAX];
    for (undo *one = older; one; one = one->next) {
        char *names[] = {one->path, one->other};
        for (int n = 0; n < 2; n++)
            if (!strncmp(names[n], from, length) && names[n][length] == '/' &&
                snprintf(path, PATH_MAX, "%s%s", to, names[n] + length) < PATH_MAX) strcpy(names[n], path);
    }
}

static int (*remove_any)(const char *);
static int (*remove_folder)(const char *);
static int gone(const char *path, const struct stat *status, int flag, struct FTW *where) {
    (void)status; (void)where;
    return flag == FTW_DP ? remove_folder(path) : remove_any(path);
}

static void lose_power(void) {
    NEXT(rename);
    __typeof__(mkdir) *make = (__typeof__(mkdir) *)dlsym(RTLD_NEXT, "mkdir");
    remove_any = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    remove_folder = (int (*)(const char *))dlsym(RTLD_NEXT, "rmdir");
    ssize_t (*put)(int, const void *, size_t, off_t) =
        (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    int (*cut)(int, off_t) = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
    for (undo *one = journal; one; one = one->next) {
        if (one->kind == BYTES) {
            cut(one->fd, one->size);
            if (one->length) put(one->fd, one->bytes, one->length, one->offset);
        }
        if (one->kind == CAME) remove_any(one->path);
        if (one->kind == MADE) nftw(one->path, gone, 8, FTW_DEPTH | FTW_PHYS);
        if (one->kind == CLEARED) make(one->path, 0700);
        if (one->kind == MOVED && !next(one->path, one->other)) renamed(one->next, one->path, one->other);
        if (one->kind != BYTES && one->kept[0]) next(one->kept, one->path);
    }
}

/* 0: go on; 1: fail with errno set; 2: write half, then die. */
static int fault(int is_write, const char *operation, const char *path) {
    const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND"), *count = getenv("FAULT_COUNT");
    int result = 0;
    pthread_mutex_lock(&lock);
    counted++;
    if (count) {
        FILE *file = fopen(count, "a");
        if (file) { fprintf(file, "%s %s\n", operation, path); fclose(file); }
    }
    if (at && kind && (counted == atol(at) || (broken && is_write))) {
        if (!strcmp(kind, "power")) { lose_power(); DIE(); }
        if (!strcmp(kind, "kill")) DIE();
        if (!strcmp(kind, "torn")) result = 2;
        else { broken = 1; errno = strcmp(kind, "eio") ? ENOSPC : EIO; result = 1; }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int fault_fd(int fd, int is_write, const char *operation) {
    char path[PATH_MAX];
    return path_of(fd, path) && watched(path) ? fault(is_write, operation, path) : 0;
}

static int is_watched_fd(int fd) {
    char path[PATH_MAX];
    return path_of(fd, path) && watched(path);
}

#define OPENED(name) \
int name(const char *path, int flags, ...) { \
    NEXT(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    if ((flags & O_CREAT) && watched(path) && access(path, F_OK)) { \
        int wrong = fault(1, "open", path); \
        if (wrong == 2) DIE(); \
        if (wrong) return -1; \
        note_name(CAME, path, NULL); \
    } \
    return next(path, flags, mode); \
}
OPENED(open)
OPENED(open64)

ssize_t write(int fd, const void *bytes, size_t size) {
    NEXT(write);
    int wrong = fault_fd(fd, 1, "write");
    if (wrong == 2) { next(fd, bytes, size / 2); DIE(); }
    if (!wrong && is_watched_fd(fd)) note_bytes(fd, -1, size);
    return wrong ? -1 : next(fd, bytes, size);
}

#define WRITTEN_AT(name, where) \
ssize_t name(int fd, const void *bytes, size_t size, where offset) { \
    NEXT(name); \
    int wrong = fault_fd(fd, 1, "pwrite"); \
    if (wrong == 2) { next(fd, bytes, size / 2, offset); DIE(); } \
    if (!wrong && is_watched_fd(fd)) note_bytes(fd, offset, size); \
    return wrong ? -1 : next(fd, bytes, size, offset); \
}
WRITTEN_AT(pwrite, off_t)
WRITTEN_AT(pwrite64, off64_t)

#define FLUSHED(name) \
int name(int fd) { \
    NEXT(name); \
    int wrong = fault_fd(fd, 0, #name); \
    if (wrong == 2) DIE(); \
    if (wrong) return -1; \
    int code = next(fd); \
    if (!code) durable(fd); \
    return code; \
}
FLUSHED(fsync)
FLUSHED(fdatasync)

#define CUT(name, where) \
int name(int fd, where size) { \
    NEXT(name); \
    int wrong = fault_fd(fd, 1, "ftruncate"); \
    if (wrong == 2) DIE(); \
    struct stat status; \
    if (!wrong && is_watched_fd(fd) && !fstat(fd, &status)) \
        note_bytes(fd, size, status.st_size > size ? status.st_size - size : 0); \
    return wrong ? -1 : next(fd, size); \
}
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    NEXT(rename);
    int wrong = watched(to) ? fault(0, "rename", to) : 0;
    if (wrong == 2) DIE();
    if (wrong) return -1;
    if (watched(to)) note_name(MOVED, to, from);
    int code = next(from, to);
    if (!code && is_power() && watched(to)) {
        pthread_mutex_lock(&lock);
        renamed(journal ? journal->next : NULL, from, to);
        pthread_mutex_unlock(&lock);
    }
    return code;
}

#define REMOVED(name) \
int name(const char *path) { \
    NEXT(name); \
    int wrong = watched(path) ? fault(0, "unlink", path) : 0; \
    if (wrong == 2) DIE(); \
    if (!wrong && watched(path)) note_name(WENT, path, NULL); \
    return wrong ? -1 : next(path); \
}
REMOVED(unlink)
REMOVED(remove)

int unlinkat(int folder, const char *name, int flags) {
    NEXT(unlinkat);
    char path[PATH_MAX];
    path_at(folder, name, path);
    int wrong = watched(path) ? fault(0, "unlink", path) : 0;
    if (wrong == 2) DIE();
    if (!wrong && watched(path)) note_name(flags & AT_REMOVEDIR ? CLEARED : WENT, path, NULL);
    return wrong ? -1 : next(folder, name, flags);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    struct stat status;
    int is_new = watched(path) && stat(path, &status);
    int wrong = is_new ? fault(1, "mkdir", path) : 0;
    if (wrong == 2) DIE();
    if (!wrong && is_new) note_name(MADE, path, NULL);
    return wrong ? -1 : next(path, mode);
}

int rmdir(const char *path) {
    NEXT(rmdir);
    int wrong = watched(path) ? fault(0, "rmdir", path) : 0;
    if (wrong == 2) DIE();
    if (!wrong && watched(path)) note_name(CLEARED, path, NULL);
    return wrong ? -1 : next(path);
}

int linkat(int folder, const char *from, int other, const char *to, int flags) {
    NEXT(linkat);
    int wrong = watched(to) ? fault(1, "link", to) : 0;
    if (wrong == 2) DIE();
    if (!wrong && watched(to)) note_name(CAME, to, NULL);
    return wrong ? -1 : next(folder, from, other, to, flags);
}

int symlink(const char *text, const char *path) {
    NEXT(symlink);
    int wrong = watched(path) ? fault(1, "symlink", path) : 0;
    if (wrong == 2) DIE();
    if (!wrong && watched(path)) note_name(CAME, path, NULL);
    return wrong ? -1 : next(text, path);
}

/* Counts the calls that change files below FAIL_UNDER, and has the one numbered FAIL_AT end as FAIL_HOW
 * says; preloaded into a program under test.
 *
 *   kill  the process is killed before the call
 *   tear  half of what was to be written is written, then the process is killed; any other call is made first
 *   fail  this call fails (EIO), the next ones do not
 *   dead  this call and every later one fails (EIO), as a disk that is going does
 *   full  this call and every later one that needs room fails (ENOSPC)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum how { KILL, TEAR, FAIL, DEAD, FULL, NONE };

static atomic_long calls;

static enum how how(void)
{
    static const char *names[] = { "kill", "tear", "fail", "dead", "full" };
    const char *said = getenv("FAIL_HOW");
    for (int n = 0; said && n < NONE; n++)
        if (strcmp(said, names[n]) == 0)
            return n;
    return NONE;
}

static int is_below(const char *path)
{
    const char *under = getenv("FAIL_UNDER");
    char whole[PATH_MAX];
    if (path[0] != '/' && getcwd(whole, sizeof whole)) {
        size_t length = strlen(whole);
        snprintf(whole + length, sizeof whole - length, "/%s", path);
        path = whole;
    }
    return under && strncmp(path, under, strlen(under)) == 0;
}

static int fd_is_below(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

/* What is to become of this call; the process may end here. */
static enum how turn(int needs_room)
{
    const char *at = getenv("FAIL_AT");
    long number = atomic_fetch_add(&calls, 1), wanted = at ? atol(at) : -1;
    enum how said = how();
    if (wanted < 0 || number < wanted || said == NONE)
        return NONE;
    if (said == FULL)
        return needs_room ? FULL : NONE;
    if (said == DEAD)
        return DEAD;
    if (number > wanted)
        return NONE;
    if (said == KILL)
        raise(SIGKILL);
    return said;
}

static int failed(enum how said)
{
    errno = said == FULL ? ENOSPC : EIO;
    return -1;
}

#define CALL(is_ours, needs_room, made)                                                            \
    if (is_ours) {                                                                                 \
        enum how said = turn(needs_room);                                                          \
        if (said == TEAR) {                                                                        \
            (void)(made);                                                                          \
            raise(SIGKILL);                                                                        \
        }                                                                                          \
        if (said != NONE)                                                                          \
            return failed(said);                                                                   \
    }                                                                                              \
    return made

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (fd_is_below(fd)) {
        enum how said = turn(1);
        if (said == TEAR) {
            (void)!REAL(write)(fd, bytes, count / 2);
            raise(SIGKILL);
        }
        if (said != NONE)
            return failed(said);
    }
    return REAL(write)(fd, bytes, count);
}

#define PWRITE(name, offset_type)                                                                  \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset)                      \
    {                                                                                              \
        if (fd_is_below(fd)) {                                                                     \
            enum how said = turn(1);                                                               \
            if (said == TEAR) {                                                                    \
                (void)!REAL(name)(fd, bytes, count / 2, offset);                                   \
                raise(SIGKILL);                                                                    \
            }                                                                                      \
            if (said != NONE)                                                                      \
                return failed(said);                                                               \
        }                                                                                          \
        return REAL(name)(fd, bytes, count, offset);                                               \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

int fsync(int fd) { CALL(fd_is_below(fd), 0, REAL(fsync)(fd)); }
int fdatasync(int fd) { CALL(fd_is_below(fd), 0, REAL(fdatasync)(fd)); }
int ftruncate(int fd, off_t length) { CALL(fd_is_below(fd), 1, REAL(ftruncate)(fd, length)); }
int ftruncate64(int fd, off64_t length) { CALL(fd_is_below(fd), 1, REAL(ftruncate64)(fd, length)); }
int unlink(const char *path) { CALL(is_below(path), 0, REAL(unlink)(path)); }
int mkdir(const char *path, mode_t mode) { CALL(is_below(path), 1, REAL(mkdir)(path, mode)); }
int rename(const char *from, const char *to) { CALL(is_below(to), 1, REAL(rename)(from, to)); }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                    \
        va_end(more);                                                                              \
        CALL((flags & O_CREAT) && is_below(path), 1, REAL(name)(path, flags, mode));               \
    }

OPEN(open)
OPEN(open64)

__attribute__((destructor)) static void say(void)
{
    const char *file = getenv("FAIL_COUNT");
    FILE *out = file ? fopen(file, "w") : NULL;
    if (out) {
        fprintf(out, "%ld\n", atomic_load(&calls));
        fclose(out);
    }
}

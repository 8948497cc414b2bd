/*
 * Records what a process does to the files below $RECORD_DIR, in order, to the file $RECORD_LOG: writes,
 * syncs, names made, moved and removed. Loaded with LD_PRELOAD; power_cut.ts reads the record.
 *
 * A lock is held over each call and its record, so that the order of the record is that of the calls.
 * Record: operation (1 byte), two numbers of 8 bytes, two strings with 4 bytes of length; little-endian.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_len;

__attribute__((constructor)) static void start(void) {
  const char *dir = getenv("RECORD_DIR"), *log = getenv("RECORD_LOG");
  if (!dir || !log || !realpath(dir, root)) return;
  root_len = strlen(root);
  log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) {
  return log_fd >= 0 && strncmp(path, root, root_len) == 0 &&
         (path[root_len] == '/' || path[root_len] == 0);
}

/* An absolute path without links in its folder. */
static int full(int at, const char *path, char *out) {
  char name[PATH_MAX], dir[PATH_MAX];
  if (log_fd < 0 || !path) return 0;
  if (path[0] == '/') snprintf(name, sizeof name, "%s", path);
  else {
    char link[64];
    ssize_t n;
    if (at == AT_FDCWD) {
      if (!getcwd(dir, sizeof dir)) return 0;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      if ((n = readlink(link, dir, sizeof dir - 1)) < 0) return 0;
      dir[n] = 0;
    }
    if (snprintf(name, sizeof name, "%s/%s", dir, path) >= (int)sizeof name) return 0;
  }
  char *slash = strrchr(name, '/');
  if (!slash || slash == name) return 0;
  *slash = 0;
  if (!realpath(name, dir)) return 0;
  if (snprintf(out, PATH_MAX, "%s/%s", dir, slash + 1) >= PATH_MAX) return 0;
  return below(out);
}

static int of_fd(int fd, char *out) {
  char link[64];
  if (log_fd < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, out, PATH_MAX - 1);
  if (n < 0) return 0;
  out[n] = 0;
  return below(out);
}

static void record(char op, uint64_t a, uint64_t b, const void *s, uint32_t sn, const void *t,
                   uint32_t tn) {
  unsigned char head[25];
  head[0] = op;
  memcpy(head + 1, &a, 8);
  memcpy(head + 9, &b, 8);
  memcpy(head + 17, &sn, 4);
  memcpy(head + 21, &tn, 4);
  struct iovec v[3] = {{head, 25}, {(void *)s, sn}, {(void *)t, tn}};
  syscall(SYS_writev, log_fd, v, 3);
}

static uint64_t inode(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int exists(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0;
}


static int opened(int at, const char *path, int flags, mode_t mode) {
  char name[PATH_MAX];
  if (!full(at, path, name)) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  int is_new = (flags & O_CREAT) && !exists(name);
  int fd = syscall(SYS_openat, at, path, flags, mode);
  int err = errno;
  if (fd >= 0 && is_new) record('c', inode(fd), 0, name, strlen(name), 0, 0);
  else if (fd >= 0 && (flags & O_TRUNC)) record('t', inode(fd), 0, 0, 0, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = err;
  return fd;
}

static mode_t mode_of(int flags, va_list a) {
  return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(a, mode_t) : 0;
}
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list a; \
    va_start(a, flags); \
    mode_t m = mode_of(flags, a); \
    va_end(a); \
    return opened(AT_FDCWD, path, flags, m); \
  }
OPEN(open)
OPEN(open64)
#define OPENAT(name) \
  int name(int at, const char *path, int flags, ...) { \
    va_list a; \
    va_start(a, flags); \
    mode_t m = mode_of(flags, a); \
    va_end(a); \
    return opened(at, path, flags, m); \
  }
OPENAT(openat)
OPENAT(openat64)

static ssize_t written(int fd, const void *b, size_t n, int64_t at) {
  char name[PATH_MAX];
  if (!of_fd(fd, name))
    return at < 0 ? syscall(SYS_write, fd, b, n) : syscall(SYS_pwrite64, fd, b, n, at);
  pthread_mutex_lock(&lock);
  int64_t where = at;
  if (at < 0) {
    struct stat st;
    where = (fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0 ? st.st_size
                                                                    : lseek(fd, 0, SEEK_CUR);
  }
  ssize_t r = at < 0 ? syscall(SYS_write, fd, b, n) : syscall(SYS_pwrite64, fd, b, n, at);
  int err = errno;
  if (r > 0) record('w', inode(fd), where, b, r, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = err;
  return r;
}
ssize_t write(int fd, const void *b, size_t n) { return written(fd, b, n, -1); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return written(fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return written(fd, b, n, at); }

ssize_t writev(int fd, const struct iovec *v, int n) {
  char name[PATH_MAX];
  if (!of_fd(fd, name)) return syscall(SYS_writev, fd, v, n);
  ssize_t all = 0;
  for (int i = 0; i < n; i++) {
    ssize_t r = written(fd, v[i].iov_base, v[i].iov_len, -1);
    if (r < 0) return all > 0 ? all : r;
    all += r;
    if ((size_t)r < v[i].iov_len) break;
  }
  return all;
}

/* Copies within the kernel are refused, so that they come as writes. */
ssize_t copy_file_range(int a, off64_t *x, int b, off64_t *y, size_t n, unsigned f) {
  char name[PATH_MAX];
  if (!of_fd(b, name)) return syscall(SYS_copy_file_range, a, x, b, y, n, f);
  errno = ENOSYS;
  return -1;
}

static int cut(int fd, int64_t size) {
  char name[PATH_MAX];
  if (!of_fd(fd, name)) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&lock);
  int r = syscall(SYS_ftruncate, fd, size), err = errno;
  if (r == 0) record('t', inode(fd), size, 0, 0, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = err;
  return r;
}
int ftruncate(int fd, off_t n) { return cut(fd, n); }
int ftruncate64(int fd, off64_t n) { return cut(fd, n); }

static int synced(int fd, long call) {
  char name[PATH_MAX];
  if (!of_fd(fd, name)) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  struct stat st;
  int dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
  int r = syscall(call, fd), err = errno;
  if (r == 0) record(dir ? 'd' : 's', dir ? 0 : st.st_ino, 0, name, dir ? strlen(name) : 0, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = err;
  return r;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* Names. */
static int two(char op, int a, const char *from, int b, const char *to, long call, int flags) {
  char x[PATH_MAX], y[PATH_MAX];
  int known = full(b, to, y);
  if (!known) return syscall(call, a, from, b, to, flags);
  full(a, from, x);
  pthread_mutex_lock(&lock);
  int r = syscall(call, a, from, b, to, flags), err = errno;
  if (r == 0) record(op, 0, 0, x, strlen(x), y, strlen(y));
  pthread_mutex_unlock(&lock);
  errno = err;
  return r;
}
int link(const char *a, const char *b) { return two('l', AT_FDCWD, a, AT_FDCWD, b, SYS_linkat, 0); }
int linkat(int x, const char *a, int y, const char *b, int f) {
  return two('l', x, a, y, b, SYS_linkat, f);
}
int rename(const char *a, const char *b) {
  return two('r', AT_FDCWD, a, AT_FDCWD, b, SYS_renameat2, 0);
}
int renameat(int x, const char *a, int y, const char *b) {
  return two('r', x, a, y, b, SYS_renameat2, 0);
}
int renameat2(int x, const char *a, int y, const char *b, unsigned f) {
  return two('r', x, a, y, b, SYS_renameat2, f);
}

static int one(char op, int at, const char *path, long call, int last) {
  char name[PATH_MAX];
  if (!full(at, path, name)) return syscall(call, at, path, last);
  pthread_mutex_lock(&lock);
  int r = syscall(call, at, path, last), err = errno;
  if (r == 0) record(op, 0, 0, name, strlen(name), 0, 0);
  pthread_mutex_unlock(&lock);
  errno = err;
  return r;
}
int unlink(const char *p) { return one('u', AT_FDCWD, p, SYS_unlinkat, 0); }
int unlinkat(int at, const char *p, int f) { return one('u', at, p, SYS_unlinkat, f); }
int rmdir(const char *p) { return one('u', AT_FDCWD, p, SYS_unlinkat, AT_REMOVEDIR); }
int mkdir(const char *p, mode_t m) { return one('m', AT_FDCWD, p, SYS_mkdirat, m); }
int mkdirat(int at, const char *p, mode_t m) { return one('m', at, p, SYS_mkdirat, m); }

/*
 * The floor of docs/performance.md: the system calls that the work takes, and nothing else.
 *
 * usage: cc -O2 -pthread tests/bench/floor.c -o floor && ./floor FOLDER
 *
 * One line for each kind of work: CPU time of the thread that does the server's part, and elapsed time, in ms.
 * Messages of 3 KB, 10,000 of them in the mailbox, as in searches.ts; deliveries are of 4 KB, one after the other.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char block[65536];

static void must(int ok, const char *what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double cpu0, wall0;

static void begin(void) {
  cpu0 = now(CLOCK_THREAD_CPUTIME_ID);
  wall0 = now(CLOCK_MONOTONIC);
}

static void end(const char *what) {
  printf("%-58s CPU %8.2f  elapsed %8.2f\n", what, now(CLOCK_THREAD_CPUTIME_ID) - cpu0,
         now(CLOCK_MONOTONIC) - wall0);
}

/* A loopback connection whose other end a thread reads until it is closed. */
static void *drain(void *fd) {
  static __thread char in[262144];
  while (read((int)(long)fd, in, sizeof in) > 0) {
  }
  close((int)(long)fd);
  return NULL;
}

static int listener(struct sockaddr_in *at) {
  int l = socket(AF_INET, SOCK_STREAM, 0);
  memset(at, 0, sizeof *at);
  at->sin_family = AF_INET;
  at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must(bind(l, (struct sockaddr *)at, sizeof *at) == 0, "bind");
  socklen_t n = sizeof *at;
  getsockname(l, (struct sockaddr *)at, &n);
  must(listen(l, 128) == 0, "listen");
  return l;
}

static int connected(pthread_t *reader) {
  struct sockaddr_in at;
  int l = listener(&at);
  int out = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(out, (struct sockaddr *)&at, sizeof at) == 0, "connect");
  pthread_create(reader, NULL, drain, (void *)(long)accept(l, NULL, NULL));
  close(l);
  return out;
}

static void sendAll(int fd, size_t bytes) {
  while (bytes > 0) {
    ssize_t n = write(fd, block, bytes < sizeof block ? bytes : sizeof block);
    must(n > 0, "write");
    bytes -= n;
  }
}

static void answer(const char *what, size_t bytes) {
  pthread_t reader;
  int out = connected(&reader);
  begin();
  sendAll(out, bytes);
  end(what);
  close(out);
  pthread_join(reader, NULL);
}

static void bodies(int n) {
  char path[64];
  for (int i = 0; i < n; i++) {
    sprintf(path, "body%d", i);
    int f = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    must(f >= 0 && write(f, block, 3000) == 3000, path);
    close(f);
  }
  pthread_t reader;
  int out = connected(&reader);
  begin();
  size_t used = 0;
  for (int i = 0; i < n; i++) {
    sprintf(path, "body%d", i);
    if (used + 3000 > sizeof block) {
      sendAll(out, used);
      used = 0;
    }
    int f = open(path, O_RDONLY);
    must(read(f, block + used, 3000) == 3000, path);
    close(f);
    used += 3000;
  }
  sendAll(out, used);
  end("bodies of 2,000: open, read, close, send");
  close(out);
  pthread_join(reader, NULL);
  for (int i = 0; i < n; i++) {
    sprintf(path, "body%d", i);
    unlink(path);
  }
}

/* File, link and folder, then four pages of a log: each durable before the answer. */
static void deliveries(int n) {
  char from[64], to[64];
  mkdir("new", 0700);
  int dir = open("new", O_RDONLY | O_DIRECTORY);
  int wal = open("wal", O_CREAT | O_RDWR, 0600);
  begin();
  for (int i = 0; i < n; i++) {
    sprintf(from, "tmp%d", i);
    sprintf(to, "new/%d", i);
    int f = open(from, O_CREAT | O_EXCL | O_WRONLY, 0600);
    must(f >= 0 && write(f, block, 4096) == 4096 && fdatasync(f) == 0, from);
    must(link(from, to) == 0 && fsync(dir) == 0, to);
    must(pwrite(wal, block, 16384, (off_t)i * 16384) == 16384 && fdatasync(wal) == 0, "wal");
    close(f);
    unlink(from);
  }
  end("200 deliveries of 4 KB, one after the other");
  for (int i = 0; i < n; i++) {
    sprintf(to, "new/%d", i);
    unlink(to);
  }
  close(dir);
  close(wal);
  rmdir("new");
  unlink("wal");
}

static const int answers[] = {700, 700, 480, 30};
static struct sockaddr_in sessionsAt;

static void *clients(void *count) {
  char in[4096];
  int one = 1;
  for (long i = 0; i < (long)count; i++) {
    int c = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    must(connect(c, (struct sockaddr *)&sessionsAt, sizeof sessionsAt) == 0, "connect");
    for (int k = 0; k < 4; k++) {
      must(read(c, in, sizeof in) > 0, "answer");
      if (k < 3) must(write(c, "command\r\n", 9) == 9, "command");
    }
    close(c);
  }
  return NULL;
}

static void sessions(long n) {
  int l = listener(&sessionsAt);
  int one = 1;
  char in[4096];
  pthread_t t;
  pthread_create(&t, NULL, clients, (void *)n);
  begin();
  for (long i = 0; i < n; i++) {
    int c = accept(l, NULL, NULL);
    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (int k = 0; k < 4; k++) {
      must(write(c, block, answers[k]) == answers[k], "write");
      if (k < 3) must(read(c, in, sizeof in) > 0, "read");
    }
    close(c);
  }
  end("100 sessions: accept, four answers, close");
  pthread_join(t, NULL);
  close(l);
}

int main(int argc, char **argv) {
  must(argc == 2 && chdir(argv[1]) == 0, "usage: floor FOLDER");
  memset(block, 'x', sizeof block);
  for (int round = 0; round < 3; round++) {
    answer("FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE), 4.8 MB", 4800000);
    answer("FETCH 1:* (UID FLAGS), 380 KB", 380000);
    answer("HEADER.FIELDS of 2,000, 420 KB", 420000);
    bodies(2000);
    sessions(100);
    deliveries(200);
  }
  return 0;
}

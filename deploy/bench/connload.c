// A closed-loop load generator that opens a new connection for each request, as PHP does: connect, send, read the reply,
// and the connection is over. One thread, epoll, C requests at a time.
//
//   connload -p PORT[,PORT...] -c CONCURRENT -t SECONDS -w WARMUP -l LINES -k KEYS REQUEST
//
// REQUEST is sent with \r \n \0 and \xHH unescaped, every %K replaced by a random key number below KEYS in five digits (so
// that lengths stay the same), and %V by 64 bytes. A reply is over after LINES lines, and we close; with LINES 0 it is over
// when the server closes, and without a byte it counts as an error. So does a reply that begins with - or ERROR.
// Prints: requests/s, errors, and the latency quantiles (from before the connect to the end of the reply).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct { int fd, port, lines, sent, got; uint64_t began_at; char head; } Conn;
static char request[65536]; static int request_length, keys = 1000, lines_per_reply = 1, ep;
static uint64_t done_count, error_count, hist[64 * 64];

static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static uint64_t rng = 88172645463325252ull;
static uint64_t next_random(void) { rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17; return rng; }

static int bucket_of(uint64_t us) { if (us < 64) return (int)us; int msb = 63 - __builtin_clzll(us); return (msb - 5) * 64 + (int)((us >> (msb - 6)) & 63); }
static double value_of(int b) { if (b < 64) return b; int e = b / 64 - 1 + 6; return (double)((64ull + b % 64) << (e - 6)); }

static void unescape(const char *s) {
  for (; *s; s++) {
    char c = *s;
    if (c == '\\') {
      s++;
      if (*s == 'x') { char hex[3] = { s[1], s[2], 0 }; c = (char)strtol(hex, NULL, 16); s += 2; }
      else c = *s == 'r' ? '\r' : *s == 'n' ? '\n' : *s == '0' ? 0 : *s;
    }
    request[request_length++] = c;
  }
}
static int render(char *out) {
  char *o = out;
  for (int i = 0; i < request_length; i++) {
    if (request[i] == '%' && request[i + 1] == 'K') { o += sprintf(o, "%05d", (int)(next_random() % keys)); i++; }
    else if (request[i] == '%' && request[i + 1] == 'V') { memset(o, 'v', 64); o += 64; i++; }
    else *o++ = request[i];
  }
  return (int)(o - out);
}
static void die(const char *what) { perror(what); exit(1); }

static void begin(Conn *c) {
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(c->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  // From many addresses in turn, so that ports which wait for late packets are not missed.
  static int turn; turn = (turn + 1) % 250;
  struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000002 + turn) };
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); c->lines = c->sent = c->got = 0; c->began_at = now_ns();
  if (c->fd < 0) die("socket");
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one); setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
  struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
  if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e) != 0) die("epoll_ctl");
}
static void end(Conn *c, int failed) {
  // Reset where we are the first to close, so that our side keeps nothing of it either.
  struct linger reset = { 1, 0 }; if (lines_per_reply > 0) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(c->fd);
  done_count++; error_count += failed;
  int b = bucket_of((now_ns() - c->began_at) / 1000); if (b < 64 * 64) hist[b]++;
  begin(c);
}
static void step(Conn *c) {
  static char buf[1 << 16];
  if (!c->sent) {
    int n = render(buf); ssize_t w = send(c->fd, buf, n, MSG_NOSIGNAL);
    if (w < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (w != n) { end(c, 1); return; }
    c->sent = 1; struct epoll_event e = { .events = EPOLLIN, .data.ptr = c }; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
  }
  ssize_t r = recv(c->fd, buf, sizeof buf, 0);
  if (r < 0 && errno == EAGAIN) return;
  if (r <= 0) { end(c, r < 0 || lines_per_reply > 0 || c->got == 0); return; }
  if (c->got == 0) c->head = buf[0];
  c->got += r;
  for (ssize_t i = 0; i < r; i++) c->lines += buf[i] == '\n';
  int failed = c->head == '-' || c->head == 'E';
  if (lines_per_reply > 0 && (failed || c->lines >= lines_per_reply)) end(c, failed);
}
int main(int argc, char **argv) {
  char *ports = "1042"; int conns = 48, opt; double secs = 5, warm = 2;
  while ((opt = getopt(argc, argv, "p:c:P:t:w:l:k:")) != -1) switch (opt) {
    case 'p': ports = optarg; break; case 'c': conns = atoi(optarg); break; case 'P': break;
    case 't': secs = atof(optarg); break; case 'w': warm = atof(optarg); break; case 'l': lines_per_reply = atoi(optarg); break;
    case 'k': keys = atoi(optarg); break; default: return 2; }
  if (optind >= argc) { fprintf(stderr, "no request\n"); return 2; }
  unescape(argv[optind]);
  int port_list[64], port_count = 0;
  for (char *p = strtok(strdup(ports), ","); p; p = strtok(NULL, ",")) port_list[port_count++] = atoi(p);
  ep = epoll_create1(0); Conn *all = calloc(conns, sizeof(Conn));
  for (int i = 0; i < conns; i++) { all[i].port = port_list[i % port_count]; begin(&all[i]); }
  uint64_t start = now_ns(), measure_from = start + (uint64_t)(warm * 1e9), stop = measure_from + (uint64_t)(secs * 1e9), last_progress = start;
  int measuring = 0; struct epoll_event ev[256];
  for (uint64_t t = start; t < stop; t = now_ns()) {
    if (!measuring && t >= measure_from) { measuring = 1; done_count = error_count = 0; memset(hist, 0, sizeof hist); measure_from = t; stop = t + (uint64_t)(secs * 1e9); }
    int n = epoll_wait(ep, ev, 256, 100);
    if (n > 0) last_progress = t; else if (t - last_progress > 10000000000ull) { fprintf(stderr, "no reply for 10 s\n"); return 1; }
    for (int i = 0; i < n; i++) step(ev[i].data.ptr);
  }
  double dt = (now_ns() - measure_from) / 1e9; double q[] = { .5, .99, .999 }; printf("%.0f req/s errors %llu", done_count / dt, (unsigned long long)error_count);
  for (int k = 0; k < 3; k++) { uint64_t want = (uint64_t)(done_count * q[k]), seen = 0; for (int b = 0; b < 64 * 64; b++) { seen += hist[b]; if (seen > want) { printf(" p%g %.2fms", q[k] * 100, value_of(b) / 1000); break; } } }
  printf("\n");
  return 0;
}

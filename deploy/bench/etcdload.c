// loadgen.c for etcd: the same closed loop (one thread, epoll, C connections, P requests in flight on each, the same
// figures printed in the same way), but in gRPC, which etcd speaks instead of a line protocol. Only as much of HTTP/2 is
// here as that takes; like any gRPC client it sends its headers whole once a connection, and as references after that.
//
//   etcdload -p PORT[,PORT...] -c CONNS -P PIPELINE -t SECONDS -w WARMUP -k KEYS put|get|fill
//
// put: a short value to a random key; get: serializable, so from the node that is asked; fill: each key once, 64 bytes.
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

enum { PIPELINE_MAX = 64, DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
typedef struct {
  int fd, inflight, headers_known; uint32_t next_stream, stream[PIPELINE_MAX]; char got_data[PIPELINE_MAX]; uint64_t sent_at;
  unsigned char head[9], payload[8]; uint32_t head_bytes, payload_bytes;
} Conn;
static int keys = 1000, pipeline = 1, get, fill; static uint64_t filled;
static uint64_t done_count, error_count, hist[64 * 64];

static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static uint64_t rng = 88172645463325252ull;
static uint64_t next_random(void) { rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17; return rng; }
static int bucket_of(uint64_t us) { if (us < 64) return (int)us; int msb = 63 - __builtin_clzll(us); return (msb - 5) * 64 + (int)((us >> (msb - 6)) & 63); }
static double value_of(int b) { if (b < 64) return b; int e = b / 64 - 1 + 6; return (double)((64ull + b % 64) << (e - 6)); }

static void write_all(int fd, const void *bytes, size_t n) {
  for (size_t off = 0; off < n;) {
    ssize_t w = write(fd, (const char *)bytes + off, n - off);
    if (w < 0) { if (errno == EAGAIN) { usleep(50); continue; } perror("write"); exit(1); }
    off += w;
  }
}
static unsigned char *frame(unsigned char *o, uint32_t length, int type, int flags, uint32_t stream) {
  *o++ = length >> 16; *o++ = length >> 8; *o++ = length; *o++ = type; *o++ = flags;
  stream = htonl(stream); memcpy(o, &stream, 4); return o + 4;
}
// A header that both sides remember from now on: HPACK's literal with incremental indexing.
static unsigned char *remembered(unsigned char *o, int name_index, const char *name, const char *value) {
  *o++ = 0x40 | name_index;
  if (!name_index) { *o++ = strlen(name); o = mempcpy(o, name, strlen(name)); }
  *o++ = strlen(value); return mempcpy(o, value, strlen(value));
}
static unsigned char *headers(unsigned char *o, Conn *c, uint32_t stream) {
  unsigned char *from = o; o += 9;
  *o++ = 0x83; *o++ = 0x86;  // :method POST, :scheme http
  if (c->headers_known) { *o++ = 0x80 | 65; *o++ = 0x80 | 64; *o++ = 0x80 | 63; *o++ = 0x80 | 62; }
  else {
    o = remembered(o, 4, NULL, get ? "/etcdserverpb.KV/Range" : "/etcdserverpb.KV/Put");
    o = remembered(o, 1, NULL, "127.0.0.1");
    o = remembered(o, 31, NULL, "application/grpc");
    o = remembered(o, 0, "te", "trailers"); c->headers_known = 1;
  }
  frame(from, o - from - 9, HEADERS, END_HEADERS, stream); return o;
}
static unsigned char *message(unsigned char *o, uint32_t stream) {
  unsigned char *from = o; o += 9 + 5; char key[32];
  unsigned long long number = fill ? filled++ % keys : next_random() % keys;
  int key_bytes = sprintf(key, fill || get ? "g%llu" : "c%llu", number);
  *o++ = 0x0a; *o++ = key_bytes; o = mempcpy(o, key, key_bytes);  // key = 1
  if (get) { *o++ = 0x38; *o++ = 1; }                             // RangeRequest.serializable = 7
  else { int n = fill ? 64 : 8; *o++ = 0x12; *o++ = n; memset(o, 'v', n); o += n; }  // PutRequest.value = 2
  uint32_t bytes = o - from - 14;
  frame(from, bytes + 5, DATA, END_STREAM, stream); from[9] = 0; bytes = htonl(bytes); memcpy(from + 10, &bytes, 4);
  return o;
}
static void send_batch(Conn *c) {
  unsigned char out[PIPELINE_MAX * 512], *o = out;
  for (int i = 0; i < pipeline; i++) {
    c->stream[i] = c->next_stream; c->got_data[i] = 0; c->next_stream += 2;
    o = headers(o, c, c->stream[i]); o = message(o, c->stream[i]);
  }
  c->inflight = pipeline; c->sent_at = now_ns(); write_all(c->fd, out, o - out);
}
static void hello(Conn *c) {
  unsigned char out[128], *o = mempcpy(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  o = frame(o, 0, SETTINGS, 0, 0);
  // All that this connection will ever receive is allowed at once, so that no windows have to be kept.
  o = frame(o, 4, WINDOW_UPDATE, 0, 0); uint32_t window = htonl(0x7fff0000); o = mempcpy(o, &window, 4);
  write_all(c->fd, out, o - out); c->next_stream = 1;
}
// A failed call has trailers only, no message. So whether one succeeded shows without decoding the headers.
static void on_frame(Conn *c, int type, int flags, uint32_t stream, uint64_t t) {
  unsigned char out[32], *o;
  if (type == SETTINGS && !(flags & ACK)) { o = frame(out, 0, SETTINGS, ACK, 0); write_all(c->fd, out, o - out); }
  if (type == PING && !(flags & ACK)) { o = frame(out, 8, PING, ACK, 0); o = mempcpy(o, c->payload, 8); write_all(c->fd, out, o - out); }
  if (type == GOAWAY) { fprintf(stderr, "etcd closes the connection\n"); exit(1); }
  if (type != DATA && type != HEADERS && type != RST_STREAM) return;
  for (int i = 0; i < pipeline; i++) {
    if (c->stream[i] != stream) continue;
    if (type == DATA) c->got_data[i] = 1;
    if (type == RST_STREAM || (flags & END_STREAM)) {
      if (type == RST_STREAM || !c->got_data[i]) error_count++;
      c->stream[i] = 0; c->inflight--; done_count++;
      int b = bucket_of((t - c->sent_at) / 1000); if (b < 64 * 64) hist[b]++;
    }
  }
  if (c->inflight == 0) send_batch(c);
}
static void on_bytes(Conn *c, const unsigned char *p, size_t n, uint64_t t) {
  while (n) {
    if (c->head_bytes < 9) { c->head[c->head_bytes++] = *p++; n--; c->payload_bytes = 0; if (c->head_bytes < 9) continue; }
    uint32_t length = c->head[0] << 16 | c->head[1] << 8 | c->head[2], take = length - c->payload_bytes;
    if (take > n) take = n;
    for (uint32_t i = 0; i < take && c->payload_bytes + i < 8; i++) c->payload[c->payload_bytes + i] = p[i];
    c->payload_bytes += take; p += take; n -= take;
    if (c->payload_bytes < length) return;
    uint32_t stream; memcpy(&stream, c->head + 5, 4); c->head_bytes = 0;
    on_frame(c, c->head[3], c->head[4], ntohl(stream) & 0x7fffffff, t);
  }
}
int main(int argc, char **argv) {
  char *ports = "2379"; int conns = 50, opt; double secs = 5, warm = 2;
  while ((opt = getopt(argc, argv, "p:c:P:t:w:k:")) != -1) switch (opt) {
    case 'p': ports = optarg; break; case 'c': conns = atoi(optarg); break; case 'P': pipeline = atoi(optarg); break;
    case 't': secs = atof(optarg); break; case 'w': warm = atof(optarg); break; case 'k': keys = atoi(optarg); break; default: return 2; }
  if (optind >= argc || pipeline < 1 || pipeline > PIPELINE_MAX) { fprintf(stderr, "put, get or fill; pipeline 1 to %d\n", PIPELINE_MAX); return 2; }
  get = !strcmp(argv[optind], "get"); fill = !strcmp(argv[optind], "fill");
  int port_list[64], port_count = 0;
  for (char *p = strtok(strdup(ports), ","); p && port_count < 64; p = strtok(NULL, ",")) port_list[port_count++] = atoi(p);
  int ep = epoll_create1(0); Conn *all = calloc(conns, sizeof(Conn));
  for (int i = 0; i < conns; i++) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port_list[i % port_count]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) { perror("connect"); return 1; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); fcntl(fd, F_SETFL, O_NONBLOCK);
    all[i].fd = fd; struct epoll_event e = { .events = EPOLLIN, .data.ptr = &all[i] }; epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  }
  for (int i = 0; i < conns; i++) { hello(&all[i]); send_batch(&all[i]); }
  uint64_t start = now_ns(), measure_from = start + (uint64_t)(warm * 1e9), end = measure_from + (uint64_t)(secs * 1e9); int measuring = 0;
  static unsigned char buf[1 << 20]; struct epoll_event ev[256];
  uint64_t last_progress = start;
  for (uint64_t t = start; t < end && !(fill && done_count >= (uint64_t)keys);) {
    int n = epoll_wait(ep, ev, 256, 100); t = now_ns();
    if (!measuring && !fill && t >= measure_from) { measuring = 1; done_count = error_count = 0; memset(hist, 0, sizeof hist); measure_from = t; end = t + (uint64_t)(secs * 1e9); }
    if (n > 0) last_progress = t; else if (t - last_progress > 10000000000ull) { fprintf(stderr, "no reply for 10 s\n"); break; }
    for (int i = 0; i < n; i++) {
      Conn *c = ev[i].data.ptr; ssize_t r = read(c->fd, buf, sizeof buf);
      if (r == 0) { fprintf(stderr, "connection closed by server\n"); return 1; }
      if (r < 0) { if (errno == EAGAIN) continue; perror("read"); return 1; }
      on_bytes(c, buf, r, now_ns());
    }
  }
  if (fill) return done_count >= (uint64_t)keys && !error_count ? 0 : 1;
  double dt = (now_ns() - measure_from) / 1e9; double q[] = { .5, .99, .999 }; printf("%.0f req/s errors %llu", done_count / dt, (unsigned long long)error_count);
  for (int k = 0; k < 3; k++) { uint64_t want = (uint64_t)(done_count * q[k]), seen = 0; for (int b = 0; b < 64 * 64; b++) { seen += hist[b]; if (seen > want) { printf(" p%g %.2fms", q[k] * 100, value_of(b) / 1000); break; } } }
  printf("\n");
  return 0;
}

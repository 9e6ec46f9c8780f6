// How old local reads are: writes through one node, and asks another one until it shows the write. Nodes take turns.
//
//   staleness -p PORT,PORT,... [-w SECONDS] [-t SECONDS] [-i MICROS]
//
//   -p   the nodes' ports on 127.0.0.1, two at least
//   -w   seconds that are not counted, before
//   -t   seconds that are counted
//   -i   microseconds between two writes, at most; how many is chosen at random (20000)
//
// Prints one line: writes a second, errors, and the p50, p99 and p99.9 of the time from the reply to the write until a
// read was sent, on the other node, that showed it.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NODES_MAX = 9, SAMPLES_MAX = 1 << 20, POLL_MICROS = 50 };

static double samples[SAMPLES_MAX];

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return s;
}

// The number in a reply of three lines, LEN n, the number, DONE; -1 for any other.
static long ask(int s, const char *request) {
    char reply[256];
    size_t length = 0;
    int lines = 0;
    if (write(s, request, strlen(request)) < 0) fail("write");
    while (lines < 3) {
        ssize_t n = read(s, reply + length, sizeof reply - 1 - length);
        if (n <= 0) fail("read");
        for (ssize_t i = 0; i < n; i++) lines += reply[length + i] == '\n';
        length += n;
        reply[length] = 0;
        if (strncmp(reply, "LEN", length < 3 ? length : 3) != 0 && lines > 0) return -1;
    }
    return atol(strchr(reply, '\n') + 1);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int ports[NODES_MAX], sockets[NODES_MAX], nodes = 0, option;
    double warmup = 0, time = 3, pause = 20000;
    while ((option = getopt(argc, argv, "p:w:t:i:")) != -1) {
        switch (option) {
            case 'p':
                for (char *p = strtok(optarg, ","); p && nodes < NODES_MAX; p = strtok(NULL, ",")) ports[nodes++] = atoi(p);
                break;
            case 'w': warmup = atof(optarg); break;
            case 't': time = atof(optarg); break;
            case 'i': pause = atof(optarg); break;
            default: return 2;
        }
    }
    if (nodes < 2) return fprintf(stderr, "staleness: two ports at least\n"), 2;
    for (int i = 0; i < nodes; i++) sockets[i] = connected(ports[i]);
    long errors = 0;
    int count = 0;
    double begin = seconds() + warmup, end = begin + time;
    for (long turn = 0; seconds() < end && count < SAMPLES_MAX; turn++) {
        int writer = turn % nodes, reader = (writer + 1 + turn / nodes % (nodes - 1)) % nodes;
        long written = ask(sockets[writer], "INCR staleness 1 0\r\n");
        double replied = seconds(), sent = replied;
        if (written < 0) {
            errors++;
        } else {
            while (ask(sockets[reader], "GET staleness read=local\r\n") < written && seconds() < end) {
                usleep(POLL_MICROS);
                sent = seconds();
            }
            if (replied >= begin) samples[count++] = (sent - replied) * 1e3;
        }
        usleep(pause * (rand() % 1000) / 1000);
    }
    qsort(samples, count, sizeof *samples, ascending);
    if (count == 0) return fprintf(stderr, "staleness: nothing was measured\n"), 1;
    printf("%.0f req/s errors %ld p50 %.3fms p99 %.3fms p99.9 %.3fms\n", count / time, errors, samples[count / 2],
           samples[(int)(count * 0.99)], samples[(int)(count * 0.999)]);
    return 0;
}

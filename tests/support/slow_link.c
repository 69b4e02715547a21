// slow_link SPACE_A DEVICE_A SPACE_B DEVICE_B DELAY_MS KBIT: a link between two network namespaces
// that this process carries, frame by frame, each way with a delay and at most KBIT kilobits a
// second: for kernels without netem and tbf. Makes the devices (taps), prints a line when they are
// there, runs until it is killed.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 2048, QUEUE = 512 };

typedef struct frame {
    double due; // seconds
    size_t size;
    char bytes[FRAME];
} frame;

// One direction.
typedef struct way {
    int from, to;
    double free; // when the wire has carried what is on it
    size_t first, count;
    frame frames[QUEUE];
} way;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int open_tap(const char *space, const char *device) {
    char path[200];
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(path, sizeof path, "/run/netns/%s", space);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET)) return -1;
    close(there);
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return tap >= 0 && ioctl(tap, TUNSETIFF, &request) == 0 ? tap : -1;
}

// A full queue drops frames, as a wire's does.
static void take(way *it, double delay, double bytes_a_second) {
    static char dropped[FRAME];
    frame *last = &it->frames[(it->first + it->count) % QUEUE];
    char *bytes = it->count < QUEUE ? last->bytes : dropped;
    ssize_t size = read(it->from, bytes, FRAME);
    if (size <= 0 || bytes == dropped) return;
    double time = now();
    it->free = (it->free > time ? it->free : time) + (double)size / bytes_a_second;
    last->due = it->free + delay;
    last->size = (size_t)size;
    it->count++;
}

static void deliver(way *it) {
    while (it->count && it->frames[it->first].due <= now()) {
        frame *next = &it->frames[it->first];
        ssize_t sent = write(it->to, next->bytes, next->size); // refused: lost
        (void)sent;
        it->first = (it->first + 1) % QUEUE;
        it->count--;
    }
}

// Milliseconds until the next frame is due; -1: none is under way.
static int patience(const way *ways) {
    double due = -1;
    for (int i = 0; i < 2; i++)
        if (ways[i].count && (due < 0 || ways[i].frames[ways[i].first].due < due))
            due = ways[i].frames[ways[i].first].due;
    if (due < 0) return -1;
    double left = (due - now()) * 1000;
    return left > 0 ? (int)left + 1 : 0;
}

int main(int argc, char **argv) {
    static way ways[2];
    if (argc != 7) return 2;
    int a = open_tap(argv[1], argv[2]), b = open_tap(argv[3], argv[4]);
    double delay = atof(argv[5]) / 1000, bytes_a_second = atof(argv[6]) * 1000 / 8;
    if (a < 0 || b < 0) {
        perror("slow_link: making the taps");
        return 1;
    }
    ways[0].from = ways[1].to = a;
    ways[1].from = ways[0].to = b;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd wait[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
        poll(wait, 2, patience(ways));
        for (int i = 0; i < 2; i++) {
            if (wait[i].revents & POLLIN) take(&ways[i], delay, bytes_a_second);
            deliver(&ways[i]);
        }
    }
}

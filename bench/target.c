// The program that is restarted: THREADS threads that wait, MIB resident in pages of 4 KiB, a port of its own choice, and a line
// when it stands.
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void *waitForEver(void *_) {
  (void)_;
  for (;;) pause();
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  size_t size = argc > 2 ? (size_t)atoi(argv[2]) << 20 : 0;
  if (size > 0) {
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    madvise(memory, size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
  }
  struct sockaddr_in any = {.sin_family = AF_INET};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) < 0 || listen(listener, 16) < 0) return 1;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (int i = 1; i < threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, waitForEver, NULL) != 0) return 1;
  }
  if (write(1, "ready\n", 6) != 6) return 1;
  for (;;) pause();
}

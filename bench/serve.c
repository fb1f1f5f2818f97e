// serve PORT: answers each connection with two bytes, and ends at SIGTERM when it has answered the one it has. serve PORT bad: exits 1.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;

static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  if (argc > 2) return 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) return 2;
  puts("listening");
  fflush(stdout);
  while (!stopping) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) continue;
    if (write(connection, "ok", 2) < 0) perror("write");
    close(connection);
  }
  return 0;
}

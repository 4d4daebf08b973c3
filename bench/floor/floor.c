/*
 * The least that an SMTP server can cost: one thread, epoll, OpenSSL, no policy, no storage. With --cert, --key and --ca it
 * offers STARTTLS and demands a client certificate. It is also the sink of the delivery row: a line on standard input is
 * answered with "messages connections seconds", the last being the time from the first message to the last.
 *
 * cc -O2 -o floor floor.c -lssl -lcrypto
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_ROOM = 64 * 1024, LINE_ROOM = 1024, OUT_ROOM = 4096, EVENTS = 256, MOST_SOCKETS = 65536 };

struct connection {
  int socket;
  SSL *ssl;
  bool handshaking, in_content, ends;
  unsigned matched;           /* octets of CRLF.CRLF seen so far */
  size_t line_length, out_length;
  char line[LINE_ROOM];
  char out[OUT_ROOM];
};

static SSL_CTX *tls;
static int poller;
static struct connection *by_socket[MOST_SOCKETS];
static char in[IN_ROOM];
static long messages, connections;
static double first_message, last_message;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void drop(struct connection *c) {
  by_socket[c->socket] = NULL;
  if (c->ssl != NULL) SSL_free(c->ssl);
  close(c->socket);
  free(c);
}

static void answer(struct connection *c, const char *text) {
  size_t length = strlen(text);
  if (c->out_length + length > sizeof c->out) return;
  memcpy(c->out + c->out_length, text, length);
  c->out_length += length;
}

/* Replies are small and the client waits for them, so a socket without room for one is an error. */
static bool flush(struct connection *c) {
  if (c->out_length == 0) return true;
  ssize_t length = (ssize_t)c->out_length;
  c->out_length = 0;
  if (c->ssl != NULL) return SSL_write(c->ssl, c->out, (int)length) == length;
  return send(c->socket, c->out, (size_t)length, MSG_NOSIGNAL) == length;
}

static void count_message(void) {
  last_message = now();
  if (messages++ == 0) first_message = last_message;
}

static void command(struct connection *c, const char *line) {
  if (strncasecmp(line, "EHLO", 4) == 0)
    answer(c, tls != NULL && c->ssl == NULL ? "250-floor\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
                                            : "250-floor\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 104857600\r\n");
  else if (strncasecmp(line, "DATA", 4) == 0) {
    c->in_content = true;
    c->matched = 2;
    answer(c, "354 go on\r\n");
  } else if (strncasecmp(line, "STARTTLS", 8) == 0 && tls != NULL && c->ssl == NULL) {
    answer(c, "220 go on\r\n");
    flush(c);
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->socket);
    SSL_set_accept_state(c->ssl);
    c->handshaking = true;
  } else if (strncasecmp(line, "QUIT", 4) == 0) {
    answer(c, "221 bye\r\n");
    c->ends = true;
  } else if (strncasecmp(line, "MAIL", 4) == 0 || strncasecmp(line, "RCPT", 4) == 0 || strncasecmp(line, "RSET", 4) == 0 ||
             strncasecmp(line, "NOOP", 4) == 0 || strncasecmp(line, "HELO", 4) == 0)
    answer(c, "250 ok\r\n");
  else
    answer(c, "500 what?\r\n");
}

/* Octets of a message up to CRLF.CRLF; how many belonged to it. */
static size_t content(struct connection *c, const char *text, size_t length) {
  static const char end[] = "\r\n.\r\n";
  size_t i = 0;
  while (i < length) {
    if (c->matched == 0) {
      const char *cr = memchr(text + i, '\r', length - i);
      if (cr == NULL) return length;
      i = (size_t)(cr - text) + 1;
      c->matched = 1;
      continue;
    }
    char octet = text[i++];
    if (octet == end[c->matched]) c->matched++;
    else c->matched = octet == '\r' ? 1 : 0;
    if (c->matched == 5) {
      c->in_content = false;
      count_message();
      answer(c, "250 ok\r\n");
      return i;
    }
  }
  return length;
}

static void take(struct connection *c, const char *text, size_t length) {
  while (length > 0 && !c->ends && !c->handshaking) {
    if (c->in_content) {
      size_t used = content(c, text, length);
      text += used;
      length -= used;
      continue;
    }
    char octet = *text++;
    length--;
    if (c->line_length < LINE_ROOM) c->line[c->line_length++] = octet;
    if (octet != '\n') continue;
    c->line[c->line_length - 1] = 0;
    c->line_length = 0;
    command(c, c->line);
  }
}

/* What the socket has to say; false when the connection is over. */
static bool serve(struct connection *c) {
  if (c->handshaking) {
    ERR_clear_error();
    int result = SSL_do_handshake(c->ssl);
    if (result != 1) return SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ;
    c->handshaking = false;
  }
  for (;;) {
    ssize_t got;
    if (c->ssl != NULL) {
      ERR_clear_error();
      got = SSL_read(c->ssl, in, IN_ROOM);
      if (got <= 0) return SSL_get_error(c->ssl, (int)got) == SSL_ERROR_WANT_READ;
    } else {
      got = recv(c->socket, in, IN_ROOM, 0);
      if (got < 0 && errno == EAGAIN) return true;
      if (got <= 0) return false;
    }
    take(c, in, (size_t)got);
    if (!flush(c) || c->ends) return false;
    if (c->handshaking) return true;
  }
}

static void welcome(int listener) {
  int socket;
  while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = socket < MOST_SOCKETS ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
      close(socket);
      continue;
    }
    c->socket = socket;
    by_socket[socket] = c;
    connections++;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    answer(c, "220 floor ESMTP\r\n");
    if (!flush(c)) drop(c);
  }
}

static void tell(void) {
  char line[64];
  ssize_t got = read(STDIN_FILENO, line, sizeof line);
  if (got <= 0) exit(0);
  printf("%ld %ld %.4f\n", messages, connections, last_message - first_message);
  fflush(stdout);
}

static int listen_on(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(listener, 1024) < 0) die("listen");
  return listener;
}

static void offer_tls(const char *cert, const char *key, const char *ca) {
  tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 || SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(tls, ca, NULL) != 1) {
    ERR_print_errors_fp(stderr);
    exit(1);
  }
  SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(ca));
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_session_id_context(tls, (const unsigned char *)"floor", 5);
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"port", 1, 0, 'p'}, {"cert", 1, 0, 'c'}, {"key", 1, 0, 'k'}, {"ca", 1, 0, 'a'}, {0, 0, 0, 0}};
  const char *cert = NULL, *key = NULL, *ca = NULL;
  int port = 0, option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'p') port = atoi(optarg);
    else if (option == 'c') cert = optarg;
    else if (option == 'k') key = optarg;
    else if (option == 'a') ca = optarg;
    else return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (cert != NULL) offer_tls(cert, key, ca);
  poller = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(port);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = STDIN_FILENO;
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int socket = events[i].data.fd;
      if (socket == listener) welcome(listener);
      else if (socket == STDIN_FILENO) tell();
      else if (by_socket[socket] != NULL && !serve(by_socket[socket])) drop(by_socket[socket]);
    }
  }
}

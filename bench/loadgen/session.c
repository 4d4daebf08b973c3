/*
 * One SMTP session as a client lives it: greeting, EHLO, STARTTLS, handshake, EHLO, AUTH, messages, QUIT. Non-blocking.
 * A reply other than the one that RFC 5321 wants here, an unasked-for reply, a reply before its time and a connection that
 * ends early are failures.
 */
#define _GNU_SOURCE
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const phase_name[] = {"closed", "connect", "TLS handshake", "greeting", "EHLO", "STARTTLS",
                                         "EHLO in TLS", "AUTH", "MAIL", "RCPT", "DATA", "final dot", "QUIT", "idle"};

enum { TLS_WRITE_MOST = 256 * 1024 };

static void watch(struct session *s, unsigned events) {
  if (s->events == events) return;
  struct epoll_event event = {.events = events, .data.ptr = s};
  epoll_ctl(poller, s->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s->socket, &event);
  s->events = events;
}

void session_close(struct session *s) {
  if (s->ssl != NULL) SSL_free(s->ssl);
  if (s->socket >= 0) close(s->socket);
  s->ssl = NULL;
  s->socket = -1;
  s->events = 0;
  s->phase = CLOSED;
}

void session_fail(struct session *s, const char *why, const char *text) {
  const char *in = phase_name[s->phase];
  if (s->phase == IDLE) tally.dropped++;
  if (tally.failures++ == 0) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(tally.first_failure, sizeof tally.first_failure, "%s: %s%s%.300s%s%s", in, why, text ? ": " : "",
             text ? text : "", reason ? ": " : "", reason ? reason : "");
    fprintf(stderr, "loadgen: first failure: %s\n", tally.first_failure);
  }
  ERR_clear_error();
  session_close(s);
  session_over(s);
}

/* Writes what is left to write. False once the session has failed. */
static bool flush(struct session *s) {
  while (s->out_left > 0) {
    ssize_t written;
    if (s->phase == CONTENT) s->dot_sent = now(); /* the last write has the dot */
    if (s->ssl != NULL) {
      ERR_clear_error();
      int most = s->out_left > TLS_WRITE_MOST ? TLS_WRITE_MOST : (int)s->out_left;
      written = SSL_write(s->ssl, s->out, most);
      if (written <= 0) {
        int error = SSL_get_error(s->ssl, (int)written);
        if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) {
          watch(s, error == SSL_ERROR_WANT_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN);
          return true;
        }
        return session_fail(s, "the connection ended while writing", NULL), false;
      }
    } else {
      written = send(s->socket, s->out, s->out_left, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN) return watch(s, EPOLLIN | EPOLLOUT), true;
        return session_fail(s, "the connection ended while writing", strerror(errno)), false;
      }
    }
    s->out += written;
    s->out_left -= (size_t)written;
  }
  watch(s, EPOLLIN);
  return true;
}

/* Sends, and says what is to come back. */
static bool say(struct session *s, enum phase phase, int expected, const char *text, size_t length) {
  s->phase = phase;
  s->expected = expected;
  s->replies_due = 1;
  s->out = text;
  s->out_left = length;
  return flush(s);
}

__attribute__((format(printf, 4, 5))) static bool command(struct session *s, enum phase phase, int expected,
                                                          const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(s->command, sizeof s->command, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof s->command) return session_fail(s, "command too long", NULL), false;
  return say(s, phase, expected, s->command, (size_t)length);
}

/* MAIL, every RCPT and DATA in one write. */
static bool envelope_at_once(struct session *s) {
  size_t length = (size_t)snprintf(s->command, sizeof s->command, "MAIL FROM:<%s>\r\n", plan.sender);
  for (int i = 0; i < plan.recipients && length < sizeof s->command; i++)
    length += (size_t)snprintf(s->command + length, sizeof s->command - length, "RCPT TO:<r%d-%s>\r\n", i, plan.recipient);
  if (length + 8 >= sizeof s->command) return session_fail(s, "command too long", NULL), false;
  memcpy(s->command + length, "DATA\r\n", 6);
  if (!say(s, DATA, 354, s->command, length + 6)) return false;
  s->replies_due = plan.recipients + 2;
  return true;
}

static bool next_message(struct session *s) {
  if (s->message >= plan.messages) return command(s, QUIT, 221, "QUIT\r\n");
  s->recipient = 0;
  if (plan.pipeline) return envelope_at_once(s);
  return command(s, MAIL, 250, "MAIL FROM:<%s>\r\n", plan.sender);
}

static bool next_recipient(struct session *s) {
  if (s->recipient >= plan.recipients) return command(s, DATA, 354, "DATA\r\n");
  return command(s, RCPT, 250, "RCPT TO:<r%d-%s>\r\n", s->recipient++, plan.recipient);
}

/* True while the handshake goes on or is done, false once the session has failed. */
static bool shake_hands(struct session *s) {
  ERR_clear_error();
  int result = SSL_do_handshake(s->ssl);
  if (result != 1) {
    int error = SSL_get_error(s->ssl, result);
    if (error == SSL_ERROR_WANT_READ) return watch(s, EPOLLIN), true;
    if (error == SSL_ERROR_WANT_WRITE) return watch(s, EPOLLIN | EPOLLOUT), true;
    return session_fail(s, "handshake", error == SSL_ERROR_SYSCALL ? "connection closed" : NULL), false;
  }
  histogram_add(&tally.handshake, now() - s->handshake_began);
  if (SSL_session_reused(s->ssl)) tally.resumed++;
  if (tally.protocol[0] == 0)
    snprintf(tally.protocol, sizeof tally.protocol, "%s %s", SSL_get_version(s->ssl), SSL_get_cipher(s->ssl));
  if (plan.tls == TLS_STARTTLS) return command(s, EHLO_IN_TLS, 250, "EHLO client.bench.example\r\n");
  s->phase = GREETING;
  s->expected = 220;
  s->replies_due = 1;
  watch(s, EPOLLIN);
  return true;
}

static bool start_tls(struct session *s) {
  s->phase = HANDSHAKE;
  s->handshake_began = now();
  s->ssl = SSL_new(tls_context);
  SSL_set_app_data(s->ssl, (void *)s->identity);
  SSL_set_fd(s->ssl, s->socket);
  SSL_set_connect_state(s->ssl);
  if (s->identity != NULL) {
    SSL_use_certificate(s->ssl, s->identity->certificate);
    SSL_use_PrivateKey(s->ssl, s->identity->key);
    if (plan.resume && s->identity->ticket != NULL) SSL_set_session(s->ssl, s->identity->ticket);
  }
  return shake_hands(s);
}

int keep_ticket(SSL *ssl, SSL_SESSION *ticket) {
  struct identity *identity = SSL_get_app_data(ssl);
  if (identity == NULL) return 0;
  if (identity->ticket != NULL) SSL_SESSION_free(identity->ticket);
  identity->ticket = ticket;
  return 1;
}

static bool become_idle(struct session *s) {
  s->phase = IDLE;
  tally.idle++;
  histogram_add(&tally.session, now() - s->began);
  return true;
}

static bool finished(struct session *s) {
  histogram_add(&tally.session, now() - s->began);
  tally.finished++;
  if (s->ssl != NULL) SSL_shutdown(s->ssl);
  session_close(s);
  session_over(s);
  return false;
}

/* Every reply that was due is here: the next step. False once this session is over. */
static bool advance(struct session *s) {
  switch (s->phase) {
    case GREETING:
      return command(s, plan.tls == TLS_STARTTLS ? EHLO : EHLO_IN_TLS, 250, "EHLO client.bench.example\r\n");
    case EHLO:
      if (!s->offers_starttls) return session_fail(s, "STARTTLS is not offered", NULL), false;
      return command(s, STARTTLS, 220, "STARTTLS\r\n");
    case STARTTLS:
      return start_tls(s);
    case EHLO_IN_TLS:
      if (plan.idle) return become_idle(s);
      if (plan.auth != NULL) return command(s, AUTH, 235, "AUTH PLAIN %s\r\n", plan.auth);
      return next_message(s);
    case AUTH:
      return next_message(s);
    case MAIL:
    case RCPT:
      return next_recipient(s);
    case DATA:
      return say(s, CONTENT, 250, plan.content, plan.content_length);
    case CONTENT:
      histogram_add(&tally.accepted, now() - s->dot_sent);
      tally.messages++;
      s->message++;
      return next_message(s);
    case QUIT:
      return finished(s);
    default:
      return session_fail(s, "a reply that nobody asked for", NULL), false;
  }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* One line of a reply, without its end. False once this session is over. */
static bool reply_line(struct session *s, const char *line, size_t length) {
  if (s->replies_due == 0) return session_fail(s, "a reply that nobody asked for", line), false;
  if (s->out_left > 0) return session_fail(s, "a reply before its time", line), false;
  bool formed = length >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]) &&
                (length == 3 || line[3] == ' ' || line[3] == '-');
  if (!formed) return session_fail(s, "not a reply", line), false;
  int wanted = s->replies_due > 1 ? 250 : s->expected;
  if (atoi(line) != wanted) return session_fail(s, "unexpected reply", line), false;
  if (s->phase == EHLO && strcasecmp(line + 4, "STARTTLS") == 0) s->offers_starttls = true;
  if (length > 3 && line[3] == '-') return true;
  return --s->replies_due > 0 || advance(s);
}

/* Takes whole lines from what was read. False once this session is over. */
static bool take_lines(struct session *s) {
  size_t from = 0;
  for (;;) {
    char *end = memchr(s->in + from, '\n', s->in_length - from);
    if (end == NULL) break;
    char line[REPLY_ROOM];
    size_t length = (size_t)(end - (s->in + from));
    if (length == 0 || end[-1] != '\r') return session_fail(s, "a line end that is not CRLF", NULL), false;
    memcpy(line, s->in + from, length - 1);
    line[length - 1] = 0;
    from += length + 1;
    bool more = s->in_length > from;
    if (more && s->phase == STARTTLS) return session_fail(s, "octets behind the reply to STARTTLS", NULL), false;
    if (!reply_line(s, line, length - 1)) return false;
  }
  s->in_length -= from;
  memmove(s->in, s->in + from, s->in_length);
  if (s->in_length == sizeof s->in) return session_fail(s, "the line is too long", NULL), false;
  return true;
}

static void receive(struct session *s) {
  for (;;) {
    ssize_t got;
    size_t room = sizeof s->in - s->in_length;
    SSL *ssl = s->ssl;
    if (ssl != NULL) {
      ERR_clear_error();
      got = SSL_read(ssl, s->in + s->in_length, (int)room);
      if (got <= 0) {
        int error = SSL_get_error(ssl, (int)got);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        return session_fail(s, "the server closed the connection", NULL);
      }
    } else {
      got = recv(s->socket, s->in + s->in_length, room, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got < 0) return session_fail(s, "the connection broke", strerror(errno));
      if (got == 0) return session_fail(s, "the server closed the connection", NULL);
    }
    s->in_length += (size_t)got;
    if (!take_lines(s) || s->phase == HANDSHAKE) return;
  }
}

void session_begin(struct session *s, struct identity *identity) {
  memset(s, 0, offsetof(struct session, in));
  s->identity = identity;
  s->began = now();
  s->phase = CONNECTING;
  tally.started++;
  s->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s->socket < 0) return session_fail(s, "socket", strerror(errno));
  int on = 1;
  setsockopt(s->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(s->socket, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
    return session_fail(s, "connect", strerror(errno));
  watch(s, EPOLLOUT);
}

static void connected(struct session *s) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(s->socket, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return session_fail(s, "connect", strerror(error));
  if (plan.tls == TLS_IMPLICIT) {
    start_tls(s);
    return;
  }
  s->phase = GREETING;
  s->expected = 220;
  s->replies_due = 1;
  watch(s, EPOLLIN);
}

void session_ready(struct session *s, unsigned events) {
  if (s->phase == CLOSED) return;
  if (s->phase == CONNECTING) return connected(s);
  if (s->phase == HANDSHAKE) {
    shake_hands(s);
    return;
  }
  if (s->out_left > 0 && (events & EPOLLOUT) != 0 && !flush(s)) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(s);
}

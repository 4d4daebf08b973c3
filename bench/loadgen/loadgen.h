/*
 * What the load generator's two halves share: loadgen.c decides how much load there is and reports, session.c speaks
 * SMTP (RFC 5321) inside or outside of TLS (RFC 3207, RFC 8314) and checks every reply.
 */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"

enum tls_mode { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };

/* What a session does. */
struct plan {
  int port;
  enum tls_mode tls;
  int messages;             /* in one session */
  int recipients;           /* of one message */
  bool pipeline;            /* MAIL, RCPT and DATA in one write, RFC 2920 */
  bool resume;              /* TLS sessions are resumed, one ticket a certificate */
  bool idle;                /* stays after EHLO until it is told to end */
  const char *sender;
  const char *recipient;    /* local part and domain of every recipient */
  const char *auth;         /* initial response of AUTH PLAIN in base64, or NULL */
  const char *content;      /* header, body and final dot */
  size_t content_length;
};

/* A client certificate, and the ticket that its last session left. */
struct identity {
  X509 *certificate;
  EVP_PKEY *key;
  SSL_SESSION *ticket;
};

struct tally {
  long started, finished, messages, failures, resumed, idle, dropped;
  char protocol[64];
  char first_failure[512];
  histogram session;        /* connect to 221 */
  histogram handshake;      /* first octet of TLS to Finished */
  histogram accepted;       /* the write that has the final dot to 250 */
};

enum phase {
  CLOSED, CONNECTING, HANDSHAKE, GREETING, EHLO, STARTTLS, EHLO_IN_TLS, AUTH, MAIL, RCPT, DATA, CONTENT, QUIT, IDLE
};

enum { REPLY_ROOM = 4096, COMMAND_ROOM = 2048 };

struct session {
  enum phase phase;
  int socket;
  SSL *ssl;
  struct identity *identity;
  int message;              /* messages accepted so far */
  int recipient;            /* recipients accepted of this one */
  int replies_due;          /* the last one due has the code `expected`, those before it 250 */
  int expected;
  bool offers_starttls;
  double began, handshake_began, dot_sent;
  const char *out;          /* what is still to be written */
  size_t out_left;
  unsigned events;          /* what epoll watches for */
  size_t in_length;
  char in[REPLY_ROOM];
  char command[COMMAND_ROOM];
};

/* Defined in loadgen.c. */
extern struct plan plan;
extern struct tally tally;
extern int poller;
extern SSL_CTX *tls_context;
double now(void);
/* The session is over, well or not; its slot may begin another. */
void session_over(struct session *s);

/* Defined in session.c. */
void session_begin(struct session *s, struct identity *identity);
/* epoll says that the socket is ready. */
void session_ready(struct session *s, unsigned events);
/* Counts a session that did not end as it should, and closes it. */
void session_fail(struct session *s, const char *why, const char *text);
/* Closes without a word; nothing is counted. */
void session_close(struct session *s);
/* Keeps the ticket for the next session of the same certificate. */
int keep_ticket(SSL *ssl, SSL_SESSION *ticket);

#endif

/*
 * A closed-loop SMTP load generator for loopback: `concurrency` sessions at a time, each followed by the next, for a number
 * of seconds or of sessions. Sessions under way when the time is over are finished and counted. One thread, because the
 * client shares the machine with the server that is measured. Prints one JSON object; ends with 1 if anything failed.
 * Idle mode holds connections after EHLO, prints "idle N", and ends when its standard input does.
 *
 * cc -O2 -o loadgen loadgen.c session.c histogram.c -lssl -lcrypto
 */
#define _GNU_SOURCE
#include "loadgen.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FAILURES = 100, GRACE_SECONDS = 60, EVENTS = 256 };

struct plan plan = {.tls = TLS_STARTTLS, .messages = 1, .recipients = 1, .sender = "sender@bench.example",
                    .recipient = "recipient@sink.example"};
struct tally tally;
int poller;
SSL_CTX *tls_context;

static int concurrency = 32;
static long most_sessions = 1000000000;
static double seconds = 5;
static size_t size = 4096;
static const char *certificates;
static struct identity *identities;
static int identity_count;
static double start_time, end_time;
static int under_way;
static double last_over;

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "loadgen: %s\n", what);
  exit(2);
}

static void usage(void) {
  die("usage: loadgen --port N [--tls none|starttls|implicit] [--certificates DIR] [--concurrency N] [--seconds S]\n"
      "  [--sessions N] [--messages N] [--recipients N] [--size OCTETS] [--auth-plain BASE64] [--pipeline] [--resume]\n"
      "  [--tls12] [--sender ADDRESS] [--recipient ADDRESS] [--idle N]");
}

/* A header and lines of 76 characters up to `size` octets, and the final dot. No line begins with a dot. */
static void make_content(void) {
  static const char header[] =
      "From: Bench <sender@bench.example>\r\nTo: <recipient@sink.example>\r\nSubject: bench\r\n"
      "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@client.bench.example>\r\n\r\n";
  char *content = malloc(size + sizeof header + 8);
  size_t length = sizeof header - 1;
  memcpy(content, header, length);
  for (size_t column = 0; length + 2 < size; column++) {
    if (column == 76) {
      memcpy(content + length, "\r\n", 2);
      length += 2;
      column = (size_t)-1;
    } else {
      content[length] = (char)('a' + (length * 7 + column) % 26);
      length++;
    }
  }
  memcpy(content + length, "\r\n.\r\n", 5);
  plan.content = content;
  plan.content_length = length + 5;
}

/* client-0001.pem, client-0002.pem, …: a certificate and its key in each. */
static void load_identities(void) {
  char path[4096];
  for (;; identity_count++) {
    snprintf(path, sizeof path, "%s/client-%04d.pem", certificates, identity_count + 1);
    FILE *file = fopen(path, "r");
    if (file == NULL) break;
    identities = realloc(identities, sizeof *identities * (size_t)(identity_count + 1));
    struct identity *one = &identities[identity_count];
    one->ticket = NULL;
    one->certificate = PEM_read_X509(file, NULL, NULL, NULL);
    rewind(file);
    one->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (one->certificate == NULL || one->key == NULL) die("a client certificate cannot be read");
  }
  if (identity_count == 0) die("no client certificates there");
}

static int any_server(X509_STORE_CTX *store, void *nothing) {
  (void)store, (void)nothing;
  return 1;
}

static void make_tls_context(int version) {
  tls_context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(tls_context, version);
  SSL_CTX_set_max_proto_version(tls_context, version);
  SSL_CTX_set1_groups_list(tls_context, "X25519:P-256");
  SSL_CTX_set_mode(tls_context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  /* The server's chain is not what is measured: the client's time goes to the load. */
  SSL_CTX_set_cert_verify_callback(tls_context, any_server, NULL);
  if (plan.resume) {
    SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls_context, keep_ticket);
  }
}

/* Slots wait here between two sessions, so that a row of failures does not recurse. */
static struct session **waiting;
static int waiting_count;

static bool begin_next(void) {
  if (waiting_count == 0 || now() >= end_time || tally.started >= most_sessions || tally.failures >= MOST_FAILURES)
    return false;
  struct session *s = waiting[--waiting_count];
  under_way++;
  session_begin(s, identity_count > 0 ? &identities[tally.started % identity_count] : NULL);
  return true;
}

void session_over(struct session *s) {
  under_way--;
  last_over = now();
  waiting[waiting_count++] = s;
}

static void serve_events(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(poller, events, EVENTS, timeout_ms);
  for (int i = 0; i < count; i++)
    if (events[i].data.ptr != NULL) session_ready(events[i].data.ptr, events[i].events);
}

static void fail_all(struct session *sessions, int count) {
  for (int i = 0; i < count; i++)
    if (sessions[i].phase != CLOSED) session_fail(&sessions[i], "stuck", NULL);
}

static void run_load(struct session *sessions) {
  for (int i = 0; i < concurrency; i++) waiting[waiting_count++] = &sessions[i];
  for (;;) {
    while (begin_next()) {
    }
    if (under_way == 0) return;
    serve_events(100);
    if (now() > end_time + GRACE_SECONDS) return fail_all(sessions, concurrency);
  }
}

/* Opens them with at most `concurrency` under way, holds them until standard input ends. */
static void run_idle(struct session *sessions, int count) {
  int begun = 0;
  while (tally.idle + tally.failures < count && now() < end_time + GRACE_SECONDS) {
    while (begun < count && begun - tally.idle - tally.failures < concurrency) {
      under_way++;
      session_begin(&sessions[begun], identity_count > 0 ? &identities[begun % identity_count] : NULL);
      begun++;
    }
    serve_events(100);
  }
  printf("idle %ld\n", tally.idle);
  fflush(stdout);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  char byte;
  ssize_t got;
  while ((got = read(STDIN_FILENO, &byte, 1)) != 0 && (got > 0 || errno == EAGAIN)) serve_events(1000);
  tally.finished = tally.idle - tally.dropped;
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void print_json_text(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    if ((unsigned char)*text < 32 || (unsigned char)*text > 126) putchar('?');
    else if (*text == '"' || *text == '\\') printf("\\%c", *text);
    else putchar(*text);
  }
  putchar('"');
}

static void report(double client_cpu) {
  double elapsed = (last_over > start_time ? last_over : now()) - start_time;
  printf("{\"sessions\":%ld,\"messages\":%ld,\"failures\":%ld,\"resumed\":%ld,\"dropped\":%ld,\"seconds\":%.4f,"
         "\"clientCpuSeconds\":%.4f,\"protocol\":",
         tally.finished, tally.messages, tally.failures, tally.resumed, tally.dropped, elapsed, client_cpu);
  print_json_text(tally.protocol);
  printf(",\"firstFailure\":");
  print_json_text(tally.first_failure);
  printf(",\"session\":");
  histogram_json(&tally.session, stdout);
  printf(",\"handshake\":");
  histogram_json(&tally.handshake, stdout);
  printf(",\"accepted\":");
  histogram_json(&tally.accepted, stdout);
  printf("}\n");
}

static enum tls_mode tls_mode_of(const char *word) {
  if (strcmp(word, "none") == 0) return TLS_NONE;
  if (strcmp(word, "starttls") == 0) return TLS_STARTTLS;
  if (strcmp(word, "implicit") == 0) return TLS_IMPLICIT;
  usage();
  return TLS_NONE;
}

static int read_options(int argc, char **argv, int *version) {
  enum { PORT = 1, TLS, CERTIFICATES, CONCURRENCY, SECONDS, SESSIONS, MESSAGES, RECIPIENTS, SIZE, AUTH_PLAIN, PIPELINE,
         RESUME, TLS12, SENDER, RECIPIENT, IDLE_COUNT };
  static const struct option options[] = {
      {"port", 1, 0, PORT},         {"tls", 1, 0, TLS},           {"certificates", 1, 0, CERTIFICATES},
      {"concurrency", 1, 0, CONCURRENCY}, {"seconds", 1, 0, SECONDS}, {"sessions", 1, 0, SESSIONS},
      {"messages", 1, 0, MESSAGES}, {"recipients", 1, 0, RECIPIENTS}, {"size", 1, 0, SIZE},
      {"auth-plain", 1, 0, AUTH_PLAIN}, {"pipeline", 0, 0, PIPELINE}, {"resume", 0, 0, RESUME},
      {"tls12", 0, 0, TLS12},       {"sender", 1, 0, SENDER},     {"recipient", 1, 0, RECIPIENT},
      {"idle", 1, 0, IDLE_COUNT},   {0, 0, 0, 0}};
  int idle_count = 0, option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    switch (option) {
      case PORT: plan.port = atoi(optarg); break;
      case TLS: plan.tls = tls_mode_of(optarg); break;
      case CERTIFICATES: certificates = optarg; break;
      case CONCURRENCY: concurrency = atoi(optarg); break;
      case SECONDS: seconds = atof(optarg); break;
      case SESSIONS: most_sessions = atol(optarg); break;
      case MESSAGES: plan.messages = atoi(optarg); break;
      case RECIPIENTS: plan.recipients = atoi(optarg); break;
      case SIZE: size = (size_t)atol(optarg); break;
      case AUTH_PLAIN: plan.auth = optarg; break;
      case PIPELINE: plan.pipeline = true; break;
      case RESUME: plan.resume = true; break;
      case TLS12: *version = TLS1_2_VERSION; break;
      case SENDER: plan.sender = optarg; break;
      case RECIPIENT: plan.recipient = optarg; break;
      case IDLE_COUNT: idle_count = atoi(optarg); break;
      default: usage();
    }
  }
  if (optind < argc || plan.port <= 0 || concurrency < 1 || concurrency > 20000 || idle_count > 50000) usage();
  return idle_count;
}

int main(int argc, char **argv) {
  int version = TLS1_3_VERSION;
  int idle_count = read_options(argc, argv, &version);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  make_content();
  if (plan.tls != TLS_NONE) make_tls_context(version);
  if (certificates != NULL) load_identities();
  poller = epoll_create1(EPOLL_CLOEXEC);
  int slots = idle_count > 0 ? idle_count : concurrency;
  struct session *sessions = calloc((size_t)slots, sizeof *sessions);
  waiting = calloc((size_t)slots, sizeof(struct session *));
  if (poller < 0 || sessions == NULL || waiting == NULL) die("out of resources");
  for (int i = 0; i < slots; i++) sessions[i].socket = -1;
  plan.idle = idle_count > 0;

  double cpu = cpu_seconds();
  start_time = now();
  end_time = start_time + seconds;
  if (plan.idle) run_idle(sessions, idle_count);
  else run_load(sessions);
  report(cpu_seconds() - cpu);
  return tally.failures > 0 ? 1 : 0;
}

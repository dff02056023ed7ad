/* What an application in C does with Redis, through hiredis. Prints "ok <what>" or "no <what>: <why>" per line. */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *host, *name;
static int port;
static redisContext *r;
static char why[1024];

static redisContext *client(void) {
  redisContext *context = redisConnect(host, port);
  if (context == NULL || context->err) {
    fprintf(stderr, "can't connect\n");
    exit(1);
  }
  return context;
}

/* The reply as text: elements in brackets. */
static void print(redisReply *reply, char *out, size_t size) {
  if (reply == NULL) snprintf(out, size, "no reply");
  else if (reply->type == REDIS_REPLY_INTEGER) snprintf(out, size, "%lld", reply->integer);
  else if (reply->type == REDIS_REPLY_NIL) snprintf(out, size, "nil");
  else if (reply->type == REDIS_REPLY_ARRAY) {
    size_t used = snprintf(out, size, "[");
    for (size_t i = 0; i < reply->elements && used + 2 < size; i++) {
      if (i > 0) used += snprintf(out + used, size - used, ",");
      print(reply->element[i], out + used, size - used);
      used = strlen(out);
    }
    if (used + 2 < size) strcpy(out + used, "]");
  } else snprintf(out, size, "%s", reply->str);
}

/* 1 when `reply` reads as `wanted`; frees it. */
static int same(redisReply *reply, const char *wanted) {
  char got[900];
  print(reply, got, sizeof got);
  if (reply != NULL) freeReplyObject(reply);
  if (strcmp(got, wanted) == 0) return 1;
  snprintf(why, sizeof why, "got %.400s, wanted %.400s", got, wanted);
  return 0;
}

static redisReply *on(redisContext *context, const char *format, ...) {
  va_list args;
  va_start(args, format);
  redisReply *reply = redisvCommand(context, format, args);
  va_end(args);
  return reply;
}

/* Runs one command in a process of its own, for what must happen while this one waits. */
static pid_t meanwhile(const char *command, const char *key, const char *value) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  usleep(200000);
  on(client(), "%s %s:%s %s", command, name, key, value);
  _exit(0);
}

static int connects(void) { return same(on(r, "PING"), "PONG"); }

static int types(void) {
  return same(on(r, "SET %s:s v EX 100", name), "OK") && same(on(r, "GET %s:s", name), "v") &&
         same(on(r, "MSET %s:a 1 %s:b 2", name, name), "OK") &&
         same(on(r, "MGET %s:a %s:b %s:none", name, name, name), "[1,2,nil]") &&
         same(on(r, "HSET %s:h f 1 g 2", name), "2") && same(on(r, "HGETALL %s:h", name), "[f,1,g,2]") &&
         same(on(r, "RPUSH %s:l a b c", name), "3") && same(on(r, "LRANGE %s:l 0 -1", name), "[a,b,c]") &&
         same(on(r, "SADD %s:set x", name), "1") && same(on(r, "SMEMBERS %s:set", name), "[x]") &&
         same(on(r, "ZADD %s:z 1.5 m 2 n", name), "2") &&
         same(on(r, "ZRANGE %s:z 0 -1 WITHSCORES", name), "[m,1.5,n,2]") &&
         same(on(r, "XADD %s:x 1-1 f v", name), "1-1") &&
         same(on(r, "XRANGE %s:x - +", name), "[[1-1,[f,v]]]") && same(on(r, "PFADD %s:hll a b", name), "1") &&
         same(on(r, "PFCOUNT %s:hll", name), "2") &&
         same(on(r, "GEOADD %s:geo 13.361389 38.115556 Palermo", name), "1") &&
         same(on(r, "SETBIT %s:bits 7 1", name), "0") && same(on(r, "SET %s:bin %b", name, "a\0b", (size_t)3), "OK") &&
         same(on(r, "STRLEN %s:bin", name), "3") && same(on(r, "DEL %s:a %s:b %s:s", name, name, name), "3");
}

static int pipeline(void) {
  redisReply *reply;
  char wanted[16];
  for (int i = 0; i < 100; i++) {
    redisAppendCommand(r, "SET %s:p%d %d", name, i, i);
    redisAppendCommand(r, "GET %s:p%d", name, i);
  }
  for (int i = 0; i < 100; i++) {
    snprintf(wanted, sizeof wanted, "%d", i);
    if (redisGetReply(r, (void **)&reply) != REDIS_OK || !same(reply, "OK")) return 0;
    if (redisGetReply(r, (void **)&reply) != REDIS_OK || !same(reply, wanted)) return 0;
  }
  return 1;
}

static int transaction(void) {
  return same(on(r, "MULTI"), "OK") && same(on(r, "SET {%s}:tx 1", name), "QUEUED") &&
         same(on(r, "INCR {%s}:tx", name), "QUEUED") && same(on(r, "EXEC"), "[OK,2]") &&
         same(on(r, "WATCH {%s}:tx", name), "OK") && same(on(client(), "SET {%s}:tx changed", name), "OK") &&
         same(on(r, "MULTI"), "OK") && same(on(r, "SET {%s}:tx lost", name), "QUEUED") && same(on(r, "EXEC"), "nil") &&
         same(on(r, "GET {%s}:tx", name), "changed");
}

static int pubsub(void) {
  char wanted[256];
  redisReply *reply;
  redisContext *s = client();
  snprintf(wanted, sizeof wanted, "[subscribe,%s:channel,1]", name);
  if (!same(on(s, "SUBSCRIBE %s:channel", name), wanted)) return 0;
  pid_t pid = meanwhile("PUBLISH", "channel", "hello");
  snprintf(wanted, sizeof wanted, "[message,%s:channel,hello]", name);
  int ok = redisGetReply(s, (void **)&reply) == REDIS_OK && same(reply, wanted);
  waitpid(pid, NULL, 0);
  redisFree(s);
  return ok;
}

static int blocking(void) {
  char wanted[256];
  if (!same(on(r, "BLPOP %s:queue 1", name), "nil")) return 0;
  pid_t pid = meanwhile("RPUSH", "queue", "job");
  snprintf(wanted, sizeof wanted, "[%s:queue,job]", name);
  int ok = same(on(r, "BLPOP %s:queue 20", name), wanted);
  waitpid(pid, NULL, 0);
  return ok;
}

static int script(void) {
  if (!same(on(r, "EVAL %s 1 %s:n 10", "return redis.call('incrby', KEYS[1], ARGV[1])", name), "10")) return 0;
  redisReply *sha = on(r, "SCRIPT LOAD %s", "return ARGV[1]");
  if (sha == NULL || sha->type != REDIS_REPLY_STRING) return same(sha, "a sha");
  int ok = same(on(r, "SCRIPT EXISTS %s", sha->str), "[1]") && same(on(r, "EVALSHA %s 1 %s:n x", sha->str, name), "x");
  freeReplyObject(sha);
  return ok;
}

static int scan(void) {
  char cursor[32] = "0";
  int seen[50] = {0}, count = 0;
  for (int i = 0; i < 50; i++) freeReplyObject(on(r, "SET %s:scan:%d 1", name, i));
  do {
    redisReply *page = on(r, "SCAN %s MATCH %s:scan:* COUNT 20", cursor, name);
    if (page == NULL || page->type != REDIS_REPLY_ARRAY) return same(page, "a page");
    for (size_t i = 0; i < page->element[1]->elements; i++) {
      int at = atoi(strrchr(page->element[1]->element[i]->str, ':') + 1);
      if (!seen[at]) count++;
      seen[at] = 1;
    }
    snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
    freeReplyObject(page);
  } while (strcmp(cursor, "0") != 0);
  snprintf(why, sizeof why, "got %d keys, wanted 50", count);
  return count == 50;
}

static int reconnect(void) {
  redisReply *id = on(r, "CLIENT ID");
  if (id == NULL || id->type != REDIS_REPLY_INTEGER) return same(id, "an id");
  if (!same(on(client(), "CLIENT KILL ID %lld", id->integer), "1")) return 0;
  freeReplyObject(id);
  redisReply *none = on(r, "PING");
  if (none != NULL) return same(none, "a closed connection");
  return redisReconnect(r) == REDIS_OK && same(on(r, "SET %s:after 1", name), "OK") && same(on(r, "GET %s:after", name), "1");
}

int main(int argc, char **argv) {
  static const struct {
    const char *what;
    int (*check)(void);
  } checks[] = {{"connect", connects}, {"types", types},   {"pipeline", pipeline}, {"transaction", transaction},
                {"pubsub", pubsub},    {"blocking", blocking}, {"script", script}, {"scan", scan},
                {"reconnect", reconnect}};
  if (argc != 4) return 2;
  host = argv[1];
  port = atoi(argv[2]);
  name = argv[3];
  setvbuf(stdout, NULL, _IOLBF, 0);
  r = client();
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    if (checks[i].check()) printf("ok %s\n", checks[i].what);
    else printf("no %s: %s\n", checks[i].what, why);
  }
  return 0;
}

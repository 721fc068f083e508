// The state of one call: its memory, its time, and the call itself.
//
// Time: a count hook looks every 100 instructions, the library's own loops in C report their work (sandbox_work), and
// so does the allocator for large blocks. Once the time is up, the hook is set to every instruction and `fatal` is set,
// so that neither a pcall of the script nor a loop of pcalls can go on.

#include "sandbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HOOK_INTERVAL 100
#define LARGE_BLOCK ((size_t)32 * 1024)
#define WORK_INTERVAL ((size_t)20 * 1000)
#define CLOCK_TOLERANCE 10

static const char *const POINTS[] = {"pre_lock", "job_name", "build_job", "post_sync"};
#define POINT_COUNT (sizeof POINTS / sizeof *POINTS)
#define API_VERSION 1

sandbox *sandbox_of(lua_State *L) { return *(sandbox **)lua_getextraspace(L); }

bool buffer_append(byte_buffer *buffer, const void *bytes, size_t length, size_t limit) {
  if (length > limit || buffer->length > limit - length) return false;
  if (length == 0) return true;
  if (buffer->capacity - buffer->length < length) {
    size_t capacity = buffer->capacity < 1024 ? 1024 : buffer->capacity * 2;
    while (capacity - buffer->length < length) capacity *= 2;
    uint8_t *grown = realloc(buffer->bytes, capacity);
    if (!grown) return false;
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  return true;
}

// MARK: Time

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void start_clock(sandbox *box) {
  uint64_t now = nanoseconds(CLOCK_MONOTONIC);
  box->check_at = now + box->limits.nanoseconds;
  box->give_up_at = now + box->limits.nanoseconds * CLOCK_TOLERANCE;
  box->cpu_start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

// A script computes and never waits, so what counts is the time that its thread has really had: on a busy machine
// the clock on the wall says little.
bool sandbox_expired(sandbox *box) {
  if (box->fatal == LUA_SANDBOX_DEADLINE) return true;
  uint64_t now = nanoseconds(CLOCK_MONOTONIC);
  if (now < box->check_at) return false;
  uint64_t spent = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - box->cpu_start;
  if (spent >= box->limits.nanoseconds || now >= box->give_up_at) return true;
  box->check_at = now + (box->limits.nanoseconds - spent);
  return false;
}

static void count_hook(lua_State *L, lua_Debug *activation);

// Ends the call. Does not return.
static void raise_deadline(lua_State *L, sandbox *box) {
  if (box->fatal == LUA_SANDBOX_OK) box->fatal = LUA_SANDBOX_DEADLINE;
  lua_sethook(L, count_hook, LUA_MASKCOUNT, 1);
  lua_pushliteral(L, "out of time");
  lua_error(L);
}

static void count_hook(lua_State *L, lua_Debug *activation) {
  sandbox *box = sandbox_of(L);
  lua_getinfo(L, "l", activation);
  if (activation->currentline > 0) box->line = activation->currentline;
  // Until then a call leaves too little garbage to be worth looking for.
  if (!box->collecting && box->used > box->limits.memory / 16) {
    box->collecting = true;
    lua_gc(L, LUA_GCRESTART);
  }
  if (box->fatal == LUA_SANDBOX_OK) {
    box->instructions += HOOK_INTERVAL;
    if (box->instructions <= box->limits.instructions && !sandbox_expired(box)) return;
  }
  raise_deadline(L, box);
}

void sandbox_work(lua_State *L, size_t steps) {
  sandbox *box = sandbox_of(L);
  box->work += steps;
  if (box->work < WORK_INTERVAL) return;
  box->work = 0;
  if (box->fatal != LUA_SANDBOX_OK || sandbox_expired(box)) raise_deadline(L, box);
}

// MARK: Memory

// Without a block, `old_size` is a type and no size. Shrinking never fails, as Lua demands.
static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  sandbox *box = context;
  if (!block) old_size = 0;
  if (new_size == 0) {
    box->used -= old_size;
    if (block) arena_release(&box->memory, block, old_size);
    return NULL;
  }
  if (new_size > old_size) {
    size_t growth = new_size - old_size;
    bool refused = new_size > box->largest_block || growth > box->limits.memory - box->used;
    // A single instruction can copy a large string, or make Lua collect its garbage because a block was refused; a
    // hundred of them come before the hook does.
    if ((refused || growth >= LARGE_BLOCK) && box->fatal == LUA_SANDBOX_OK && sandbox_expired(box)) {
      box->fatal = LUA_SANDBOX_DEADLINE;
    }
    if (refused || (growth >= LARGE_BLOCK && box->fatal == LUA_SANDBOX_DEADLINE)) return NULL;
  }
  void *moved = arena_resize(&box->memory, block, old_size, new_size);
  if (!moved) return NULL;
  box->used = box->used - old_size + new_size;
  if (box->used > box->peak) box->peak = box->used;
  return moved;
}

// MARK: The script's own pcall

// Like Lua's, but what must end the call ends it.
int sandbox_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, true);
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  if (status == LUA_OK) return lua_gettop(L);
  sandbox *box = sandbox_of(L);
  if (status == LUA_ERRMEM && box->fatal == LUA_SANDBOX_OK) box->fatal = LUA_SANDBOX_MEMORY;
  if (box->fatal != LUA_SANDBOX_OK) return lua_error(L);
  lua_pushboolean(L, false);
  lua_insert(L, -2);
  return 2;
}

// MARK: The call

typedef struct {
  const char *source;
  size_t source_length;
  lua_sandbox_point point;
  const uint8_t *arguments;
  size_t arguments_length;
  lua_sandbox_result *result;
} request;

// The line at which the function on top begins.
static int first_line(lua_State *L) {
  if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1)) return 0;
  lua_Debug info;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", &info);
  return info.linedefined;
}

static int no_such_form(lua_State *L, const char *problem) {
  return luaL_error(L, "%s: %s", sandbox_of(L)->name, problem);
}

// Checks the table that a script returned, at the top of the stack.
static void check_script(lua_State *L, lua_sandbox_result *result) {
  const char *name = sandbox_of(L)->name;
  if (!lua_istable(L, -1)) {
    luaL_error(
      L, "%s: a script returns a table, return { api = 1, build_job = function(ctx, job) ... end }; this one returns %s",
      name, lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
  }
  lua_Integer api = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      luaL_error(L, "%s: unknown key of type %s; keys are api and the names of functions", name, luaL_typename(L, -2));
    }
    const char *key = lua_tostring(L, -2);
    if (strcmp(key, "api") == 0) {
      if (!lua_isinteger(L, -1)) no_such_form(L, "api must be the number 1");
      api = lua_tointeger(L, -1);
      continue;
    }
    size_t point = 0;
    while (point < POINT_COUNT && strcmp(key, POINTS[point]) != 0) point++;
    int line = first_line(L);
    if (point == POINT_COUNT) {
      lua_pushfstring(L, line > 0 ? "%s:%d" : "%s", name, line);
      luaL_error(
        L, "%s: unknown key \"%s\"; known are api, pre_lock, job_name, build_job and post_sync", lua_tostring(L, -1),
        key);
    }
    if (!lua_isfunction(L, -1)) luaL_error(L, "%s: %s must be a function, not a %s", name, key, luaL_typename(L, -1));
    result->points |= 1u << point;
  }
  if (api == 0) no_such_form(L, "api is missing; write api = 1");
  if (api != API_VERSION) luaL_error(L, "%s: api = %I is unknown; this controller knows api = 1", name, api);
  if (result->points == 0) {
    no_such_form(L, "no function is given; known are pre_lock, job_name, build_job and post_sync");
  }
}

// Everything that may raise an error. One argument: the request.
static int run(lua_State *L) {
  request *wanted = lua_touserdata(L, 1);
  sandbox *box = sandbox_of(L);
  lua_sandbox_result *result = wanted->result;
  lua_settop(L, 0);
  lua_gc(L, LUA_GCSTOP);
  globals_install(L);
  lua_sethook(L, count_hook, LUA_MASKCOUNT, HOOK_INTERVAL);

  lua_pushfstring(L, "@%s", box->name);
  if (luaL_loadbufferx(L, wanted->source, wanted->source_length, lua_tostring(L, -1), "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  check_script(L, result);
  if (wanted->point == LUA_SANDBOX_LOAD_ONLY) return 0;

  box->phase = LUA_SANDBOX_RUNTIME;
  lua_getfield(L, -1, POINTS[wanted->point]);
  if (lua_isnil(L, -1)) {
    wire_encode(L, -1, "");
    return 0;
  }
  result->line = first_line(L);
  int count = wire_push(L, wanted->arguments, wanted->arguments_length);
  lua_call(L, count, 1);

  box->phase = LUA_SANDBOX_INVALID_RESULT;
  wire_encode(L, -1, wanted->point == LUA_SANDBOX_BUILD_JOB ? "job" : "result");
  return 0;
}

// Makes a text with a place of errors that are none. Runs where the error is raised.
static int describe_error(lua_State *L) {
  bool is_text = lua_type(L, 1) == LUA_TSTRING;
  if (is_text && lua_rawlen(L, 1) > 0) return 1;
  lua_Debug caller;
  int level = 1; // functions in C, error itself above all, have no lines
  while (lua_getstack(L, level, &caller) && lua_getinfo(L, "l", &caller) && caller.currentline < 0) level++;
  luaL_where(L, level);
  lua_pushfstring(
    L, "%serror(...) was given %s; give it a text", lua_tostring(L, -1), is_text ? "an empty one" : luaL_typename(L, 1));
  return 1;
}

static void set_message(lua_sandbox_result *result, const char *text, size_t length) {
  size_t limit = 4096;
  result->message_length = length < limit ? length : limit;
  result->message = malloc(result->message_length + 1);
  if (!result->message) {
    result->message_length = 0;
    return;
  }
  memcpy(result->message, text, result->message_length);
  result->message[result->message_length] = 0;
}

static void set_limit_message(lua_sandbox_result *result, sandbox *box) {
  char place[32] = "";
  char text[256];
  if (box->line > 0) snprintf(place, sizeof place, ":%d", box->line);
  if (box->fatal == LUA_SANDBOX_MEMORY) {
    snprintf(
      text, sizeof text, "%.100s%s: about here the script asked for more memory than its limit of %zu KiB allows",
      box->name, place, box->limits.memory / 1024);
  } else if (box->instructions > box->limits.instructions) {
    snprintf(
      text, sizeof text, "%.100s%s: about here the script had used up its limit of %llu instructions", box->name, place,
      (unsigned long long)box->limits.instructions);
  } else {
    snprintf(
      text, sizeof text, "%.100s%s: about here the script had used up its limit of %.0f ms of computing time",
      box->name, place, (double)box->limits.nanoseconds / 1e6);
  }
  set_message(result, text, strlen(text));
}

static void fail(lua_State *L, int status, sandbox *box, lua_sandbox_result *result) {
  if (box->fatal == LUA_SANDBOX_OK && status == LUA_ERRMEM) box->fatal = LUA_SANDBOX_MEMORY;
  if (box->fatal != LUA_SANDBOX_OK) {
    result->status = box->fatal;
    set_limit_message(result, box);
    return;
  }
  result->status = box->phase;
  size_t length = 0;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (!text) text = "the error cannot be told", length = strlen(text);
  set_message(result, text, length);
}

lua_sandbox_result lua_sandbox_run(
  const lua_sandbox_limits *limits, const char *name, const char *source, size_t source_length,
  lua_sandbox_point point, const uint8_t *arguments, size_t arguments_length) {
  lua_sandbox_result result = {.status = LUA_SANDBOX_OK};
  sandbox box = {.limits = *limits, .phase = LUA_SANDBOX_LOAD, .fatal = LUA_SANDBOX_OK, .name = name};
  // No single block needs more: results and sources are smaller, and what takes long in one go stays short.
  box.largest_block = limits->memory / 8;
  if (box.largest_block < LARGE_BLOCK) box.largest_block = LARGE_BLOCK;
  arena_open(&box.memory);
  start_clock(&box);
  request wanted = {source, source_length, point, arguments, arguments_length, &result};

  lua_State *L = lua_newstate(allocate, &box);
  if (L) {
    *(sandbox **)lua_getextraspace(L) = &box;
    lua_pushcfunction(L, describe_error);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &wanted);
    int status = lua_pcall(L, 1, 0, 1);
    if (status != LUA_OK) fail(L, status, &box, &result);
    lua_sethook(L, NULL, 0, 0);
    // Closing a state frees its blocks one by one, and nothing else, as there are no finalizers.
    if (box.memory.outside > 0) lua_close(L);
  } else {
    result.status = box.fatal = LUA_SANDBOX_MEMORY;
    set_limit_message(&result, &box);
  }

  arena_close(&box.memory);

  result.peak_memory = box.peak;
  result.instructions = box.instructions;
  result.log = box.log.bytes;
  result.log_length = box.log.length;
  if (result.status == LUA_SANDBOX_OK) {
    result.value = box.value.bytes;
    result.value_length = box.value.length;
  } else {
    free(box.value.bytes);
  }
  return result;
}

void lua_sandbox_free(lua_sandbox_result *result) {
  free(result->value);
  free(result->message);
  free(result->log);
  *result = (lua_sandbox_result){.status = result->status};
}

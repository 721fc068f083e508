// What the parts of the sandbox share.
#ifndef BUCKET_SYNC_SANDBOX_H
#define BUCKET_SYNC_SANDBOX_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

#include "CLuaSandbox.h"
#include "arena.h"

// Bytes that grow outside of the Lua state, owned by the sandbox: an error may jump out at any time.
typedef struct {
  uint8_t *bytes;
  size_t length;
  size_t capacity;
} byte_buffer;

typedef struct {
  lua_sandbox_limits limits;
  lua_sandbox_status phase; // what an error means at this point
  lua_sandbox_status fatal; // DEADLINE or MEMORY once that has happened: no pcall of the script may go on then

  arena memory;
  size_t used;
  size_t peak;
  size_t largest_block;
  bool collecting; // garbage

  uint64_t check_at;    // monotonic time of the next look at the thread's own clock
  uint64_t give_up_at;  // monotonic time at which it is over whatever the thread's clock says
  uint64_t cpu_start;
  uint64_t instructions;
  size_t work; // done in C since the last look at the clock, in steps
  int line;    // of the script, last seen by the hook

  const char *name;
  byte_buffer value;
  byte_buffer log;
} sandbox;

sandbox *sandbox_of(lua_State *L);

// Appends to a buffer that has a limit. Returns false when it is reached or memory is short.
bool buffer_append(byte_buffer *buffer, const void *bytes, size_t length, size_t limit);

// Counts work done in C, where the count hook does not look; raises an error once the time is up.
void sandbox_work(lua_State *L, size_t steps);

// Whether no more time is left.
bool sandbox_expired(sandbox *box);

// sandbox.c
int sandbox_pcall(lua_State *L);

// wire.c
#define WIRE_DEPTH 64
int wire_push(lua_State *L, const uint8_t *bytes, size_t length); // pushes the arguments, returns how many
void wire_encode(lua_State *L, int index, const char *root);      // into sandbox.value

// globals.c
void globals_install(lua_State *L);
// The text of any value, as tostring and log give it: without addresses. Pushes a string.
const char *globals_text(lua_State *L, int index, size_t *length);
// Pushes a closure that refuses long strings where a number is wanted: turning them into one takes long.
void globals_push_guarded(lua_State *L, int library, const char *name, int first_number);

// strings.c, pattern.c, tables.c, host.c, rclone.c: each adds its tables and functions to the table on top
void strings_install(lua_State *L);
void pattern_install(lua_State *L); // into the string table on top
void tables_install(lua_State *L);
void host_install(lua_State *L);
void rclone_install(lua_State *L);

// Marks the table on top as an array.
void array_mark(lua_State *L);
// Whether the table at `index` is marked as an array.
bool array_is_marked(lua_State *L, int index);
// Pushes the table for a point in time.
void time_push(lua_State *L, lua_Integer unix_seconds);

#endif

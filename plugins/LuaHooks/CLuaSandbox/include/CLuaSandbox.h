// CLuaSandbox: runs one function of one Lua script, in a state of its own, within limits. Start here.
//
// The only door between Swift and Lua. One call does everything: it makes a state, loads the script, decodes the
// arguments, calls the function, encodes what it returns, and closes the state. All of it runs under one lua_pcall in
// C, so no Lua error (running out of memory is one, wherever memory is asked for) can jump over a Swift frame.
//
//     sandbox.c      the state: allocator, deadline, the call itself
//     arena.c        a cheap place for a state's memory
//     wire.c         values between Swift and Lua, as a flat buffer
//     globals.c      what a script can name: the allow-list, and the base functions that are replaced
//     strings.c      the string library          pattern.c   its patterns, interruptible
//     tables.c       the table library
//     host.c         array, null, log, time
//     rclone.c       rclone.flag, rclone.env, rclone.container
#ifndef BUCKET_SYNC_CLUASANDBOX_H
#define BUCKET_SYNC_CLUASANDBOX_H

#include <stddef.h>
#include <stdint.h>

// What a call may use.
typedef struct {
  size_t memory;         // bytes of the state, everything included
  size_t result;         // bytes of the encoded result
  uint64_t nanoseconds;  // computing time of the thread; ten times as much by the clock
  uint64_t instructions; // of the Lua machine
} lua_sandbox_limits;

typedef enum {
  LUA_SANDBOX_OK,
  LUA_SANDBOX_LOAD,           // the script cannot be loaded, or is not of the agreed form
  LUA_SANDBOX_RUNTIME,        // the function raised an error
  LUA_SANDBOX_DEADLINE,       // too much computing time
  LUA_SANDBOX_MEMORY,         // too much memory
  LUA_SANDBOX_INVALID_RESULT, // what the function returned cannot be expressed
} lua_sandbox_status;

// The functions that a script may have.
typedef enum {
  LUA_SANDBOX_LOAD_ONLY = -1, // load and look at the script, call nothing
  LUA_SANDBOX_PRE_LOCK = 0,
  LUA_SANDBOX_JOB_NAME = 1,
  LUA_SANDBOX_BUILD_JOB = 2,
  LUA_SANDBOX_POST_SYNC = 3,
} lua_sandbox_point;

typedef struct {
  lua_sandbox_status status;
  uint32_t points;         // bit 1 << point for each function that the script has; set once it is loaded
  int line;                // the line at which the called function begins; 0 if unknown
  size_t peak_memory;      // most bytes in use at one time
  uint64_t instructions;   // rounded down to hundreds
  uint8_t *value;          // encoded result, when OK
  size_t value_length;
  char *message;           // what went wrong, otherwise
  size_t message_length;
  uint8_t *log;            // lines logged: a byte for the level, four for the length, the text
  size_t log_length;
} lua_sandbox_result;

// Runs `point` of the script `source`. `name` (its file name) appears in messages. `arguments` are encoded as wire.c
// says. Takes up to 500 KiB of stack. The result is to be given to lua_sandbox_free.
lua_sandbox_result lua_sandbox_run(
  const lua_sandbox_limits *limits, const char *name, const char *source, size_t source_length,
  lua_sandbox_point point, const uint8_t *arguments, size_t arguments_length);

void lua_sandbox_free(lua_sandbox_result *result);

#endif

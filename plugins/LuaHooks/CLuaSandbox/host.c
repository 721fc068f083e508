// What hooks can do beyond computing: say which tables are arrays, say null, log, and take points in time apart.

#include <stdio.h>

#include "sandbox.h"

// MARK: array

static int host_array(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_createtable(L, 0, 0);
    lua_replace(L, 1);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  array_mark(L);
  return 1;
}

// MARK: log

#define LOG_LIMIT ((size_t)64 * 1024)
#define LOG_LINE ((uint32_t)1024)

// Upvalue: the level. Past the limit, lines are dropped: who writes that many needs none of the last.
static int host_log(lua_State *L) {
  uint8_t level = (uint8_t)lua_tointeger(L, lua_upvalueindex(1));
  int count = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, ' ');
    size_t length;
    globals_text(L, i, &length);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  uint32_t size = length < LOG_LINE ? (uint32_t)length : LOG_LINE;
  byte_buffer *log = &sandbox_of(L)->log;
  if (log->length + 1 + sizeof size + size > LOG_LIMIT) return 0;
  size_t before = log->length;
  bool written = buffer_append(log, &level, 1, LOG_LIMIT) && buffer_append(log, &size, sizeof size, LOG_LIMIT) &&
                 buffer_append(log, text, size, LOG_LIMIT);
  if (!written) log->length = before;
  return 0;
}

// MARK: time

#define FIRST_SECOND (-62135596800LL) // 0001-01-01
#define LAST_SECOND 253402300799LL    // 9999-12-31
#define SECONDS_OF_DAY 86400

static void set_integer(lua_State *L, const char *field, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

void time_push(lua_State *L, lua_Integer unix_seconds) {
  if (unix_seconds < FIRST_SECOND || unix_seconds > LAST_SECOND) luaL_error(L, "the time is outside of the years 1 to 9999");
  lua_Integer day = unix_seconds / SECONDS_OF_DAY, second = unix_seconds % SECONDS_OF_DAY;
  if (second < 0) second += SECONDS_OF_DAY, day--;

  // Days since 0000-03-01, in eras of 400 years: each is the same, and leap days come last in a year.
  lua_Integer shifted = day + 719468;
  lua_Integer era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  lua_Integer day_of_era = shifted - era * 146097;
  lua_Integer year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  lua_Integer day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  lua_Integer shifted_month = (5 * day_of_year + 2) / 153;
  lua_Integer month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  lua_Integer year = year_of_era + era * 400 + (month <= 2);
  lua_Integer day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;

  lua_createtable(L, 0, 10);
  set_integer(L, "unix", unix_seconds);
  set_integer(L, "year", year);
  set_integer(L, "month", month);
  set_integer(L, "day", day_of_month);
  set_integer(L, "hour", second / 3600);
  set_integer(L, "minute", second / 60 % 60);
  set_integer(L, "second", second % 60);
  lua_Integer weekday = (day + 3) % 7; // 1970-01-01 was a Thursday
  set_integer(L, "weekday", (weekday < 0 ? weekday + 7 : weekday) + 1);
  char text[64];
  snprintf(text, sizeof text, "%04d-%02d-%02d", (int)year, (int)month, (int)day_of_month);
  lua_pushstring(L, text);
  lua_setfield(L, -2, "date");
  size_t length = strlen(text);
  snprintf(
    text + length, sizeof text - length, "T%02d:%02d:%02dZ", (int)(second / 3600), (int)(second / 60 % 60),
    (int)(second % 60));
  lua_pushstring(L, text);
  lua_setfield(L, -2, "rfc3339");
}

static int time_at(lua_State *L) {
  lua_Integer unix_seconds;
  if (lua_isinteger(L, 1)) {
    unix_seconds = lua_tointeger(L, 1);
  } else {
    luaL_checktype(L, 1, LUA_TNUMBER);
    lua_Number number = lua_tonumber(L, 1);
    luaL_argcheck(L, number >= (lua_Number)FIRST_SECOND && number <= (lua_Number)LAST_SECOND, 1, "outside of the years 1 to 9999");
    unix_seconds = (lua_Integer)number;
  }
  time_push(L, unix_seconds);
  return 1;
}

// MARK: Installation

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

void host_install(lua_State *L) {
  lua_pushcfunction(L, host_array);
  lua_setfield(L, -2, "array");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");

  lua_createtable(L, 0, 4);
  for (int level = 0; level < 4; level++) {
    lua_pushinteger(L, level);
    lua_pushcclosure(L, host_log, 1);
    lua_setfield(L, -2, LEVELS[level]);
  }
  lua_setfield(L, -2, "log");

  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, time_at);
  lua_setfield(L, -2, "at");
  lua_setfield(L, -2, "time");
}

// What a script can name. Everything is on a list; what is not there has a reason:
//
//     load loadfile dofile require package      code comes from the scripts' folder, as text, and from nowhere else
//     io os debug                               the world outside; debug could also undo the sandbox
//     coroutine                                 each coroutine would need a hook of its own
//     setmetatable getmetatable raw… __gc       finalizers run where no hook looks; metatables mark arrays here
//     xpcall                                    its handler runs where no hook looks
//     collectgarbage                            measures and steers what is not the script's
//     print warn                                log.info and log.warn instead
//     math.random                               the same run must give the same Job
//     string.dump pack unpack packsize          bytecode, and binary formats that nobody needs here
//     table.move                                a loop without end for the price of one instruction
//
// pairs goes through a table in the order of its keys, so that a script gives the same result every time.

#include <stdlib.h>

#include "sandbox.h"

// MARK: Texts

const char *globals_text(lua_State *L, int index, size_t *length) {
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
  case LUA_TNUMBER: lua_pushvalue(L, index); break;
  case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
  case LUA_TNIL: lua_pushliteral(L, "nil"); break;
  case LUA_TLIGHTUSERDATA: lua_pushliteral(L, "null"); break;
  default: lua_pushstring(L, luaL_typename(L, index)); // never an address
  }
  return lua_tolstring(L, -1, length);
}

static int base_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  globals_text(L, 1, NULL);
  return 1;
}

// MARK: Numbers out of texts

// Longer texts are no numbers that anybody means, and reading one of megabytes takes long.
#define LONGEST_NUMBER 200

static bool is_long_text(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) > LONGEST_NUMBER;
}

static int base_tonumber(lua_State *L) {
  luaL_checkany(L, 1);
  if (is_long_text(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, 1);
  return 1;
}

static int guarded(lua_State *L) {
  int count = lua_gettop(L);
  for (int i = (int)lua_tointeger(L, lua_upvalueindex(2)); i <= count; i++) {
    if (is_long_text(L, i)) return luaL_typeerror(L, i, "number");
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, LUA_MULTRET);
  return lua_gettop(L);
}

void globals_push_guarded(lua_State *L, int library, const char *name, int first_number) {
  lua_getfield(L, library, name);
  lua_pushinteger(L, first_number);
  lua_pushcclosure(L, guarded, 2);
}

// MARK: pairs

// A key as it is sorted: numbers first, then texts, then whatever is left in the order it was found in.
typedef struct {
  int kind;
  lua_Number number;
  const char *text;
  size_t length;
  lua_Integer place;
} sort_key;

static int compare_keys(const void *left, const void *right) {
  const sort_key *a = left, *b = right;
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  if (a->kind == 0 && a->number != b->number) return a->number < b->number ? -1 : 1;
  if (a->kind == 1) {
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    if (order != 0) return order;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
  }
  return a->place < b->place ? -1 : a->place > b->place;
}

// Upvalues: the keys, and the place of the last one given out.
static int next_pair(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer place = lua_tointeger(L, lua_upvalueindex(2));
  for (;;) {
    place++;
    if (lua_rawgeti(L, lua_upvalueindex(1), place) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) break; // else it was taken out meanwhile
    lua_pop(L, 2);
  }
  lua_pushinteger(L, place);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

static int base_pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_createtable(L, 0, 0);
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, 1);) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, ++count);
  }
  sandbox_work(L, (size_t)count * 20);
  sort_key *keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys + 1, 0);
  for (lua_Integer i = 0; i < count; i++) {
    keys[i] = (sort_key){.kind = 2, .place = i + 1};
    switch (lua_rawgeti(L, 2, i + 1)) {
    case LUA_TNUMBER: keys[i].kind = 0, keys[i].number = lua_tonumber(L, -1); break;
    case LUA_TSTRING: keys[i].kind = 1, keys[i].text = lua_tolstring(L, -1, &keys[i].length); break;
    }
    lua_pop(L, 1); // the key stays alive in the table of keys
  }
  if (count > 1) qsort(keys, (size_t)count, sizeof *keys, compare_keys);
  lua_createtable(L, count < 10000 ? (int)count : 10000, 0);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 2, keys[i].place);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_pair, 2);
  lua_pushvalue(L, 1);
  return 2;
}

// MARK: The table of globals

static int no_such_global(lua_State *L) {
  return luaL_error(
    L, "there is no \"%s\" in hooks, neither as a variable of the script nor as a function", globals_text(L, 2, NULL));
}

static const char *const BASE[] = {"assert", "error", "ipairs", "next", "select", NULL};
static const char *const MATH[] = {"abs", "ceil", "floor", "fmod", "max", "min", "modf", "sqrt", "tointeger", "ult", NULL};
static const char *const MATH_AS_IS[] = {"huge", "maxinteger", "mininteger", "pi", "type", NULL};
static const char *const UTF8[] = {"char", "codepoint", "codes", "len", "offset", NULL};

static void open_library(lua_State *L, lua_CFunction open) {
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
}

static void copy_fields(lua_State *L, int from, int to, const char *const *names) {
  for (; *names; names++) {
    lua_getfield(L, from, *names);
    lua_setfield(L, to, *names);
  }
}

// Leaves nothing on the stack; the globals are the new ones only.
void globals_install(lua_State *L) {
  open_library(L, luaopen_base);
  int base = lua_gettop(L);
  lua_createtable(L, 0, 40);
  int globals = lua_gettop(L);

  copy_fields(L, base, globals, BASE);
  lua_getfield(L, base, "type");
  lua_setfield(L, globals, "type");
  lua_getfield(L, base, "tonumber");
  lua_pushcclosure(L, base_tonumber, 1);
  lua_setfield(L, globals, "tonumber");
  const luaL_Reg replaced[] = {{"pairs", base_pairs}, {"pcall", sandbox_pcall}, {"tostring", base_tostring}, {NULL, NULL}};
  luaL_setfuncs(L, replaced, 0);

  open_library(L, luaopen_math);
  lua_createtable(L, 0, 20);
  for (const char *const *name = MATH; *name; name++) {
    globals_push_guarded(L, globals + 1, *name, 1);
    lua_setfield(L, -2, *name);
  }
  copy_fields(L, globals + 1, globals + 2, MATH_AS_IS);
  lua_setfield(L, globals, "math");
  lua_settop(L, globals);

  open_library(L, luaopen_utf8);
  lua_createtable(L, 0, 8);
  for (const char *const *name = UTF8; *name; name++) {
    globals_push_guarded(L, globals + 1, *name, 2);
    lua_setfield(L, -2, *name);
  }
  lua_setfield(L, globals, "utf8");
  lua_settop(L, globals);

  strings_install(L);
  tables_install(L);
  host_install(L);
  rclone_install(L);

  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, no_such_global);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, globals);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_settop(L, 0);
}

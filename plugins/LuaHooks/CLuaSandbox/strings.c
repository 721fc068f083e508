// The string library. Lua's own functions where they are harmless, replacements where they are not (rep, format and
// everything with patterns), and plain helpers so that nobody needs a pattern for a prefix.
//
// Strings have no arithmetic ("10" + 1): reading numbers from long texts takes long, and tonumber says what is meant.

#include "sandbox.h"

#define LONGEST_REPETITION ((size_t)1024 * 1024)

static int string_rep(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_length);
  if (count <= 0 || length + separator_length == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((size_t)count > LONGEST_REPETITION / (length + separator_length)) {
    return luaL_error(L, "string.rep: the result would be longer than %d bytes", (int)LONGEST_REPETITION);
  }
  sandbox_work(L, (size_t)count);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (lua_Integer i = 0; i < count; i++) {
    if (i > 0) luaL_addlstring(&out, separator, separator_length);
    luaL_addlstring(&out, text, length);
  }
  luaL_pushresult(&out);
  return 1;
}

// Upvalue: Lua's own format. Addresses must not show (%p, and %s of a table), and a long text is no number.
static int string_format(lua_State *L) {
  size_t length;
  const char *format = luaL_checklstring(L, 1, &length);
  int argument = 1;
  for (const char *at = format; at < format + length; at++) {
    if (*at != '%') continue;
    at++;
    if (at < format + length && *at == '%') continue;
    while (at < format + length && strchr("-+ #0123456789.", *at) && *at) at++;
    if (at >= format + length) break; // Lua's own format complains
    argument++;
    if (*at == 'p') return luaL_error(L, "string.format: %%p is not available in hooks");
    if (argument > lua_gettop(L)) break;
    if (*at == 's') {
      globals_text(L, argument, NULL);
      lua_replace(L, argument);
    } else if (*at != 'q' && lua_type(L, argument) == LUA_TSTRING && lua_rawlen(L, argument) > 200) {
      return luaL_typeerror(L, argument, "number");
    }
  }
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, 1);
  return 1;
}

static bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static int string_trim(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  while (length > 0 && is_space(text[length - 1])) length--;
  while (length > 0 && is_space(*text)) text++, length--;
  lua_pushlstring(L, text, length);
  return 1;
}

static int string_starts_with(lua_State *L) {
  size_t length, wanted_length;
  const char *text = luaL_checklstring(L, 1, &length), *wanted = luaL_checklstring(L, 2, &wanted_length);
  lua_pushboolean(L, length >= wanted_length && memcmp(text, wanted, wanted_length) == 0);
  return 1;
}

static int string_ends_with(lua_State *L) {
  size_t length, wanted_length;
  const char *text = luaL_checklstring(L, 1, &length), *wanted = luaL_checklstring(L, 2, &wanted_length);
  lua_pushboolean(
    L, length >= wanted_length && memcmp(text + length - wanted_length, wanted, wanted_length) == 0);
  return 1;
}

static int string_contains(lua_State *L) {
  size_t length, wanted_length;
  const char *text = luaL_checklstring(L, 1, &length), *wanted = luaL_checklstring(L, 2, &wanted_length);
  lua_pushboolean(L, memmem(text, length, wanted, wanted_length) != NULL);
  return 1;
}

static int string_replace(lua_State *L) {
  size_t length, old_length, new_length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *old_text = luaL_checklstring(L, 2, &old_length);
  const char *new_text = luaL_checklstring(L, 3, &new_length);
  luaL_argcheck(L, old_length > 0, 2, "must not be empty");
  const char *end = text + length, *hit;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while ((hit = memmem(text, (size_t)(end - text), old_text, old_length))) {
    sandbox_work(L, 10);
    luaL_addlstring(&out, text, (size_t)(hit - text));
    luaL_addlstring(&out, new_text, new_length);
    text = hit + old_length;
  }
  luaL_addlstring(&out, text, (size_t)(end - text));
  luaL_pushresult(&out);
  return 1;
}

static int string_split(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *separator = luaL_checklstring(L, 2, &separator_length);
  luaL_argcheck(L, separator_length > 0, 2, "must not be empty");
  const char *end = text + length, *hit;
  lua_createtable(L, 4, 0);
  array_mark(L);
  lua_Integer count = 0;
  while ((hit = memmem(text, (size_t)(end - text), separator, separator_length))) {
    sandbox_work(L, 10);
    lua_pushlstring(L, text, (size_t)(hit - text));
    lua_rawseti(L, -2, ++count);
    text = hit + separator_length;
  }
  lua_pushlstring(L, text, (size_t)(end - text));
  lua_rawseti(L, -2, ++count);
  return 1;
}

static const char *const AS_IS[] = {"len", "lower", "reverse", "upper", NULL};

static const luaL_Reg FUNCTIONS[] = {
  {"contains", string_contains},
  {"ends_with", string_ends_with},
  {"rep", string_rep},
  {"replace", string_replace},
  {"split", string_split},
  {"starts_with", string_starts_with},
  {"trim", string_trim},
  {NULL, NULL},
};

void strings_install(lua_State *L) {
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  int library = lua_gettop(L);
  lua_createtable(L, 0, 24);
  for (const char *const *name = AS_IS; *name; name++) {
    lua_getfield(L, library, *name);
    lua_setfield(L, -2, *name);
  }
  globals_push_guarded(L, library, "byte", 2);
  lua_setfield(L, -2, "byte");
  globals_push_guarded(L, library, "char", 1);
  lua_setfield(L, -2, "char");
  globals_push_guarded(L, library, "sub", 2);
  lua_setfield(L, -2, "sub");
  lua_getfield(L, library, "format");
  lua_pushcclosure(L, string_format, 1);
  lua_setfield(L, -2, "format");
  luaL_setfuncs(L, FUNCTIONS, 0);
  pattern_install(L);

  // "text":upper() finds this table, and nothing else is left of Lua's own.
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);

  lua_remove(L, library);
  lua_setfield(L, -2, "string");
}

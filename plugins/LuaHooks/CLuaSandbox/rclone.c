// rclone.container, rclone.flag and rclone.env: changing how rclone is called, argument by argument.
//
// What is set is literal: arguments are never joined or split, and a $ is doubled, so that Kubernetes, which expands
// $(VARIABLE) in arguments and variables, leaves it alone.

#include "sandbox.h"

// MARK: The container

// Replaces the table on top by its member, which must be a table.
static void enter(lua_State *L, const char *field, const char *function) {
  lua_getfield(L, -1, field);
  if (!lua_istable(L, -1)) {
    luaL_error(L, "%s: the first argument must be the job, with spec.template.spec.containers", function);
  }
  lua_remove(L, -2);
}

// Pushes the container called rclone, or the first one, of the job that is the first argument.
static void push_container(lua_State *L, const char *function) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_pushvalue(L, 1);
  const char *const way[] = {"spec", "template", "spec", "containers"};
  for (int i = 0; i < 4; i++) enter(L, way[i], function);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    sandbox_work(L, 5);
    if (lua_rawgeti(L, -1, i) == LUA_TTABLE) {
      bool found = lua_getfield(L, -1, "name") == LUA_TSTRING && strcmp(lua_tostring(L, -1), "rclone") == 0;
      lua_pop(L, 1);
      if (found) {
        lua_remove(L, -2);
        return;
      }
    }
    lua_pop(L, 1);
  }
  if (lua_rawgeti(L, -1, 1) != LUA_TTABLE) luaL_error(L, "%s: the job has no container", function);
  lua_remove(L, -2);
}

// Pushes the list `field` of the container on top, made if it is missing.
static void push_list(lua_State *L, const char *field, const char *function) {
  int type = lua_getfield(L, -1, field);
  if (type == LUA_TTABLE) return;
  if (type != LUA_TNIL && type != LUA_TLIGHTUSERDATA) luaL_error(L, "%s: %s of the container is no list", function, field);
  lua_pop(L, 1);
  lua_createtable(L, 4, 0);
  array_mark(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, field);
}

// Pushes a string, number or boolean as a literal text.
static void push_literal(lua_State *L, int index, const char *function) {
  int type = lua_type(L, index);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
    luaL_error(L, "%s: a value must be a string, number or boolean, not a %s", function, luaL_typename(L, index));
  }
  size_t length;
  const char *text = globals_text(L, index, &length);
  if (memchr(text, 0, length)) luaL_error(L, "%s: a value must not hold a zero byte", function);
  if (!memchr(text, '$', length)) return;
  luaL_gsub(L, text, "$", "$$");
  lua_remove(L, -2);
}

static int rclone_container(lua_State *L) {
  push_container(L, "rclone.container");
  return 1;
}

// MARK: flag

// Pushes --name, from "name" or "--name" as the second argument.
static const char *push_flag_name(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 2, &length);
  if (length > 2 && memcmp(name, "--", 2) == 0) name += 2, length -= 2;
  bool valid = length >= 2 && length <= 64 && name[0] != '-';
  for (size_t i = 0; i < length && valid; i++) {
    valid = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '-';
  }
  if (!valid) luaL_error(L, "rclone.flag: \"%s\" is no long flag of rclone; write bwlimit for --bwlimit", name);
  return lua_pushfstring(L, "--%s", name);
}

// Appends an argument for the value on top to the list at `list`, and pops the value.
static void append_flag(lua_State *L, int list, const char *flag) {
  if (lua_isboolean(L, -1) && lua_toboolean(L, -1)) {
    lua_pushstring(L, flag);
  } else {
    push_literal(L, -1, "rclone.flag");
    lua_pushfstring(L, "%s=%s", flag, lua_tostring(L, -1));
    lua_remove(L, -2);
  }
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
  lua_pop(L, 1);
}

// Appends what the third argument says: nothing, one argument, or one for each element of a list.
static void append_flags(lua_State *L, int list, const char *flag) {
  if (lua_isnoneornil(L, 3) || lua_islightuserdata(L, 3)) return;
  if (!lua_istable(L, 3)) {
    lua_pushvalue(L, 3);
    append_flag(L, list, flag);
    return;
  }
  lua_Integer count = (lua_Integer)lua_rawlen(L, 3);
  lua_pushnil(L);
  if (count == 0 && lua_next(L, 3)) luaL_error(L, "rclone.flag: a table of values must be a list");
  for (lua_Integer i = 1; i <= count; i++) {
    sandbox_work(L, 10);
    lua_rawgeti(L, 3, i);
    append_flag(L, list, flag);
  }
}

typedef enum { OTHER, FLAG, FLAG_WITH_VALUE, END_OF_FLAGS } argument_kind;

// What the argument on top is, as seen by someone who looks for `flag`.
static argument_kind kind_of(lua_State *L, const char *flag) {
  if (lua_type(L, -1) != LUA_TSTRING) return OTHER;
  const char *text = lua_tostring(L, -1);
  size_t length = strlen(flag);
  if (strcmp(text, "--") == 0) return END_OF_FLAGS;
  if (strncmp(text, flag, length) != 0) return OTHER;
  return text[length] == 0 ? FLAG : text[length] == '=' ? FLAG_WITH_VALUE : OTHER;
}

static bool is_plain_argument(lua_State *L, int list, lua_Integer position) {
  bool plain = lua_rawgeti(L, list, position) == LUA_TSTRING && *lua_tostring(L, -1) != '-';
  lua_pop(L, 1);
  return plain;
}

// Whether the argument after a bare flag is that flag's value. Besides values, rclone has three plain arguments: sync,
// the source and the destination.
static bool has_value_behind(lua_State *L, int list, lua_Integer position, lua_Integer count, const char *flag) {
  if (position >= count || lua_isboolean(L, 3) || !is_plain_argument(L, list, position + 1)) return false;
  int plain = 0;
  for (lua_Integer i = 1; i <= count; i++) plain += is_plain_argument(L, list, i);
  if (plain <= 3) return false;
  if (lua_isnoneornil(L, 3) || lua_islightuserdata(L, 3)) {
    luaL_error(
      L, "rclone.flag: whether the argument after %s is its value cannot be told; write the two as one, %s=value", flag,
      flag);
  }
  return true;
}

static int rclone_flag(lua_State *L) {
  if (lua_gettop(L) < 3) {
    return luaL_error(L, "rclone.flag takes the job, the name of a flag, and a value; the value nil takes the flag away");
  }
  lua_settop(L, 3); // assert(...) passes on more than it is asked for
  const char *flag = push_flag_name(L);
  push_container(L, "rclone.flag");
  push_list(L, "args", "rclone.flag");
  int old_list = lua_gettop(L);
  lua_createtable(L, 8, 0);
  int new_list = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, old_list), length = 0;
  bool placed = false;
  for (lua_Integer i = 1; i <= count; i++) {
    sandbox_work(L, 10);
    lua_rawgeti(L, old_list, i);
    argument_kind kind = kind_of(L, flag);
    if (kind != OTHER && !placed) {
      append_flags(L, new_list, flag);
      placed = true;
    }
    if (kind == END_OF_FLAGS) {
      for (; i <= count; i++) {
        lua_rawgeti(L, old_list, i);
        lua_rawseti(L, new_list, (lua_Integer)lua_rawlen(L, new_list) + 1);
      }
    } else if (kind == OTHER) {
      lua_pushvalue(L, -1);
      lua_rawseti(L, new_list, (lua_Integer)lua_rawlen(L, new_list) + 1);
    } else if (kind == FLAG && has_value_behind(L, old_list, i, count, flag)) {
      i++;
    }
    lua_pop(L, 1);
  }
  if (!placed) append_flags(L, new_list, flag);
  // The list itself stays, in case that the script holds on to it.
  length = (lua_Integer)lua_rawlen(L, new_list);
  for (lua_Integer i = 1; i <= length || i <= count; i++) {
    sandbox_work(L, 2);
    lua_rawgeti(L, new_list, i);
    lua_rawseti(L, old_list, i);
  }
  return 0;
}

// MARK: env

static bool is_variable_name(const char *name, size_t length) {
  if (length == 0 || (*name >= '0' && *name <= '9')) return false;
  for (size_t i = 0; i < length; i++) {
    char c = name[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

// Pushes { name = …, value = … } or { name = …, valueFrom = … } as the third argument says.
static void push_variable(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "name");
  if (lua_istable(L, 3)) {
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "valueFrom");
  } else {
    push_literal(L, 3, "rclone.env");
    lua_setfield(L, -2, "value");
  }
}

static int rclone_env(lua_State *L) {
  if (lua_gettop(L) < 3) {
    return luaL_error(L, "rclone.env takes the job, the name of a variable, and a value; the value nil takes it away");
  }
  lua_settop(L, 3); // assert(...) passes on more than it is asked for
  size_t length;
  const char *name = luaL_checklstring(L, 2, &length);
  if (!is_variable_name(name, length)) return luaL_error(L, "rclone.env: \"%s\" is no name of a variable", name);
  push_container(L, "rclone.env");
  push_list(L, "env", "rclone.env");
  int list = lua_gettop(L);
  bool removing = lua_isnil(L, 3) || lua_islightuserdata(L, 3), placed = removing;
  lua_Integer count = (lua_Integer)lua_rawlen(L, list), kept = 0;
  for (lua_Integer i = 1; i <= count; i++) {
    sandbox_work(L, 10);
    bool same = false;
    if (lua_rawgeti(L, list, i) == LUA_TTABLE) {
      same = lua_getfield(L, -1, "name") == LUA_TSTRING && strcmp(lua_tostring(L, -1), name) == 0;
      lua_pop(L, 1);
    }
    if (same && !placed) {
      lua_pop(L, 1);
      push_variable(L);
      placed = true;
      same = false;
    }
    if (same) lua_pop(L, 1);
    else lua_rawseti(L, list, ++kept);
  }
  for (lua_Integer i = kept + 1; i <= count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, list, i);
  }
  if (!placed) {
    push_variable(L);
    lua_rawseti(L, list, kept + 1);
  }
  return 0;
}

void rclone_install(lua_State *L) {
  const luaL_Reg functions[] = {
    {"container", rclone_container}, {"env", rclone_env}, {"flag", rclone_flag}, {NULL, NULL},
  };
  lua_createtable(L, 0, 3);
  luaL_setfuncs(L, functions, 0);
  lua_setfield(L, -2, "rclone");
}

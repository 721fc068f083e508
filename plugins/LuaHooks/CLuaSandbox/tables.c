// The table library, with loops that report their work: Lua's own run to their end for the price of one instruction.

#include "sandbox.h"

// An index that is not worth checking for overflow: no table here gets near it.
#define MOST_ELEMENTS ((lua_Integer)1 << 24)

static lua_Integer count_of(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  if (count > MOST_ELEMENTS) return luaL_error(L, "the table has too many elements");
  return count;
}

static int table_insert(lua_State *L) {
  lua_Integer last = count_of(L) + 1, position = last;
  int given = lua_gettop(L);
  if (given != 2 && given != 3) return luaL_error(L, "table.insert takes a table, a position (or not), and a value");
  if (given == 3) {
    position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, position >= 1 && position <= last, 2, "position out of bounds");
  }
  for (lua_Integer i = last; i > position; i--) {
    sandbox_work(L, 1);
    lua_rawgeti(L, 1, i - 1);
    lua_rawseti(L, 1, i);
  }
  lua_rawseti(L, 1, position);
  return 0;
}

static int table_remove(lua_State *L) {
  lua_Integer count = count_of(L);
  lua_Integer position = luaL_optinteger(L, 2, count);
  if (lua_gettop(L) > 1 && count + 1 != position) {
    luaL_argcheck(L, position >= 1 && position <= count + 1, 2, "position out of bounds");
  }
  lua_rawgeti(L, 1, position);
  for (; position < count; position++) {
    sandbox_work(L, 1);
    lua_rawgeti(L, 1, position + 1);
    lua_rawseti(L, 1, position);
  }
  if (position <= count && position >= 1) {
    lua_pushnil(L);
    lua_rawseti(L, 1, position);
  }
  return 1;
}

static int table_concat(lua_State *L) {
  lua_Integer count = count_of(L);
  size_t separator_length;
  const char *separator = luaL_optlstring(L, 2, "", &separator_length);
  lua_Integer first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, count);
  luaL_argcheck(L, first >= -MOST_ELEMENTS, 3, "position out of bounds");
  luaL_argcheck(L, last <= MOST_ELEMENTS, 4, "position out of bounds");
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (lua_Integer i = first; i <= last; i++) {
    sandbox_work(L, 4);
    int type = lua_rawgeti(L, 1, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      return luaL_error(L, "table.concat: element %I is a %s, not a string", (LUAI_UACINT)i, luaL_typename(L, -1));
    }
    luaL_addvalue(&out);
    if (i < last) luaL_addlstring(&out, separator, separator_length);
  }
  luaL_pushresult(&out);
  return 1;
}

static int table_pack(lua_State *L) {
  int count = lua_gettop(L);
  lua_createtable(L, count, 1);
  lua_insert(L, 1);
  for (int i = count; i >= 1; i--) lua_rawseti(L, 1, i);
  lua_pushinteger(L, count);
  lua_setfield(L, 1, "n");
  return 1;
}

static int table_unpack(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  if ((lua_Unsigned)last - (lua_Unsigned)first >= 4096 || !lua_checkstack(L, (int)(last - first) + 2)) {
    return luaL_error(L, "table.unpack: more than 4096 values");
  }
  int count = (int)(last - first) + 1;
  sandbox_work(L, (size_t)count);
  for (int i = 0; i < count; i++) lua_rawgeti(L, 1, first + i);
  return count;
}

// MARK: sort

// Lua's own sort calls this for every comparison, and so the time is looked at.
static int less(lua_State *L) {
  size_t steps = 5;
  if (lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING) steps += lua_rawlen(L, 1) / 4;
  sandbox_work(L, steps);
  lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
  return 1;
}

// Upvalue: Lua's own sort.
static int table_sort(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_pushcfunction(L, less);
  } else {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    // A loop within C that calls C is out of the hook's reach.
    if (lua_iscfunction(L, 2)) return luaL_error(L, "table.sort: the order must be a function of the script");
    lua_settop(L, 2);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 2, 0);
  return 0;
}

static const luaL_Reg FUNCTIONS[] = {
  {"concat", table_concat}, {"insert", table_insert}, {"pack", table_pack},
  {"remove", table_remove}, {"unpack", table_unpack}, {NULL, NULL},
};

void tables_install(lua_State *L) {
  lua_pushcfunction(L, luaopen_table);
  lua_call(L, 0, 1);
  lua_createtable(L, 0, 8);
  luaL_setfuncs(L, FUNCTIONS, 0);
  lua_getfield(L, -2, "sort");
  lua_pushcclosure(L, table_sort, 1);
  lua_setfield(L, -2, "sort");
  lua_setfield(L, -3, "table");
  lua_pop(L, 1);
}

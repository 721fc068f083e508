// Values on their way between Swift and Lua: a flat buffer, so that no side calls the other for every value.
//
//     value     n null · t true · f false · i integer · d number · s string · a array · o object
//               T point in time (arguments only) · z nothing (results only, and only as a whole)
//     integer   8 bytes, number 8 bytes, string 4 bytes of length and the text
//     array     4 bytes of count and the elements; object 4 bytes of count and pairs of a string without tag and a value
//
// All numbers are in the machine's own byte order. Arguments are a count of 4 bytes, and the values.
//
// JSON knows [] and {}, Lua only {}: arrays carry a mark (their metatable), also through a script; a table without the
// mark is an array if its keys are 1 to n with n above 0, and an object if all its keys are strings.

#include <math.h>
#include <stdio.h>

#include "sandbox.h"

// MARK: Arrays

static const char ARRAY_MARK = 0;

static void push_array_mark(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_MARK) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 0);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ARRAY_MARK);
}

void array_mark(lua_State *L) {
  push_array_mark(L);
  lua_setmetatable(L, -2);
}

bool array_is_marked(lua_State *L, int index) { return lua_istable(L, index) && lua_getmetatable(L, index) && (lua_pop(L, 1), true); }

// MARK: To Lua

typedef struct {
  const uint8_t *next;
  const uint8_t *end;
} reader;

static void read_bytes(lua_State *L, reader *in, void *into, size_t length) {
  if ((size_t)(in->end - in->next) < length) luaL_error(L, "the arguments are cut off");
  memcpy(into, in->next, length);
  in->next += length;
}

static void push_text(lua_State *L, reader *in) {
  uint32_t length;
  read_bytes(L, in, &length, sizeof length);
  if ((size_t)(in->end - in->next) < length) luaL_error(L, "the arguments are cut off");
  lua_pushlstring(L, (const char *)in->next, length);
  in->next += length;
}

static int hint(uint32_t count) { return count < 10000 ? (int)count : 10000; }

static void push_value(lua_State *L, reader *in, int depth) {
  if (depth > WIRE_DEPTH) luaL_error(L, "the arguments are nested more than %d deep", WIRE_DEPTH);
  luaL_checkstack(L, 4, "arguments");
  uint8_t tag;
  uint32_t count;
  read_bytes(L, in, &tag, 1);
  switch (tag) {
  case 'n': lua_pushlightuserdata(L, NULL); break;
  case 't': lua_pushboolean(L, true); break;
  case 'f': lua_pushboolean(L, false); break;
  case 'i':
  case 'T': {
    int64_t integer;
    read_bytes(L, in, &integer, sizeof integer);
    if (tag == 'i') lua_pushinteger(L, integer);
    else time_push(L, integer);
    break;
  }
  case 'd': {
    double number;
    read_bytes(L, in, &number, sizeof number);
    lua_pushnumber(L, number);
    break;
  }
  case 's': push_text(L, in); break;
  case 'a':
    read_bytes(L, in, &count, sizeof count);
    lua_createtable(L, hint(count), 0);
    array_mark(L);
    for (uint32_t i = 1; i <= count; i++) {
      push_value(L, in, depth + 1);
      lua_rawseti(L, -2, i);
    }
    break;
  case 'o':
    read_bytes(L, in, &count, sizeof count);
    lua_createtable(L, 0, hint(count));
    for (uint32_t i = 0; i < count; i++) {
      push_text(L, in);
      push_value(L, in, depth + 1);
      lua_rawset(L, -3);
    }
    break;
  default: luaL_error(L, "the arguments hold an unknown tag");
  }
}

int wire_push(lua_State *L, const uint8_t *bytes, size_t length) {
  reader in = {bytes, bytes + length};
  uint32_t count;
  read_bytes(L, &in, &count, sizeof count);
  for (uint32_t i = 0; i < count; i++) push_value(L, &in, 0);
  return (int)count;
}

// MARK: From Lua

// The way from the result to the value being encoded, for messages.
typedef struct {
  const char *key; // NULL for a position
  lua_Integer position;
  const void *table; // the table that holds it
} step;

typedef struct {
  lua_State *L;
  sandbox *box;
  const char *root;
  int depth;
  step path[WIRE_DEPTH + 1];
} writer;

static bool is_word(const char *text) {
  if (!*text) return false;
  for (; *text; text++) {
    bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_';
    if (!letter && !(*text >= '0' && *text <= '9')) return false;
  }
  return true;
}

static int bad_value(writer *out, const char *problem) {
  luaL_Buffer text;
  luaL_buffinit(out->L, &text);
  luaL_addstring(&text, out->root);
  for (int i = 0; i < out->depth; i++) {
    char piece[160];
    const step *at = &out->path[i];
    if (!at->key) snprintf(piece, sizeof piece, "[%lld]", (long long)at->position);
    else if (is_word(at->key)) snprintf(piece, sizeof piece, ".%.120s", at->key);
    else snprintf(piece, sizeof piece, "[\"%.120s\"]", at->key);
    luaL_addstring(&text, piece);
  }
  luaL_addstring(&text, " ");
  luaL_addstring(&text, problem);
  luaL_pushresult(&text);
  return lua_error(out->L);
}

static void put(writer *out, const void *bytes, size_t length) {
  if (buffer_append(&out->box->value, bytes, length, out->box->limits.result)) return;
  luaL_error(
    out->L, "%s is larger than the limit of %I bytes", out->root, (lua_Integer)out->box->limits.result);
}

static void put_tag(writer *out, char tag) { put(out, &tag, 1); }

// Whether the bytes are what JSON can hold: UTF-8 without surrogates and overlong forms.
static bool is_utf8(const uint8_t *text, size_t length) {
  for (size_t i = 0; i < length;) {
    uint8_t lead = text[i];
    if (lead < 0x80) {
      i++;
      continue;
    }
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || length - i <= (size_t)more) return false;
    uint8_t first = text[i + 1];
    if ((lead == 0xE0 && first < 0xA0) || (lead == 0xED && first > 0x9F) || (lead == 0xF0 && first < 0x90) ||
        (lead == 0xF4 && first > 0x8F)) {
      return false;
    }
    for (int k = 1; k <= more; k++) {
      if ((text[i + k] & 0xC0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

static void put_text(writer *out, int index, const char *problem) {
  size_t length;
  const char *text = lua_tolstring(out->L, index, &length); // a string already: nothing is converted
  // Checked first: what is too long for the result would take long to look at.
  if (length > out->box->limits.result) put(out, text, length);
  if (!is_utf8((const uint8_t *)text, length)) bad_value(out, problem);
  uint32_t size = (uint32_t)length;
  put(out, &size, sizeof size);
  put(out, text, length);
}

static void put_value(writer *out);

static void put_member(writer *out, const void *table, const char *key, lua_Integer position) {
  out->path[out->depth++] = (step){key, position, table};
  put_value(out);
  out->depth--;
}

// The table on top is an array of `count` elements.
static void put_array(writer *out, const void *table, lua_Integer count) {
  uint32_t size = (uint32_t)count;
  put_tag(out, 'a');
  put(out, &size, sizeof size);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(out->L, -1, i);
    put_member(out, table, NULL, i);
    lua_pop(out->L, 1);
  }
}

static void put_object(writer *out, const void *table) {
  lua_State *L = out->L;
  uint32_t count = 0;
  put_tag(out, 'o');
  size_t count_at = out->box->value.length;
  put(out, &count, sizeof count);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    put_text(out, -2, "has a key that is not valid UTF-8");
    put_member(out, table, lua_tostring(L, -2), 0);
    count++;
  }
  memcpy(out->box->value.bytes + count_at, &count, sizeof count);
}

// Looks at the keys of the table on top. Returns the number of elements of an array, -1 for an object.
static lua_Integer shape(writer *out) {
  lua_State *L = out->L;
  lua_Integer positions = 0, highest = 0, names = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      names++;
    } else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1) {
      positions++;
      if (lua_tointeger(L, -2) > highest) highest = lua_tointeger(L, -2);
    } else {
      char problem[100];
      snprintf(
        problem, sizeof problem, "has a key of type %s; keys are strings, or positions from 1",
        lua_isnumber(L, -2) ? "number" : luaL_typename(L, -2));
      bad_value(out, problem);
    }
    if (positions > 0 && names > 0) bad_value(out, "has positions and names among its keys; it can only be one of array and object");
    if (((positions + names) & 0xFF) == 0) sandbox_work(L, 1000);
  }
  bool marked = array_is_marked(L, -1);
  if (marked && names > 0) bad_value(out, "is an array, but has a name among its keys");
  if (highest != positions) {
    char problem[100];
    snprintf(problem, sizeof problem, "is an array with holes: %lld elements up to position %lld", (long long)positions, (long long)highest);
    bad_value(out, problem);
  }
  return marked || positions > 0 ? positions : -1;
}

static void put_table(writer *out) {
  const void *table = lua_topointer(out->L, -1);
  for (int i = 0; i < out->depth; i++) {
    if (out->path[i].table == table) bad_value(out, "contains itself");
  }
  if (out->depth >= WIRE_DEPTH) bad_value(out, "is nested too deeply");
  luaL_checkstack(out->L, 6, "result");
  sandbox_work(out->L, 100);
  lua_Integer count = shape(out);
  if (count >= 0) put_array(out, table, count);
  else put_object(out, table);
}

static void put_value(writer *out) {
  lua_State *L = out->L;
  switch (lua_type(L, -1)) {
  case LUA_TBOOLEAN: put_tag(out, lua_toboolean(L, -1) ? 't' : 'f'); break;
  case LUA_TSTRING:
    put_tag(out, 's');
    put_text(out, -1, "is a string that is not valid UTF-8");
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1)) {
      int64_t integer = lua_tointeger(L, -1);
      put_tag(out, 'i');
      put(out, &integer, sizeof integer);
    } else {
      double number = lua_tonumber(L, -1);
      if (!isfinite(number)) bad_value(out, isnan(number) ? "is not a number (0/0)" : "is an infinite number");
      put_tag(out, 'd');
      put(out, &number, sizeof number);
    }
    break;
  case LUA_TLIGHTUSERDATA: put_tag(out, 'n'); break;
  case LUA_TTABLE: put_table(out); break;
  default: {
    char problem[100];
    snprintf(problem, sizeof problem, "is a %s; a result is made of tables, strings, numbers and booleans", luaL_typename(L, -1));
    bad_value(out, problem);
  }
  }
}

void wire_encode(lua_State *L, int index, const char *root) {
  writer out = {.L = L, .box = sandbox_of(L), .root = root};
  lua_pushvalue(L, index);
  if (lua_isnil(L, -1)) put_tag(&out, 'z');
  else put_value(&out);
  lua_pop(L, 1);
}

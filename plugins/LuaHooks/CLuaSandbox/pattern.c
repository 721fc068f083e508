// find, match, gmatch and gsub, with Lua's patterns (manual, section 6.4.1) and a matcher that looks at the clock:
// Lua's own can be made to try for hours, out of reach of any hook.

#include <ctype.h>

#include "sandbox.h"

#define MOST_CAPTURES 32
#define DEEPEST 200
#define STEPS_AT_A_TIME 500

// Lengths of captures that are none (yet).
#define OPEN (-1)
#define POSITION (-2)

typedef struct {
  lua_State *L;
  const char *subject;
  const char *subject_end;
  const char *pattern_end;
  size_t steps;
  int depth;
  int count;
  struct {
    const char *start;
    ptrdiff_t length;
  } captures[MOST_CAPTURES];
} matcher;

static const char *match(matcher *m, const char *s, const char *p);

static int bad_pattern(matcher *m, const char *problem) { return luaL_error(m->L, "malformed pattern: %s", problem); }

static void count_steps(matcher *m, size_t steps) {
  m->steps += steps;
  if (m->steps < STEPS_AT_A_TIME) return;
  sandbox_work(m->L, m->steps);
  m->steps = 0;
}

// MARK: Single characters

// The end of the item at `p`: a character, %x or [set].
static const char *item_end(matcher *m, const char *p) {
  char first = *p++;
  if (first == '%') {
    if (p == m->pattern_end) bad_pattern(m, "it ends with %");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < m->pattern_end && *p == '^') p++;
  do { // a ] right at the start stands for itself
    if (p == m->pattern_end) bad_pattern(m, "a ] is missing");
    if (*p++ == '%') {
      if (p == m->pattern_end) bad_pattern(m, "a ] is missing");
      p++;
    }
  } while (p == m->pattern_end || *p != ']');
  return p + 1;
}

static bool in_class(unsigned char c, char class) {
  bool is;
  switch (tolower((unsigned char)class)) {
  case 'a': is = isalpha(c); break;
  case 'c': is = iscntrl(c); break;
  case 'd': is = isdigit(c); break;
  case 'g': is = isgraph(c); break;
  case 'l': is = islower(c); break;
  case 'p': is = ispunct(c); break;
  case 's': is = isspace(c); break;
  case 'u': is = isupper(c); break;
  case 'w': is = isalnum(c); break;
  case 'x': is = isxdigit(c); break;
  default: return class == (char)c;
  }
  return isupper((unsigned char)class) ? !is : is;
}

// `p` is at [, `last` at the ] that closes the set.
static bool in_set(unsigned char c, const char *p, const char *last) {
  bool negated = p[1] == '^';
  if (negated) p++;
  for (p++; p < last; p++) {
    if (*p == '%') {
      if (in_class(c, *++p)) return !negated;
    } else if (p + 2 < last && p[1] == '-') {
      if ((unsigned char)*p <= c && c <= (unsigned char)p[2]) return !negated;
      p += 2;
    } else if ((unsigned char)*p == c) {
      return !negated;
    }
  }
  return negated;
}

static bool matches_item(matcher *m, const char *s, const char *p, const char *end) {
  count_steps(m, 1 + (size_t)(end - p) / 8);
  if (s >= m->subject_end) return false;
  switch (*p) {
  case '.': return true;
  case '%': return in_class((unsigned char)*s, p[1]);
  case '[': return in_set((unsigned char)*s, p, end - 1);
  default: return *p == *s;
  }
}

// MARK: Items that are more than a character

static const char *match_capture(matcher *m, const char *s, const char *p, ptrdiff_t length) {
  if (m->count >= MOST_CAPTURES) luaL_error(m->L, "the pattern has too many captures");
  m->captures[m->count].start = s;
  m->captures[m->count].length = length;
  m->count++;
  const char *end = match(m, s, p);
  if (!end) m->count--;
  return end;
}

static const char *match_capture_end(matcher *m, const char *s, const char *p) {
  int index = m->count - 1;
  while (index >= 0 && m->captures[index].length != OPEN) index--;
  if (index < 0) bad_pattern(m, "a ) has no (");
  m->captures[index].length = s - m->captures[index].start;
  const char *end = match(m, s, p);
  if (!end) m->captures[index].length = OPEN;
  return end;
}

// %bxy at `p`; returns the end of the balanced text.
static const char *match_balanced(matcher *m, const char *s, const char *p) {
  if (m->pattern_end - p < 4) bad_pattern(m, "%b takes two characters");
  if (s >= m->subject_end || *s != p[2]) return NULL;
  long level = 1;
  for (s++; s < m->subject_end; s++) {
    count_steps(m, 1);
    if (*s == p[3]) {
      if (--level == 0) return s + 1;
    } else if (*s == p[2]) {
      level++;
    }
  }
  return NULL;
}

// %f[set] at `p`, whose item ends at `end`.
static bool is_frontier(matcher *m, const char *s, const char *p, const char *end) {
  count_steps(m, 1 + (size_t)(end - p) / 8);
  unsigned char before = s == m->subject ? 0 : (unsigned char)s[-1];
  unsigned char after = s < m->subject_end ? (unsigned char)*s : 0;
  return !in_set(before, p, end - 1) && in_set(after, p, end - 1);
}

// %1 to %9; returns the end of the repeated text.
static const char *match_again(matcher *m, const char *s, int index) {
  if (index < 0 || index >= m->count || m->captures[index].length == OPEN) {
    bad_pattern(m, "a %1 to %9 refers to a capture that is not there");
  }
  if (m->captures[index].length == POSITION) return NULL;
  size_t length = (size_t)m->captures[index].length;
  count_steps(m, 1 + length / 16);
  if ((size_t)(m->subject_end - s) < length || memcmp(m->captures[index].start, s, length) != 0) return NULL;
  return s + length;
}

static const char *match_longest(matcher *m, const char *s, const char *p, const char *end) {
  ptrdiff_t count = 0;
  while (matches_item(m, s + count, p, end)) count++;
  for (; count >= 0; count--) {
    const char *result = match(m, s + count, end + 1);
    if (result) return result;
  }
  return NULL;
}

static const char *match_shortest(matcher *m, const char *s, const char *p, const char *end) {
  for (;; s++) {
    const char *result = match(m, s, end + 1);
    if (result) return result;
    if (!matches_item(m, s, p, end)) return NULL;
  }
}

// MARK: The matcher

static const char *match_here(matcher *m, const char *s, const char *p) {
  while (p < m->pattern_end) {
    count_steps(m, 1);
    if (*p == '(') {
      bool empty = p + 1 < m->pattern_end && p[1] == ')';
      return match_capture(m, s, empty ? p + 2 : p + 1, empty ? POSITION : OPEN);
    }
    if (*p == ')') return match_capture_end(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
    if (*p == '%' && p + 1 < m->pattern_end) {
      char kind = p[1];
      if (kind == 'b') {
        if (!(s = match_balanced(m, s, p))) return NULL;
        p += 4;
        continue;
      }
      if (kind == 'f') {
        p += 2;
        if (p == m->pattern_end || *p != '[') bad_pattern(m, "%f takes a [set]");
        const char *end = item_end(m, p);
        if (!is_frontier(m, s, p, end)) return NULL;
        p = end;
        continue;
      }
      if (kind >= '0' && kind <= '9') {
        if (!(s = match_again(m, s, kind - '1'))) return NULL;
        p += 2;
        continue;
      }
    }
    const char *end = item_end(m, p);
    char quantity = end < m->pattern_end ? *end : 0;
    switch (quantity) {
    case '?':
      if (matches_item(m, s, p, end)) {
        const char *result = match(m, s + 1, end + 1);
        if (result) return result;
      }
      p = end + 1;
      break;
    case '*': return match_longest(m, s, p, end);
    case '+': return matches_item(m, s, p, end) ? match_longest(m, s + 1, p, end) : NULL;
    case '-': return match_shortest(m, s, p, end);
    default:
      if (!matches_item(m, s, p, end)) return NULL;
      s++;
      p = end;
    }
  }
  return s;
}

static const char *match(matcher *m, const char *s, const char *p) {
  if (m->depth >= DEEPEST) luaL_error(m->L, "the pattern is too complex");
  m->depth++;
  const char *end = match_here(m, s, p);
  m->depth--;
  return end;
}

static matcher prepared(lua_State *L, const char *subject, size_t length, const char *pattern_end) {
  return (matcher){.L = L, .subject = subject, .subject_end = subject + length, .pattern_end = pattern_end};
}

static const char *attempt(matcher *m, const char *s, const char *p) {
  m->depth = 0;
  m->count = 0;
  return match(m, s, p);
}

// MARK: Results

static void push_capture(matcher *m, int index, const char *start, const char *end) {
  if (index >= m->count) {
    if (index != 0) luaL_error(m->L, "there is no capture %%%d", index + 1);
    lua_pushlstring(m->L, start, (size_t)(end - start));
  } else if (m->captures[index].length == POSITION) {
    lua_pushinteger(m->L, m->captures[index].start - m->subject + 1);
  } else {
    if (m->captures[index].length == OPEN) bad_pattern(m, "a ) is missing");
    lua_pushlstring(m->L, m->captures[index].start, (size_t)m->captures[index].length);
  }
}

// Pushes all captures, or the whole match if there are none and `whole` is set.
static int push_captures(matcher *m, const char *start, const char *end, bool whole) {
  int count = m->count == 0 && whole ? 1 : m->count;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(m, i, start, end);
  return count;
}

// Where to begin, from 0, for an argument that counts from 1 or from the end; beyond the end if there is nothing left.
static size_t start_position(lua_State *L, int index, size_t length) {
  lua_Integer init = luaL_optinteger(L, index, 1);
  if (init > 0) return (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)length) return 0;
  return length - (size_t)-init;
}

static bool is_plain(const char *pattern, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (pattern[i] && strchr("^$*+?.([%-", pattern[i])) return false;
  }
  return true;
}

static int find_or_match(lua_State *L, bool find) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  const char *pattern_end = pattern + pattern_length;
  size_t start = start_position(L, 3, length);
  if (start > length) {
    lua_pushnil(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) {
    const char *hit = memmem(subject + start, length - start, pattern, pattern_length);
    if (!hit) {
      lua_pushnil(L);
      return 1;
    }
    lua_pushinteger(L, hit - subject + 1);
    lua_pushinteger(L, hit - subject + (lua_Integer)pattern_length);
    return 2;
  }
  matcher m = prepared(L, subject, length, pattern_end);
  bool anchored = pattern_length > 0 && *pattern == '^';
  if (anchored) pattern++;
  for (const char *s = subject + start; s <= m.subject_end; s++) {
    const char *end = attempt(&m, s, pattern);
    if (end) {
      if (!find) return push_captures(&m, s, end, true);
      lua_pushinteger(L, s - subject + 1);
      lua_pushinteger(L, end - subject);
      return 2 + push_captures(&m, s, end, false);
    }
    if (anchored) break;
  }
  lua_pushnil(L);
  return 1;
}

static int string_find(lua_State *L) { return find_or_match(L, true); }

static int string_match(lua_State *L) { return find_or_match(L, false); }

// Upvalues: subject, pattern, where to go on, where the last match ended (an empty one must not follow right there).
static int next_match(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = lua_tolstring(L, lua_upvalueindex(1), &length);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  matcher m = prepared(L, subject, length, pattern + pattern_length);
  for (const char *s = subject + lua_tointeger(L, lua_upvalueindex(3)); s <= m.subject_end; s++) {
    const char *end = attempt(&m, s, pattern);
    if (!end || end - subject == last) continue;
    lua_pushinteger(L, end - subject);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(&m, s, end, true);
  }
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t length;
  luaL_checklstring(L, 1, &length);
  luaL_checkstring(L, 2);
  size_t start = start_position(L, 3, length);
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)(start > length ? length + 1 : start));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

// MARK: gsub

static void add_template(matcher *m, luaL_Buffer *out, const char *start, const char *end) {
  size_t length;
  const char *template = lua_tolstring(m->L, 3, &length);
  for (size_t i = 0; i < length; i++) {
    if (template[i] != '%') {
      luaL_addchar(out, template[i]);
      continue;
    }
    i++;
    if (i < length && template[i] == '%') {
      luaL_addchar(out, '%');
    } else if (i < length && template[i] == '0') {
      luaL_addlstring(out, start, (size_t)(end - start));
    } else if (i < length && template[i] >= '1' && template[i] <= '9') {
      push_capture(m, template[i] - '1', start, end);
      luaL_addvalue(out);
    } else {
      luaL_error(m->L, "a %% in the replacement must be followed by a digit or another %%");
    }
  }
}

// Adds what the third argument makes of a match.
static void add_replacement(matcher *m, luaL_Buffer *out, const char *start, const char *end) {
  lua_State *L = m->L;
  switch (lua_type(L, 3)) {
  case LUA_TTABLE:
    push_capture(m, 0, start, end);
    lua_rawget(L, 3);
    break;
  case LUA_TFUNCTION: {
    lua_pushvalue(L, 3);
    int count = push_captures(m, start, end, true);
    lua_call(L, count, 1);
    break;
  }
  default: add_template(m, out, start, end); return;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, start, (size_t)(end - start));
  } else if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
    luaL_addvalue(out);
  } else {
    luaL_error(L, "the replacement is a %s, not a string", luaL_typename(L, -1));
  }
}

static int string_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  int kind = lua_type(L, 3);
  if (kind != LUA_TSTRING && kind != LUA_TNUMBER && kind != LUA_TTABLE && kind != LUA_TFUNCTION) {
    return luaL_typeerror(L, 3, "string, table or function");
  }
  if (kind == LUA_TNUMBER) lua_tostring(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), replaced = 0;
  matcher m = prepared(L, subject, length, pattern + pattern_length);
  bool anchored = pattern_length > 0 && *pattern == '^';
  if (anchored) pattern++;
  const char *s = subject, *last = NULL;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while (replaced < most) {
    const char *end = attempt(&m, s, pattern);
    if (end && end != last) {
      replaced++;
      sandbox_work(L, 50);
      add_replacement(&m, &out, s, end);
      s = last = end;
    } else if (s < m.subject_end) {
      luaL_addchar(&out, *s++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&out, s, (size_t)(m.subject_end - s));
  luaL_pushresult(&out);
  lua_pushinteger(L, replaced);
  return 2;
}

void pattern_install(lua_State *L) {
  const luaL_Reg functions[] = {
    {"find", string_find}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {"match", string_match}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}

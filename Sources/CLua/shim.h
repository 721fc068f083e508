// Lua 5.4 as it is. Nearly every function of its API may longjmp, which must not happen across a Swift frame: only C
// calls it (CLuaSandbox).
#ifndef BUCKET_SYNC_CLUA_SHIM_H
#define BUCKET_SYNC_CLUA_SHIM_H

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#endif

// SQLite as it is: its API is plain C that Swift imports without help.
#ifndef BUCKET_SYNC_CSQLITE_SHIM_H
#define BUCKET_SYNC_CSQLITE_SHIM_H

#include <sqlite3.h>

#endif

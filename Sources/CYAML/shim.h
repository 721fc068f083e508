// libyaml as it is: its event API is plain C that Swift imports without help.
#ifndef BUCKET_SYNC_CYAML_SHIM_H
#define BUCKET_SYNC_CYAML_SHIM_H

#include <yaml.h>

#endif

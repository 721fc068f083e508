// libcurl as Swift can call it: curl_easy_setopt and friends are variadic macros, which Swift cannot import,
// so each argument type the client needs has one inline wrapper here and nothing more.
#ifndef BUCKET_SYNC_CCURL_SHIM_H
#define BUCKET_SYNC_CCURL_SHIM_H

#include <curl/curl.h>

#endif

// A region of memory for the many small blocks of a short life that a Lua state is made of. What does not fit goes to
// malloc. Blocks of the region need not be freed one by one: it goes as a whole.
#ifndef BUCKET_SYNC_ARENA_H
#define BUCKET_SYNC_ARENA_H

#include <stdbool.h>
#include <stddef.h>

// AddressSanitizer sees into blocks of malloc only.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SIZE ((size_t)0)
#endif
#endif
#ifndef ARENA_SIZE
// Enough for an ordinary call, and below the size from which malloc asks the kernel each time.
#define ARENA_SIZE ((size_t)112 * 1024)
#endif

#define ARENA_GRAIN ((size_t)16)
#define ARENA_LARGEST ((size_t)1024)

typedef struct {
  char *start;
  size_t used;
  size_t outside; // blocks that malloc has given
  void *free_blocks[ARENA_LARGEST / ARENA_GRAIN + 1]; // by size, each block holding the next
} arena;

// Memory may be short: then all blocks come from malloc.
void arena_open(arena *region);
// To be called when no block is in use, or none from outside is.
void arena_close(arena *region);

// As realloc, with the block's old size; sizes are above 0. Never fails to shrink.
void *arena_resize(arena *region, void *block, size_t old_size, size_t new_size);
void arena_release(arena *region, void *block, size_t size);

#endif

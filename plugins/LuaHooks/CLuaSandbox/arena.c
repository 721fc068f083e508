#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void arena_open(arena *region) {
  memset(region, 0, sizeof *region);
  if (ARENA_SIZE > 0) region->start = malloc(ARENA_SIZE);
}

void arena_close(arena *region) {
  free(region->start);
  region->start = NULL;
}

static bool is_inside(const arena *region, const void *block) {
  return region->start && (uintptr_t)block - (uintptr_t)region->start < ARENA_SIZE;
}

static size_t grains(size_t size) { return (size + ARENA_GRAIN - 1) / ARENA_GRAIN; }

static void *new_block(arena *region, size_t size) {
  if (region->start && size <= ARENA_LARGEST) {
    size_t count = grains(size);
    void *block = region->free_blocks[count];
    if (block) {
      memcpy(&region->free_blocks[count], block, sizeof block);
      return block;
    }
    if (ARENA_SIZE - region->used >= count * ARENA_GRAIN) {
      block = region->start + region->used;
      region->used += count * ARENA_GRAIN;
      return block;
    }
  }
  void *block = malloc(size);
  if (block) region->outside++;
  return block;
}

void arena_release(arena *region, void *block, size_t size) {
  if (!is_inside(region, block)) {
    free(block);
    region->outside--;
    return;
  }
  size_t count = grains(size);
  memcpy(block, &region->free_blocks[count], sizeof block);
  region->free_blocks[count] = block;
}

void *arena_resize(arena *region, void *block, size_t old_size, size_t new_size) {
  if (!block) return new_block(region, new_size);
  if (!is_inside(region, block)) {
    void *moved = realloc(block, new_size);
    return moved || new_size > old_size ? moved : block;
  }
  if (grains(old_size) == grains(new_size)) return block;
  void *moved = new_block(region, new_size);
  // A block that cannot move to a smaller place stays where it is: its size is then remembered as the smaller one, and
  // the rest of it is lost until the region goes.
  if (!moved) return new_size > old_size ? NULL : block;
  memcpy(moved, block, old_size < new_size ? old_size : new_size);
  arena_release(region, block, old_size);
  return moved;
}

// Arrays that grow, and a hash table of numbers.
#define _GNU_SOURCE // mremap
#include "core.h"
#include <stdlib.h>
#include <sys/mman.h>

enum { LONG = 1 << 20 };

// Gives an array another size, 0 to free it; NULL if there is no room. A long one has pages of its own where the system can
// move these: it grows without being copied, and leaves no holes among the small ones. A new one's bytes are zero.
static void *resize(void *items, u64 had, u64 bytes) {
#if defined(MREMAP_MAYMOVE) && !defined(WITHOUT_MREMAP) // macOS has none; tests take it away
    if (had >= LONG || bytes >= LONG) {
        void *moved = NULL;
        if (had >= LONG && bytes >= LONG) moved = mremap(items, had, bytes, MREMAP_MAYMOVE);
        else if (bytes >= LONG) moved = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        else if (bytes) moved = malloc(bytes);
        if (moved == MAP_FAILED || (bytes && !moved)) return NULL;
        if (had >= LONG && bytes >= LONG) return moved;
        if (had && bytes) memcpy(moved, items, had < bytes ? had : bytes);
        if (had >= LONG) munmap(items, had);
        else free(items);
        return moved;
    }
#endif
    if (!items) return bytes ? calloc(1, bytes) : NULL;
    if (bytes) return realloc(items, bytes);
    free(items);
    return NULL;
}

static void list_resize(list *items, u64 room) {
    void *moved = resize(items->items, items->room, room);
    if (!moved) abort(); // half a change must not be written
    items->items = moved;
    items->room = room;
}

void list_grow(list *items, u64 needed, u64 size) {
    if (needed > UINT64_MAX / 4) abort();
    list_resize(items, needed + needed / 4 + 16 * size);
}

void list_shrink(list *items, u64 size) {
    u64 room = (items->count + 1) * size;
    if (items->room / 4 > room) list_resize(items, room);
}

void list_free(list *items) {
    resize(items->items, items->room, 0);
    *items = (list){0};
}

u32 pool_take(pool *all, u64 size) {
    if (!all->items.count) memset(list_add(&all->items, 1, size), 0, size); // nobody's
    u32 number = all->free;
    if (!number) {
        if (all->items.count >= NOBODY) abort();
        memset(list_add(&all->items, 1, size), 0, size);
        return (u32)(all->items.count - 1);
    }
    u8 *item = ITEM(all->items, u8, number * size);
    memcpy(&all->free, item, sizeof all->free);
    memset(item, 0, sizeof all->free);
    return number;
}

void pool_give(pool *all, u64 size, u32 number) {
    u8 *item = ITEM(all->items, u8, number * size);
    memset(item, 0, size);
    memcpy(item, &all->free, sizeof all->free);
    all->free = number;
}

static u64 multiply(u64 a, u64 b) { // both halves of the product, folded
    unsigned __int128 product = (unsigned __int128)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

// wyhash's way: multiply and fold, eight bytes at a time (Wang Yi, github.com/wangyi-fudan/wyhash)
u64 hash_bytes(u64 seed, const void *bytes, u64 length) {
    const u8 *next = bytes;
    u64 hash = multiply(seed ^ length, 0xa0761d6478bd642full), word;
    for (; length >= 8; next += 8, length -= 8) {
        memcpy(&word, next, 8);
        hash = multiply(hash ^ word, seed ^ 0xe7037ed1a0b428dbull);
    }
    word = 0;
    memcpy(&word, next, length);
    return multiply(hash ^ word, seed ^ 0x8ebc6af09c88c6e3ull);
}

static void put(table *numbers, u64 slot) {
    u32 at = first_slot(numbers, (u32)(slot >> 32));
    while (numbers->slots[at]) at = at + 1 < numbers->size ? at + 1 : 0;
    numbers->slots[at] = slot;
}

void table_add(table *numbers, u64 hash, u32 number) {
    u64 size = numbers->size;
    if (((u64)numbers->used + 1) * 4 > size * 3) { // never more than 75 % full: a search ends soon, and does end
        u64 *old = numbers->slots, larger = size ? size + size / 4 : 1024;
        u64 *slots = larger > UINT32_MAX ? NULL : resize(NULL, 0, larger * sizeof(u64));
        if (!slots) abort();
        numbers->slots = slots;
        numbers->size = (u32)larger;
        for (u64 at = 0; at < size; at++)
            if (old[at]) put(numbers, old[at]);
        resize(old, size * sizeof(u64), 0);
    }
    numbers->used++;
    put(numbers, (hash & 0xffffffff00000000ull) | ((u64)number + 1));
}

void table_free(table *numbers) {
    if (numbers->slots) resize(numbers->slots, numbers->size * sizeof(u64), 0);
    *numbers = (table){0};
}

void forget_numbers(table *all) {
    if (all->slots) memset(all->slots, 0, all->size * sizeof(u64));
    all->used = 0;
}

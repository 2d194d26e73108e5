// Arrays that grow, and a hash table of numbers.
#include "core.h"
#include <stdlib.h>

void *list_add(list *items, u64 more, u64 size) {
    if (more > items->room - items->count) {
        u64 room = items->room + items->room / 4 + more + 16;
        void *grown = room > UINT64_MAX / 4 / size ? NULL : realloc(items->items, room * size);
        if (!grown) abort(); // half a change must not be written
        items->items = grown;
        items->room = room;
    }
    void *place = (u8 *)items->items + items->count * size;
    items->count += more;
    return place;
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
    u32 at = (u32)(slot >> 32) & numbers->mask;
    while (numbers->slots[at]) at = (at + 1) & numbers->mask;
    numbers->slots[at] = slot;
}

void table_add(table *numbers, u64 hash, u32 number) {
    u64 size = numbers->slots ? (u64)numbers->mask + 1 : 0;
    if (((u64)numbers->used + 1) * 5 > size * 3) { // never more than 60 % full: a search ends soon, and does end
        u64 *old = numbers->slots, larger = size ? size * 2 : 1024;
        u64 *slots = larger > 1ull << 32 ? NULL : calloc(larger, sizeof(u64));
        if (!slots) abort();
        numbers->slots = slots;
        numbers->mask = (u32)(larger - 1);
        for (u64 at = 0; at < size; at++)
            if (old[at]) put(numbers, old[at]);
        free(old);
    }
    numbers->used++;
    put(numbers, (hash & 0xffffffff00000000ull) | ((u64)number + 1));
}

void forget_numbers(table *all) {
    if (all->slots) memset(all->slots, 0, ((u64)all->mask + 1) * sizeof(u64));
    all->used = 0;
}

// What single customers have left of touches and transactions, and the small sorted arrays in it.
#include "core.h"
#include <stdlib.h>

// -- numbers ---------------------------------------------------------------------------------------------------------

enum { FEW = 2, FIRST_ROOM = 4 }; // malloc's smallest piece has room for a block of four

static void make_room(numbers *all) {
    block *many = block_of(all);
    if (count_of(all) < (many ? many->room : FEW)) return;
    u32 room = many ? many->room * 2 : FIRST_ROOM;
    block *grown = many && room < many->room ? NULL : realloc(many, sizeof(block) + (u64)room * sizeof(u32));
    if (!grown) abort(); // half a change must not be written
    if (!many) {
        memcpy(grown->items, all->few, sizeof all->few);
        grown->count = FEW;
    }
    grown->room = room;
    all->place = (u64)grown + BLOCK;
}

static void put_in(numbers *all, u32 at, u32 number) {
    if (!number || number >> 31) abort(); // it would be taken for none, or for a block's place
    make_room(all);
    u32 *items = NUMBERS(all), after = count_of(all) - at;
    memmove(items + at + 1, items + at, (u64)after * sizeof(u32));
    items[at] = number;
    if (block_of(all)) block_of(all)->count++;
}

void keep_first(numbers *all, u32 kept) {
    block *many = block_of(all);
    if (many) {
        many->count = kept;
        if (kept > FEW) return;
        memcpy(all->few, many->items, sizeof all->few);
        free(many);
    }
    memset(all->few + kept, 0, (FEW - kept) * sizeof(u32));
}

void drop_numbers(numbers *all) { keep_first(all, 0); }

void take_out(numbers *all, u32 at) {
    u32 *items = NUMBERS(all), after = count_of(all) - at - 1;
    memmove(items + at, items + at + 1, (u64)after * sizeof(u32));
    keep_first(all, at + after);
}

static u32 place_of(const numbers *sorted, u32 number) {
    u32 low = 0, high = count_of(sorted);
    BISECT(low, high, middle, NUMBERS(sorted)[middle] < number)
    return low;
}

bool has_number(const numbers *sorted, u32 number) {
    u32 at = place_of(sorted, number);
    return at < count_of(sorted) && NUMBERS(sorted)[at] == number;
}

void add_number_to(numbers *sorted, u32 number) {
    u32 at = place_of(sorted, number);
    if (at < count_of(sorted) && NUMBERS(sorted)[at] == number) return;
    put_in(sorted, at, number);
}

// Where a number is among others, or would be: the first one that does not come before it.
u32 ordered_place(const shard *one, const numbers *ordered, u32 number, bool (*is_before)(const shard *, u32, u32)) {
    u32 low = 0, high = count_of(ordered);
    if (high && is_before(one, NUMBERS(ordered)[high - 1], number)) return high; // events come nearly in order
    BISECT(low, high, middle, is_before(one, NUMBERS(ordered)[middle], number))
    return low;
}

u32 insert_number(const shard *one, numbers *ordered, u32 number, bool (*is_before)(const shard *, u32, u32)) {
    u32 at = ordered_place(one, ordered, number, is_before);
    put_in(ordered, at, number);
    return at;
}

// Sorts by merging runs, so what is equal stays in order.
void sort_numbers(u32 *items, u32 *spare, u32 count, bool (*before)(const void *context, u32 a, u32 b), const void *context) {
    for (u64 run = 1; run < count; run *= 2) {
        for (u64 begin = 0; begin < count; begin += 2 * run) {
            u64 middle = begin + run < count ? begin + run : count, end = begin + 2 * run < count ? begin + 2 * run : count;
            u64 left = begin, right = middle, out = begin;
            while (out < end)
                spare[out++] = left < middle && (right >= end || !before(context, items[right], items[left])) ? items[left++] : items[right++];
        }
        memcpy(items, spare, (u64)count * sizeof(u32));
    }
}

// -- accounts --------------------------------------------------------------------------------------------------------

// The account of a customer, opened with the first touch or transaction.
u32 account_of(shard *one, u32 who) {
    if (CUSTOMER(one, who)->account == NOBODY) {
        memset(list_add(&one->accounts, 1, sizeof(account)), 0, sizeof(account));
        CUSTOMER(one, who)->account = (u32)(one->accounts.count - 1);
    }
    return CUSTOMER(one, who)->account;
}

account *open_account(shard *one, u32 who) { // `ACCOUNT(one, account_of(…))` might look before the accounts have moved
    u32 number = account_of(one, who);
    return ACCOUNT(one, number);
}

// Whether an arm of a campaign has a past slot, which is `offset` behind that of the arm's reach. The shorter list is gone
// through: a campaign may have as many arms as customers, if a producer is at fault.
bool has_past(const shard *one, const account *had, u32 campaign_number, u32 offset) {
    const list *arms = &CAMPAIGN(one, campaign_number)->arms;
    const numbers *past = &had->past;
    if (count_of(past) < arms->count) {
        for (u32 at = 0; at < count_of(past); at++) {
            u32 slot = NUMBERS(past)[at], number = arm_of_slot(one, slot);
            if (slot == slot_of_reach(one, number) + offset && ARM(one, number)->campaign == campaign_number) return true;
        }
    } else
        for (u64 at = 0; at < arms->count; at++)
            if (has_number(past, slot_of_reach(one, *ITEM(*arms, u32, at)) + offset)) return true;
    return false;
}

// Closes the account of an erased customer; its touches and transactions have gone.
void close_account(shard *one, account *had) {
    for (u32 at = 0; at < count_of(&had->converted); at++) {
        u32 number = NUMBERS(&had->converted)[at];
        drop_numbers(&CONVERSION(one, number)->transactions);
        pool_give(&one->conversions, sizeof(conversion), number);
    }
    for (u32 at = 0; at < count_of(&had->reached); at++) pool_give(&one->reaches, sizeof(reach), NUMBERS(&had->reached)[at]);
    numbers *all[] = {&had->touches, &had->transactions, &had->reached, &had->converted, &had->past};
    for (u32 at = 0; at < sizeof all / sizeof *all; at++) drop_numbers(all[at]);
}

static i32 day_in_utc(i64 at) { return (i32)((at - (at < 0 ? DAY_MS - 1 : 0)) / DAY_MS); }

// Looks at a customer again once an event's last use is past; each customer with live events waits once.
void visit(shard *one, u32 who, i64 last_use) {
    *(due *)list_add(&one->dues, 1, sizeof(due)) = (due){day_in_utc(last_use), who};
}

// Hands out, one after another, the customers whose last use lies before the floor; NOBODY when there is none left.
// The caller starts with *next = 0 and *kept = 0; those that are made to wait meanwhile are not looked at.
u32 next_due(shard *one, i64 floor, u64 *next, u64 *kept, u64 end) {
    while (*next < end) {
        due waiting = *ITEM(one->dues, due, (*next)++);
        if (((i64)waiting.day + 1) * DAY_MS <= floor) return waiting.customer;
        *ITEM(one->dues, due, (*kept)++) = waiting;
    }
    return NOBODY;
}

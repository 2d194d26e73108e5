// Who is known: by id, and by pseudonym while the id has not been seen since the state was loaded.
#include "core.h"
#include <stdlib.h>

EXPORT shard *shard_new(u64 seed, u32 span) {
    shard *one = calloc(1, sizeof(shard));
    if (!one) abort();
    one->seed = seed;
    one->span = span;
    // what is loaded may lie up to two days behind the span: the bounds of a query are days of UTC
    one->words = (span + 3 + 63) / 64;
    one->cells = cells_new();
    return one;
}

static void free_registry(shard *one) {
    for (u64 at = 0; at < one->campaigns.count; at++) {
        list_free(&CAMPAIGN(one, at)->products);
        list_free(&CAMPAIGN(one, at)->arms);
    }
}

EXPORT void shard_free(shard *one) {
    free_registry(one);
    for (u64 at = 0; at < one->accounts.count; at++) close_account(one, ACCOUNT(one, at));
    list *lists[] = {&one->customers, &one->ids, &one->days, &one->engaged.items, &one->tiers, &one->changes, &one->campaigns, &one->arms, &one->quarters,
                     &one->labels, &one->models_of, &one->texts, &one->touches.items, &one->transactions.items, &one->extras.items, &one->reversals.items,
                     &one->credits.items, &one->reaches.items, &one->conversions.items, &one->accounts, &one->dues, &one->touch_ids, &one->originals, &one->waiting, &one->orphans, &one->credit_changes, &one->standings, &one->offered,
                     &one->candidates, &one->spare, &one->fractions};
    for (u32 at = 0; at < sizeof lists / sizeof *lists; at++) list_free(lists[at]);
    for (u32 at = 0; at < SHEETS; at++)
        for (u32 column = 0; column < SHEET_COLUMNS; column++) list_free(&one->sheets[at].columns[column]);
    table *tables[] = {&one->tier_of, &one->by_id, &one->by_pseudonym, &one->change_of, &one->arm_of, &one->quarter_of, &one->touch_id_of,
                       &one->event_of, &one->original_of, &one->change_of_credit};
    for (u32 at = 0; at < sizeof tables / sizeof *tables; at++) table_free(tables[at]);
    cells_free(one->cells);
    free(one);
}

EXPORT u32 shard_known(const shard *one) { return one->known; }

EXPORT u32 shard_add_tier(shard *one, const u8 *bytes, u8 length) {
    name *tier = list_add(&one->tiers, 1, sizeof(name));
    tier->length = length;
    memcpy(tier->bytes, bytes, length);
    u32 number = (u32)(one->tiers.count - 1);
    table_add(&one->tier_of, hash_bytes(one->seed, bytes, length), number);
    return number;
}

// The number of a tier, NOBODY for one that Python has not told of. There may be very many, if tiers are scores.
u32 find_tier(const shard *one, span text) {
    u32 number;
    for (search by = search_for(&one->tier_of, hash_bytes(one->seed, text.bytes, text.length)); (number = next_number(&by)) != NOBODY;)
        if (is_name(TIER_NAME(one, number), text)) break;
    return number;
}

static u32 find_met(const shard *one, u64 hash, const u8 *id, u32 length) {
    u32 number;
    for (search by = search_for(&one->by_id, hash); (number = next_number(&by)) != NOBODY;) {
        const customer *known = CUSTOMER(one, number);
        if (known->standing == MET && known->id_length == length && !memcmp(ITEM(one->ids, u8, known->id), id, length)) break;
    }
    return number;
}

static u32 find_dormant(const shard *one, u64 hash, const u8 *pseudonym) {
    u32 number;
    for (search by = search_for(&one->by_pseudonym, hash); (number = next_number(&by)) != NOBODY;) {
        const customer *known = CUSTOMER(one, number);
        if (known->standing == DORMANT && !memcmp(known->pseudonym, pseudonym, PSEUDONYM)) break;
    }
    return number;
}

static u32 add_customer(shard *one, const u8 *pseudonym) {
    customer *fresh = list_add(&one->customers, 1, sizeof(customer));
    memset(fresh, 0, sizeof *fresh);
    memcpy(fresh->pseudonym, pseudonym, PSEUDONYM);
    fresh->last_day = -1;
    fresh->account = NOBODY;
    u64 *days = list_add(&one->days, one->words, sizeof(u64));
    memset(days, 0, one->words * sizeof(u64));
    if (one->customers.count >= NOBODY) abort();
    one->known++;
    return (u32)(one->customers.count - 1);
}

// The customer of an id, NOBODY for a stranger.
EXPORT u32 shard_find(const shard *one, const u8 *id, u32 length) {
    return find_met(one, hash_bytes(one->seed, id, length), id, length);
}

// The customer of an id that is known by now: dormant under its pseudonym before, or new.
EXPORT u32 shard_meet(shard *one, const u8 *id, u32 length, const u8 *pseudonym) {
    u64 hash = hash_bytes(one->seed, id, length);
    u32 number = find_met(one, hash, id, length);
    if (number != NOBODY) return number;
    number = find_dormant(one, hash_bytes(one->seed, pseudonym, PSEUDONYM), pseudonym);
    if (number == NOBODY) number = add_customer(one, pseudonym);
    customer *met = ITEM(one->customers, customer, number);
    met->standing = MET;
    if (one->ids.count >> 40) abort(); // a terabyte of ids
    met->id = one->ids.count;
    met->id_length = (u16)length;
    memcpy(list_add(&one->ids, length, 1), id, length);
    table_add(&one->by_id, hash, number);
    return number;
}

// Fetches where a customer's number stands into the processor's cache, then, a few rows later, what it is the number of,
// and then what that points to: among very many customers each of the three waits for memory otherwise.
void expect_slot(const table *numbers, u64 hash) {
    if (numbers->slots) __builtin_prefetch(numbers->slots + first_slot(numbers, (u32)(hash >> 32)));
}

// Returns the first number of this half of a hash, which nearly always is the customer's; NOBODY if there is none.
u32 expect_customer(const shard *one, const table *numbers, u64 hash) {
    search by = search_for(numbers, hash);
    u32 number = next_number(&by);
    if (number == NOBODY) return NOBODY;
    __builtin_prefetch(CUSTOMER(one, number), 1);
    __builtin_prefetch(ITEM(one->days, u64, (u64)one->words * number), 1);
    return number;
}

void expect_account(const shard *one, u32 number) {
    u32 had = CUSTOMER(one, number)->account;
    if (had != NOBODY) __builtin_prefetch(ACCOUNT(one, had), 1);
}

static void expect_id(const shard *one, u32 number) {
    const customer *likely = CUSTOMER(one, number);
    if (likely->standing == MET) __builtin_prefetch(ITEM(one->ids, u8, likely->id));
}

// The customer of a pseudonym, whose hash it is, and whose id has not been seen.
u32 dormant_with(shard *one, u64 hash, const u8 *pseudonym) {
    u32 number = find_dormant(one, hash, pseudonym);
    if (number != NOBODY) return number;
    number = add_customer(one, pseudonym);
    table_add(&one->by_pseudonym, hash, number);
    return number;
}

// The same, for loading stored state before any event.
EXPORT u32 shard_dormant(shard *one, const u8 *pseudonym) {
    return dormant_with(one, hash_bytes(one->seed, pseudonym, PSEUDONYM), pseudonym);
}

static void forget(shard *one, u32 number) {
    customer *gone = ITEM(one->customers, customer, number);
    forget_account(one, number);
    if (gone->standing == MET) memset(ITEM(one->ids, u8, gone->id), 0, gone->id_length);
    if (gone->engaged) pool_give(&one->engaged, one->words * sizeof(u64), gone->engaged);
    memset(gone, 0, sizeof *gone);
    memset(ITEM(one->days, u64, (u64)one->words * number), 0, one->words * sizeof(u64));
    gone->account = NOBODY;
    gone->standing = ERASED;
    one->known--;
}

// Forgets a customer, by its id (length 0: it is not given) and by its pseudonym.
EXPORT void shard_erase(shard *one, const u8 *id, u32 length, const u8 *pseudonym) {
    u32 met = length ? shard_find(one, id, length) : NOBODY;
    u32 dormant = find_dormant(one, hash_bytes(one->seed, pseudonym, PSEUDONYM), pseudonym);
    if (met != NOBODY) forget(one, met);
    if (dormant != NOBODY) forget(one, dormant);
}

EXPORT void shard_set_tier(shard *one, u32 number, u32 tier) {
    ITEM(one->customers, customer, number)->tier = tier;
}

static head *row_of(u8 *rows, u32 number, u32 size) { return (head *)(rows + (u64)number * size); }

static span id_of(const u8 *texts, const head *row) { return (span){texts + row->customer_id.begin, row->customer_id.length}; }

enum { RING = 32 }; // rows under way

// Says which customers a batch's rows (of `size` bytes, with a head each) are of; returns how many are of strangers.
EXPORT u32 shard_find_all(const shard *one, const u8 *texts, u8 *rows, u32 count, u32 size) {
    u64 hashes[RING];
    u32 likely[RING], strangers = 0;
    for (u64 next = 0; next < (u64)count + 3 * STEP; next++) {
        u64 second = next - STEP, third = second - STEP, number = third - STEP; // those before the first row wrap around
        if (next < count) {
            span id = id_of(texts, row_of(rows, (u32)next, size));
            expect_slot(&one->by_id, hashes[next % RING] = hash_bytes(one->seed, id.bytes, id.length));
        }
        if (second < count) likely[second % RING] = expect_customer(one, &one->by_id, hashes[second % RING]);
        if (third < count && likely[third % RING] != NOBODY) expect_id(one, likely[third % RING]);
        if (number < count) {
            head *row = row_of(rows, (u32)number, size);
            span id = id_of(texts, row);
            row->customer = find_met(one, hashes[number % RING], id.bytes, id.length);
            strangers += row->customer == NOBODY;
        }
    }
    return strangers;
}

// Lets the strangers among a batch's rows be met; `pseudonyms` has those of the strangers, in their order.
EXPORT void shard_meet_all(shard *one, const u8 *texts, u8 *rows, u32 count, u32 size, const u8 *pseudonyms) {
    for (u32 number = 0; number < count; number++) {
        head *row = row_of(rows, number, size);
        if (row->customer != NOBODY) continue;
        row->customer = shard_meet(one, texts + row->customer_id.begin, row->customer_id.length, pseudonyms);
        pseudonyms += PSEUDONYM;
    }
}

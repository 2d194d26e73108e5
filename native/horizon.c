// What is dropped: events that nothing in time can need any more (pipeline/state/memory.py), reversals whose original can
// come no more, and everything of an erased customer. Dropping changes no number.
#include "core.h"
#include <stdlib.h>

// -- orphans ---------------------------------------------------------------------------------------------------------

static bool is_orphan_before(const void *context, u32 a, u32 b) {
    const shard *one = context;
    const reversal *left = REVERSAL(one, a), *right = REVERSAL(one, b);
    return compare_events(one, left->at, left->event_id, right->at, right->event_id) < 0;
}

// Gives the reversals their verdict whose original would be too late by now; returns how many. They are handed out by
// `shard_orphan` in order of time, until the next call.
EXPORT u32 shard_find_orphans(shard *one, i64 floor) {
    one->orphans.count = 0;
    for (u64 at = 0; at < one->waiting.count; at++) {
        u32 number = *ITEM(one->waiting, u32, at);
        reversal *known = REVERSAL(one, number);
        if (!known->is_live || !known->is_waiting || known->at >= floor) continue;
        known->is_waiting = false;
        *(u32 *)list_add(&one->orphans, 1, sizeof(u32)) = number;
    }
    u32 count = (u32)one->orphans.count;
    if (!count) return 0;
    wait_anew(one);
    u32 *spare = list_add(&one->orphans, count, sizeof(u32)); // behind them, as room to sort
    sort_numbers(ITEM(one->orphans, u32, 0), spare, count, is_orphan_before, one);
    one->orphans.count = count;
    return count;
}

EXPORT i64 shard_orphan(shard *one, u32 at, const u8 **id, u32 *length) {
    const reversal *found = REVERSAL(one, *ITEM(one->orphans, u32, at));
    span event_id = read_text_of(one, found->event_id, one->orphan_id);
    *id = event_id.bytes;
    *length = event_id.length;
    return found->offset;
}

// -- one by one ------------------------------------------------------------------------------------------------------

static void drop_reversal(shard *one, u32 number) {
    pool_give(&one->reversals, sizeof(reversal), number);
}

// -- the horizon -----------------------------------------------------------------------------------------------------

static i64 window_of(const shard *one, const touch *given) { return CAMPAIGN(one, ARM(one, given->arm)->campaign)->window_ms; }

static void forget_touches(shard *one, account *had, i64 floor) {
    u32 kept = 0;
    for (u32 at = 0; at < count_of(&had->touches); at++) {
        u32 number = NUMBERS(&had->touches)[at];
        if (TOUCH(one, number)->at + window_of(one, TOUCH(one, number)) >= floor) NUMBERS(&had->touches)[kept++] = number;
        else drop_touch(one, number);
    }
    keep_first(&had->touches, kept);
}

static void fold_reach(shard *one, account *had, i64 floor) {
    u32 kept = 0;
    for (u32 at = 0; at < count_of(&had->reached); at++) {
        u32 number = NUMBERS(&had->reached)[at];
        if (REACH(one, number)->at >= floor) {
            NUMBERS(&had->reached)[kept++] = number;
            continue;
        }
        add_number_to(&had->past, slot_of_reach(one, REACH(one, number)->arm));
        pool_give(&one->reaches, sizeof(reach), number);
    }
    keep_first(&had->reached, kept);
}

static void forget_transactions(shard *one, account *had, i64 floor) {
    u32 kept = 0;
    u32 *all = NUMBERS(&had->transactions), count = count_of(&had->transactions);
    for (u32 at = 0; at < count; at++) {
        u32 number = all[at];
        if (TRANSACTION(one, number)->at + one->reversal_ms >= floor) {
            all[kept++] = number;
            continue;
        }
        fold_into_past(one, number);
        drop_transaction(one, number);
    }
    keep_first(&had->transactions, kept);
}

static void visit_again(shard *one, u32 who, const account *had) {
    i64 next = INT64_MAX;
    for (u32 at = 0; at < count_of(&had->touches); at++) {
        const touch *given = TOUCH(one, NUMBERS(&had->touches)[at]);
        i64 last_use = given->at + window_of(one, given);
        next = last_use < next ? last_use : next;
    }
    if (count_of(&had->transactions)) {
        i64 last_use = TRANSACTION(one, NUMBERS(&had->transactions)[0])->at + one->reversal_ms;
        next = last_use < next ? last_use : next;
    }
    if (next < INT64_MAX) visit(one, who, next);
}

static void forget_customers(shard *one, i64 floor) {
    u64 next = 0, kept = 0, end = one->dues.count;
    for (u32 who; (who = next_due(one, floor, &next, &kept, end)) != NOBODY;) {
        if (CUSTOMER(one, who)->account == NOBODY) continue; // erased meanwhile
        account *had = ACCOUNT(one, CUSTOMER(one, who)->account);
        forget_touches(one, had, floor);
        fold_reach(one, had, floor);
        forget_transactions(one, had, floor);
        visit_again(one, who, had);
    }
    u64 added = one->dues.count - end;
    if (added) memmove(ITEM(one->dues, due, kept), ITEM(one->dues, due, end), added * sizeof(due));
    one->dues.count = kept + added;
}

static void forget_reversals(shard *one, i64 floor) {
    for (u32 number = 0; number < one->reversals.items.count; number++) {
        const reversal *known = REVERSAL(one, number);
        if (known->is_live && !known->is_waiting && known->at + one->reversal_ms < floor) drop_reversal(one, number);
    }
}

static void index_event(shard *one, u32 event, text id) {
    span found = text_of(one, id);
    table_add(&one->event_of, hash_bytes(one->seed, found.bytes, found.length), event);
}

static void forget_events(shard *one) { // makes the index anew once it holds much that has gone
    u64 live = 0;
    for (u64 at = 0; at < one->transactions.items.count; at++) live += TRANSACTION(one, at)->is_live;
    for (u64 at = 0; at < one->reversals.items.count; at++) live += REVERSAL(one, at)->is_live;
    if (one->event_of.used < live * 2 + 4096) return;
    forget_numbers(&one->event_of);
    for (u32 at = 0; at < one->transactions.items.count; at++)
        if (TRANSACTION(one, at)->is_live) index_event(one, at * 2, TRANSACTION(one, at)->event_id);
    for (u32 at = 0; at < one->reversals.items.count; at++)
        if (REVERSAL(one, at)->is_live) index_event(one, at * 2 + 1, REVERSAL(one, at)->event_id);
}

// Drops what no event in time could need; the floors are the earliest instants still in time on the two topics.
EXPORT void shard_forget(shard *one, i64 touches_floor, i64 transactions_floor) {
    forget_touch_ids(one, touches_floor);
    forget_reversals(one, transactions_floor);
    forget_customers(one, touches_floor < transactions_floor ? touches_floor : transactions_floor);
    if (one->waiting.count) wait_anew(one);
    forget_events(one);
}

// -- erasure -----------------------------------------------------------------------------------------------------------

// Drops the touches, transactions and reversals of a customer who is about to be forgotten.
void forget_account(shard *one, u32 who) {
    bool has_waited = false;
    for (u32 number = 0; number < one->reversals.items.count; number++)
        if (REVERSAL(one, number)->is_live && REVERSAL(one, number)->customer == who) {
            has_waited = has_waited || REVERSAL(one, number)->is_waiting;
            drop_reversal(one, number);
        }
    if (has_waited) wait_anew(one); // before one of the numbers is given again
    if (CUSTOMER(one, who)->account == NOBODY) return;
    account *had = ACCOUNT(one, CUSTOMER(one, who)->account);
    for (u32 at = 0; at < count_of(&had->touches); at++) drop_touch(one, NUMBERS(&had->touches)[at]);
    for (u32 at = 0; at < count_of(&had->transactions); at++) drop_transaction(one, NUMBERS(&had->transactions)[at]);
    close_account(one, had);
}

EXPORT void shard_set_rules(shard *one, double half_life_ms, i64 reversal_ms) {
    one->half_life_ms = half_life_ms;
    one->reversal_ms = reversal_ms;
}

// -- how much is in memory, in the order of HELD in pipeline/native/library.py ----------------------------------------------

enum { HELD_TOUCHES, HELD_TRANSACTIONS, HELD_CONVERSIONS, HELD_REACH, HELD_TOUCH_IDS, HELD_DUE, HELD_REVERSALS, HELD_WAITING, HELD_CELLS };

static u64 held_reversals(const shard *one, bool waiting) {
    u64 count = 0;
    for (u64 at = 0; at < one->reversals.items.count; at++)
        count += REVERSAL(one, at)->is_live && (!waiting || REVERSAL(one, at)->is_waiting);
    return count;
}

EXPORT u64 shard_held(const shard *one, u32 kind) {
    u64 count = 0;
    switch (kind) {
    case HELD_DUE: return one->dues.count;
    case HELD_REVERSALS: return held_reversals(one, false);
    case HELD_WAITING: return held_reversals(one, true);
    case HELD_CELLS: return cells_count(one->cells);
    case HELD_TOUCH_IDS:
        for (u64 at = 0; at < one->touch_ids.count; at++) {
            const seen *known = ITEM(one->touch_ids, seen, at);
            count += known->event_id != NO_TEXT && known->at >= one->touch_ids_floor;
        }
        return count;
    default:
        for (u64 at = 0; at < one->accounts.count; at++) {
            const account *had = ACCOUNT(one, at);
            count += kind == HELD_TOUCHES        ? count_of(&had->touches)
                     : kind == HELD_TRANSACTIONS ? count_of(&had->transactions)
                     : kind == HELD_CONVERSIONS  ? count_of(&had->converted)
                                                 : count_of(&had->reached);
        }
        return count;
    }
}

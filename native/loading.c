// Loading stored state: answers of the ledger in ClickHouse's RowBinary, for all shards that are taken over together.
// A number stands as it lies in memory, a text behind its length (LEB128), one row behind the other. A row is applied
// whole or not at all: what Python has to be told of first stops the loading in front of it.
#include "core.h"

// the queries, in the order of QUERIES in pipeline/native/loading.py
enum { PROFILES, LOGINS, ENGAGED_BEFORE_HORIZON, PAST_REACH, TOUCH_IDS, TOUCHES_LIVE, PAST_CONVERSIONS, TRANSACTIONS, CREDITS, QUERIES };
// why loading has stopped: all is done; the rest is part of a row; a thing that Python has not told of; a fault
enum { DONE, CUT, NEW_TIER, NEW_ARM, NEW_QUARTER, TOO_OLD, UNSOUND };

enum { GROUP = 16 }; // rows that are read ahead

typedef struct { // a shard that is being loaded
    shard *one;
    i64 floor;         // the earliest instant still in time on touches or transactions
    u32 number;        // as the ledger has it
    u32 unused;
} target;

typedef struct { // where loading has stopped, and what it wants to be told; texts as places in the bytes
    u64 consumed;      // bytes of rows that have been applied
    i64 at;
    u32 reason, target;
    place name, variant;
} stop;

typedef struct {
    const u8 *next, *end;
    bool is_cut;
} reader;

typedef struct { // what any of the queries may give
    const target *to;  // NULL: of a shard that is not being loaded
    const u8 *end;     // behind the row
    u64 hash;
    u8 pseudonym[PSEUDONYM];
    bool is_unsound, has_customer;
    i64 at, touched_at, amounts[3];
    span campaign_id, variant, id, other_id, model, category, product, tier;
    u8 flag, given;    // given: REVENUE_GIVEN, AUM_GIVEN
    u32 arm, tier_number;
} row;

// -- reading ---------------------------------------------------------------------------------------------------------

static void take(reader *from, void *into, u64 size) {
    if ((u64)(from->end - from->next) < size) {
        from->is_cut = true;
        memset(into, 0, size);
        return;
    }
    memcpy(into, from->next, size);
    from->next += size;
}

static u8 take_byte(reader *from) {
    u8 byte;
    take(from, &byte, 1);
    return byte;
}

static i64 take_number(reader *from) {
    i64 number;
    take(from, &number, sizeof number);
    return number;
}

static span take_text(reader *from) {
    u64 length = 0;
    for (u32 shift = 0; shift < 35; shift += 7) {
        u8 byte = take_byte(from);
        length |= (u64)(byte & 127) << shift;
        if (byte < 128) break;
    }
    span found = {from->next, (u32)length};
    if ((u64)(from->end - from->next) < length) from->is_cut = true;
    else from->next += length;
    return found;
}

static i64 take_optional(reader *from, u8 *given, u8 flag) {
    if (take_byte(from)) return 0; // NULL has no bytes of its own
    *given |= flag;
    return take_number(from);
}

static void take_pseudonym(reader *from, row *given) { // 32 digits
    span text = take_text(from);
    given->has_customer = true;
    if (from->is_cut) return;
    given->is_unsound = text.length != 2 * PSEUDONYM || !pack_digits(text.bytes, given->pseudonym);
}

// The columns behind the shard's number, one letter each; sql/queries/load_*.sql selects them in this order.
static const char *const COLUMNS[QUERIES] = {
    [PROFILES] = "pt", [LOGINS] = "paf", [ENGAGED_BEFORE_HORIZON] = "p", [PAST_REACH] = "pcv", [TOUCH_IDS] = "ia", [TOUCHES_LIVE] = "pcvait",
    [PAST_CONVERSIONS] = "pcvm", [TRANSACTIONS] = "paikx012t", [CREDITS] = "iamcvso678f"};

static void take_row(reader *from, const char *columns, row *given) {
    for (; *columns; columns++) switch (*columns) {
        case 'p': take_pseudonym(from, given); break;
        case 't': given->tier = take_text(from); break;
        case 'c': given->campaign_id = take_text(from); break;
        case 'v': given->variant = take_text(from); break;
        case 'i': given->id = take_text(from); break;
        case 'o': given->other_id = take_text(from); break;
        case 'm': given->model = take_text(from); break;
        case 'k': given->category = take_text(from); break;
        case 'x': given->product = take_byte(from) ? (span){from->next, 0} : take_text(from); break;
        case 'a': given->at = take_number(from); break;
        case 's': given->touched_at = take_number(from); break;
        case 'f': given->flag = take_byte(from); break;
        case '0': case '6': given->amounts[0] = take_number(from); break;
        case '1': given->amounts[1] = take_optional(from, &given->given, REVENUE_GIVEN); break;
        case '2': given->amounts[2] = take_optional(from, &given->given, AUM_GIVEN); break;
        case '7': given->amounts[1] = take_number(from); break;
        case '8': given->amounts[2] = take_number(from); break;
    }
}

// -- what Python has told of -----------------------------------------------------------------------------------------

static u32 name_among(const list *names, span text) {
    for (u32 at = 0; at < names->count; at++)
        if (is_name(ITEM(*names, name, at), text)) return at;
    return NOBODY;
}

static u32 kind_of(span text) {
    for (u32 kind = 0; kind < TRANSACTION_KINDS; kind++)
        if (is_same(TRANSACTION_KIND[kind], text)) return kind;
    return NOBODY;
}

static bool has_instant(const row *given, u32 query, i64 *at) { // something may be counted at it again
    *at = query == CREDITS ? given->touched_at : given->at;
    return query == TOUCHES_LIVE || query == TRANSACTIONS || query == CREDITS;
}

// Finds the numbers of a row's arm and tier; DONE, or what has to be told first.
static u32 resolve(u32 query, row *given, stop *why) {
    const shard *one = given->to->one;
    // longer than a name can be: whoever was told of it would not find it
    if (given->tier.length > LONGEST_NAME || given->campaign_id.length > LONGEST_NAME || given->variant.length > LONGEST_NAME)
        return UNSOUND;
    if (given->tier.bytes) {
        given->tier_number = find_tier(one, given->tier);
        if (given->tier_number == NOBODY) return NEW_TIER;
    }
    if (given->campaign_id.bytes) {
        given->arm = find_arm(one, given->campaign_id.bytes, given->campaign_id.length, given->variant.bytes, given->variant.length);
        if (given->arm == NOBODY) return NEW_ARM;
    }
    return has_instant(given, query, &why->at) && !knows_quarter(one, why->at) ? NEW_QUARTER : DONE;
}

// -- one row ---------------------------------------------------------------------------------------------------------

static u32 apply_credit(shard *one, const row *given) {
    u32 model = name_among(&one->labels, given->model);
    if (model == NOBODY) return UNSOUND;
    u32 number = transaction_with(one, given->id, given->at);
    if (number != NOBODY)
        load_credit(one, number, &(credit){.touched_at = given->touched_at, .return_minor = given->amounts[1], .arm = given->arm,
            .aum_minor = given->amounts[2], .millionths = (u32)given->amounts[0], .model = model}, given->other_id, given->flag);
    return DONE;
}

static u32 apply_transaction(shard *one, u32 who, const row *given) {
    u32 kind = kind_of(given->category);
    if (kind == NOBODY) return UNSOUND;
    load_transaction(one, (transaction){.at = given->at, .amount_minor = given->amounts[0], .revenue_minor = given->amounts[1],
        .customer = who, .tier = given->tier_number, .kind = (u8)kind, .flags = given->given},
        given->id, given->product, given->amounts[2]);
    return DONE;
}

static u32 apply(u32 query, const row *given) {
    shard *one = given->to->one;
    u32 who = given->has_customer ? dormant_with(one, given->hash, given->pseudonym) : NOBODY, model;
    switch (query) {
    case PROFILES: shard_set_tier(one, who, given->tier_number); return DONE;
    case LOGINS: return shard_load_login(one, who, (i32)given->at, given->flag) ? DONE : TOO_OLD;
    case ENGAGED_BEFORE_HORIZON: CUSTOMER(one, who)->engaged_before_horizon = 1; return DONE;
    case PAST_REACH: load_past_reach(one, who, given->arm); return DONE;
    case TOUCH_IDS: load_touch_id(one, given->id, given->at); return DONE;
    case TOUCHES_LIVE:
        load_touch(one, who, given->arm, given->at, given->id);
        if (given->at >= given->to->floor) load_reach(one, who, given->arm, given->at, given->tier_number);
        return DONE;
    case PAST_CONVERSIONS:
        model = name_among(&one->labels, given->model);
        if (model == NOBODY) return UNSOUND;
        load_past_conversion(one, who, given->arm, model);
        return DONE;
    case TRANSACTIONS: return apply_transaction(one, who, given);
    case CREDITS: return apply_credit(one, given);
    }
    return UNSOUND;
}

// -- an answer, part by part -----------------------------------------------------------------------------------------

static const target *target_of(const target *targets, u32 count, u32 number, const target *last) {
    if (last && last->number == number) return last; // rows of one shard mostly stand side by side
    for (u32 at = 0; at < count; at++)
        if (targets[at].number == number) return targets + at;
    return NULL;
}

static place place_in(const u8 *bytes, span text) {
    return text.bytes ? (place){(u32)(text.bytes - bytes), text.length} : (place){0};
}

// Reads some rows ahead of applying them, so that what they need is on its way from memory; returns how many are whole.
static u32 take_rows(reader *rows, u32 query, const target *targets, u32 count, row *given) {
    const target *last = NULL;
    u32 taken = 0;
    for (; taken < GROUP && rows->next < rows->end; taken++) {
        row *one = given + taken;
        u32 number;
        *one = (row){0};
        take(rows, &number, sizeof number);
        take_row(rows, COLUMNS[query], one);
        if (rows->is_cut) break;
        one->end = rows->next;
        one->to = last = target_of(targets, count, number, last);
        if (!one->to || !one->has_customer) continue;
        one->hash = hash_bytes(one->to->one->seed, one->pseudonym, PSEUDONYM);
        expect_slot(&one->to->one->by_pseudonym, one->hash);
    }
    for (u32 at = 0; at < taken; at++)
        if (given[at].to && given[at].has_customer) expect_customer(given[at].to->one, &given[at].to->one->by_pseudonym, given[at].hash);
    return taken;
}

static void stop_before(stop *why, const target *targets, const u8 *bytes, const row *given) {
    if (given->to) why->target = (u32)(given->to - targets);
    why->name = place_in(bytes, why->reason == NEW_TIER ? given->tier : given->campaign_id);
    why->variant = place_in(bytes, given->variant);
}

// Loads the rows of a query from bytes on (less than 4 GB) as far as it can, and says why it has stopped.
EXPORT void load_rows(const target *targets, u32 count, u32 query, const u8 *bytes, u64 size, u64 from, stop *why) {
    reader rows = {.next = bytes + from, .end = bytes + size};
    row given[GROUP];
    *why = (stop){.consumed = from};
    while (rows.next < rows.end && !rows.is_cut) {
        u32 taken = take_rows(&rows, query, targets, count, given);
        for (u32 at = 0; at < taken; at++) {
            why->reason = !given[at].to || given[at].is_unsound ? UNSOUND : resolve(query, given + at, why);
            if (why->reason == DONE) why->reason = apply(query, given + at);
            if (why->reason != DONE) {
                stop_before(why, targets, bytes, given + at);
                return;
            }
            why->consumed = (u64)(given[at].end - bytes);
        }
    }
    if (rows.is_cut) why->reason = CUT;
}

// Lets the loaded credits stand in the numbers, but for those that reversals have eaten altogether.
EXPORT void load_conversions(shard *one) {
    for (u32 number = 0; number < one->transactions.items.count; number++) load_counts(one, number);
}

// Touches: copies told by their ids, first touches of a customer by a campaign, and the transactions that a late one
// credits anew. pipeline/state/customers.py (apply_touches) and memory.py say the same.
#include "core.h"
#include <stdlib.h>

// -- ids -------------------------------------------------------------------------------------------------------------

static seen *seen_with(const shard *one, u64 hash, span id) {
    u32 number;
    for (search by = search_for(&one->touch_id_of, hash); (number = next_number(&by)) != NOBODY;) {
        seen *known = ITEM(one->touch_ids, seen, number);
        if (known->event_id != NO_TEXT && !compare_texts(text_of(one, known->event_id), id)) return known;
    }
    return NULL;
}

// Takes an id in; the newest event of an id is the one that counts. Returns where the id is kept.
static text remember_id(shard *one, seen *known, u64 hash, span id, i64 at) {
    if (known) {
        if (known->at < at) known->at = at;
        return known->event_id;
    }
    text kept = keep_text(one, id.bytes, id.length);
    *(seen *)list_add(&one->touch_ids, 1, sizeof(seen)) = (seen){at, kept};
    table_add(&one->touch_id_of, hash, (u32)(one->touch_ids.count - 1));
    return kept;
}

void load_touch_id(shard *one, span id, i64 at) {
    u64 hash = hash_bytes(one->seed, id.bytes, id.length);
    remember_id(one, seen_with(one, hash, id), hash, id, at);
}

// Drops an id whose event is of that time: it was erased, so a copy would be a new event.
EXPORT void shard_forget_touch_id(shard *one, const u8 *id, u32 length, i64 at) {
    seen *known = seen_with(one, hash_bytes(one->seed, id, length), (span){id, length});
    if (known && known->at == at) known->event_id = NO_TEXT;
}

// Drops the ids of events before the floor, once there are many: nothing in time can be a copy of them.
void forget_touch_ids(shard *one, i64 floor) {
    one->touch_ids_floor = floor;
    if (one->touch_ids.count < one->touch_ids_limit) return;
    u64 kept = 0;
    forget_numbers(&one->touch_id_of);
    for (u64 at = 0; at < one->touch_ids.count; at++) {
        seen known = *ITEM(one->touch_ids, seen, at);
        if (known.event_id == NO_TEXT || known.at < floor) continue;
        span id = text_of(one, known.event_id);
        *ITEM(one->touch_ids, seen, kept) = known;
        table_add(&one->touch_id_of, hash_bytes(one->seed, id.bytes, id.length), (u32)kept++);
    }
    one->touch_ids.count = kept;
    one->touch_ids_limit = kept * 2 + 64;
}

// -- reach -----------------------------------------------------------------------------------------------------------

static u32 reach_by(const shard *one, const account *had, u32 arm_number) { // NOBODY for none
    u32 low = 0, high = count_of(&had->reached);
    BISECT(low, high, middle, REACH(one, NUMBERS(&had->reached)[middle])->arm < arm_number)
    if (low == count_of(&had->reached)) return NOBODY;
    u32 found = NUMBERS(&had->reached)[low];
    return REACH(one, found)->arm == arm_number ? found : NOBODY;
}

static bool is_reach_before(const shard *one, u32 a, u32 b) { return REACH(one, a)->arm < REACH(one, b)->arm; }

static void set_reach(shard *one, account *had, reach first) {
    u32 known = reach_by(one, had, first.arm);
    if (known != NOBODY) {
        *REACH(one, known) = first;
        return;
    }
    u32 fresh = pool_take(&one->reaches, sizeof(reach));
    *REACH(one, fresh) = first;
    insert_number(one, &had->reached, fresh, is_reach_before);
}

enum { NEVER_REACHED, REACHED_LONG_AGO, REACHED_AT };

static bool is_of_campaign(const shard *one, u32 number, u32 campaign_number) { return ARM(one, number)->campaign == campaign_number; }

// Of touches at the same time the tier's name decides, which is stored: neither the order in which they came, nor the numbers
// that arms and tiers have in this process.
static bool is_earlier(const shard *one, i64 at, u32 tier, const reach *than) {
    if (at != than->at || tier == than->tier) return at < than->at;
    const name *a = TIER_NAME(one, tier), *b = TIER_NAME(one, than->tier);
    return compare_texts((span){(const u8 *)a->bytes, a->length}, (span){(const u8 *)b->bytes, b->length}) < 0;
}

static void take_earlier(const shard *one, const reach *known, u32 *found, reach *first) {
    if (*found != NEVER_REACHED && !is_earlier(one, known->at, known->tier, first)) return;
    *first = *known;
    *found = REACHED_AT;
}

static u32 first_reach(const shard *one, const account *had, u32 campaign_number, reach *first) {
    const list *arms = &CAMPAIGN(one, campaign_number)->arms;
    u32 found = NEVER_REACHED;
    if (has_past(one, had, campaign_number, 0)) return REACHED_LONG_AGO;
    if (count_of(&had->reached) < arms->count) {
        for (u32 at = 0; at < count_of(&had->reached); at++) {
            const reach *known = REACH(one, NUMBERS(&had->reached)[at]);
            if (is_of_campaign(one, known->arm, campaign_number)) take_earlier(one, known, &found, first);
        }
    } else
        for (u64 at = 0; at < arms->count; at++) {
            u32 known = reach_by(one, had, *ITEM(*arms, u32, at));
            if (known != NOBODY) take_earlier(one, REACH(one, known), &found, first);
        }
    return found;
}

static void count_creditable(shard *one, u32 owner, u32 number, u32 tier, i64 at, i64 cost_minor) {
    account *had = ACCOUNT(one, owner);
    u32 known = reach_by(one, had, number);
    bool is_past = known == NOBODY && has_number(&had->past, slot_of_reach(one, number)), reaches = false;
    bool reaches_arm = known == NOBODY && !is_past;
    if (!is_past && (known == NOBODY || is_earlier(one, at, tier, REACH(one, known)))) {
        reach first = {0};
        u32 found = first_reach(one, had, ARM(one, number)->campaign, &first);
        set_reach(one, had, (reach){.at = at, .arm = number, .tier = tier});
        reaches = found == NEVER_REACHED || (found == REACHED_AT && is_earlier(one, at, tier, &first));
        if (reaches && found == REACHED_AT) revert_reach(one, number, first.tier, first.at);
    }
    count_touch(one, number, tier, at, 1, cost_minor, reaches_arm, reaches);
}

// An arm has reached the customer by a touch that nothing can precede any more: it has no time.
void load_past_reach(shard *one, u32 who, u32 number) { add_number_to(&open_account(one, who)->past, slot_of_reach(one, number)); }

// A creditable touch by an arm that another may precede, the past reach being loaded: the first of them counts.
void load_reach(shard *one, u32 who, u32 number, i64 at, u32 tier) {
    account *had = open_account(one, who);
    u32 known = reach_by(one, had, number);
    if (known == NOBODY ? has_number(&had->past, slot_of_reach(one, number)) : !is_earlier(one, at, tier, REACH(one, known))) return;
    set_reach(one, had, (reach){.at = at, .arm = number, .tier = tier});
}

// -- live touches ----------------------------------------------------------------------------------------------------

static bool is_touch_before(const shard *one, u32 a, u32 b) { // by campaign, time, id, arm
    const touch *left = TOUCH(one, a), *right = TOUCH(one, b);
    u32 campaign_a = ARM(one, left->arm)->campaign, campaign_b = ARM(one, right->arm)->campaign;
    if (campaign_a != campaign_b) return campaign_a < campaign_b;
    i32 order = compare_events(one, left->at, left->event_id, right->at, right->event_id);
    return order ? order < 0 : left->arm < right->arm;
}

static u32 new_touch(shard *one, i64 at, text event_id, u32 number) {
    u32 fresh = pool_take(&one->touches, sizeof(touch));
    *TOUCH(one, fresh) = (touch){.at = at, .event_id = event_id, .arm = number};
    return fresh;
}

void drop_touch(shard *one, u32 number) { pool_give(&one->touches, sizeof(touch), number); }

// Adds a creditable touch; returns its place among the customer's.
static u32 remember_touch(shard *one, u32 who, i64 at, text event_id, u32 number) {
    u32 fresh = new_touch(one, at, event_id, number);
    account *had = open_account(one, who);
    if (!had->touches.place && !had->transactions.place)
        visit(one, who, at + CAMPAIGN(one, ARM(one, number)->campaign)->window_ms);
    return insert_number(one, &had->touches, fresh, is_touch_before);
}

void load_touch(shard *one, u32 who, u32 number, i64 at, span id) {
    const seen *known = seen_with(one, hash_bytes(one->seed, id.bytes, id.length), id);
    remember_touch(one, who, at, known ? known->event_id : keep_text(one, id.bytes, id.length), number);
}

// Credits the transactions anew that a touch of now may change.
static void credit_touch(shard *one, u32 who, i64 at, text event_id, u32 number) {
    u32 place = remember_touch(one, who, at, event_id, number);
    account *had = ACCOUNT(one, CUSTOMER(one, who)->account);
    u32 count = count_of(&had->transactions);
    if (!count || TRANSACTION(one, NUMBERS(&had->transactions)[count - 1])->at < at) return;
    const campaign *rules = CAMPAIGN(one, ARM(one, number)->campaign);
    i64 last = at + rules->window_ms;
    if (one->only_last_touch && place + 1 < count_of(&had->touches)) {
        // behind the campaign's next touch that one is the later candidate of the two, whatever the transaction
        const touch *following = TOUCH(one, NUMBERS(&had->touches)[place + 1]);
        if (ARM(one, following->arm)->campaign == ARM(one, number)->campaign && following->at - 1 < last) last = following->at - 1;
    }
    for (u32 next = first_transaction_since(one, had, at); next < count; next++) {
        u32 credited = NUMBERS(&had->transactions)[next];
        const transaction *candidate = TRANSACTION(one, credited);
        if (candidate->at > last) break;
        if (!matches(one, rules, candidate)) continue;
        if (one->only_last_touch && candidate->credits != NOBODY) {
            const credit *given = CREDIT(one, candidate->credits);
            if (compare_events(one, given->touched_at, given->touch_id, at, event_id) > 0) continue;
        }
        share_credit(one, credited, &had->touches);
    }
}

// -- batches ---------------------------------------------------------------------------------------------------------

static void note_touch(shard *one, const u8 *texts, const touch_row *row, i64 offset, bool is_creditable) {
    sheet *facts = &one->sheets[TOUCH_SHEET];
    const customer *who = CUSTOMER(one, row->head.customer);
    const arm *by = ARM(one, row->arm);
    facts->count++;
    add_name(&facts->columns[CAMPAIGN_COLUMN], &CAMPAIGN(one, by->campaign)->id);
    add_name(&facts->columns[LABEL_COLUMN], &by->variant);
    add_number(&facts->columns[AT_COLUMN], row->head.at);
    add_text(&facts->columns[ID_COLUMN], texts + row->event_id.begin, row->event_id.length);
    add_hex(&facts->columns[CUSTOMER_COLUMN], who->pseudonym, PSEUDONYM);
    add_name(&facts->columns[TIER_COLUMN], TIER_NAME(one, who->tier));
    add_text(&facts->columns[CHANNEL_COLUMN], texts + row->channel.begin, row->channel.length);
    add_span(&facts->columns[CATEGORY_COLUMN], TOUCH_KIND[row->head.kind]);
    add_byte(&facts->columns[FLAGS_COLUMN], row->head.flags | (is_creditable ? CREDITABLE : 0));
    add_number(&facts->columns[MEASURES_COLUMN], row->cost_minor);
    add_number(&facts->columns[SOURCE_COLUMN], offset);
}

// Counts a batch's touches, whose customers and arms are known, from a row on. `floors` are those before each record; it
// may be missing until an id is met again: then the rows before that one are counted, and its number is returned.
// `is_new` tells copies (0) from what has counted (1). Returns the number of rows when all are done.
EXPORT u32 shard_apply_touches(shard *one, const u8 *texts, const touch_row *rows, const i64 *offsets, u32 from, u32 count,
                               const i64 *floors, u8 *is_new) {
    for (u32 number = from; number < count; number++) {
        const touch_row *row = rows + number;
        span id = {texts + row->event_id.begin, row->event_id.length};
        u64 hash = hash_bytes(one->seed, id.bytes, id.length);
        seen *known = seen_with(one, hash, id);
        if (known && !floors) return number;
        is_new[number] = !known || known->at < floors[number];
        if (!is_new[number]) continue;
        text event_id = remember_id(one, known, hash, id, row->head.at);
        u32 who = row->head.customer, tier = CUSTOMER(one, who)->tier;
        bool is_creditable = row->head.kind != ASSIGN && !ARM(one, row->arm)->is_control;
        note_touch(one, texts, row, offsets[number], is_creditable);
        if (is_creditable) {
            count_creditable(one, account_of(one, who), row->arm, tier, row->head.at, row->cost_minor);
            credit_touch(one, who, row->head.at, event_id, row->arm);
        } else count_touch(one, row->arm, tier, row->head.at, 0, row->cost_minor, false, false);
    }
    return count;
}

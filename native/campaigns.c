// Campaigns, arms, models and the calendar as Python has told of them (pipeline/native/campaigns.py): things by number.
#include "core.h"
#include <stdlib.h>

static void set_name(name *given, const u8 *bytes, u32 length) {
    if (length > sizeof given->bytes) abort(); // tokens are far shorter; a name cut off would be another one's
    given->length = (u8)length;
    memcpy(given->bytes, bytes, length);
}

// -- campaigns ---------------------------------------------------------------------------------------------------------

// Takes a campaign's rules, without products; a number that is not known yet is the next one.
EXPORT void shard_define_campaign(shard *one, u32 number, i64 window_ms, u32 kinds, i64 min_amount_minor,
                                  const i64 *margins_bps, bool any_product, const u8 *id, u32 length) {
    if (number > one->campaigns.count) abort();
    if (number == one->campaigns.count) memset(list_add(&one->campaigns, 1, sizeof(campaign)), 0, sizeof(campaign));
    campaign *defined = CAMPAIGN(one, number);
    defined->window_ms = window_ms;
    defined->min_amount_minor = min_amount_minor;
    memcpy(defined->margins_bps, margins_bps, sizeof defined->margins_bps);
    defined->kinds = kinds;
    defined->any_product = any_product;
    defined->products.count = 0;
    set_name(&defined->id, id, length);
}

EXPORT void shard_add_campaign_product(shard *one, u32 number, const u8 *bytes, u32 length) {
    set_name(list_add(&CAMPAIGN(one, number)->products, 1, sizeof(name)), bytes, length);
}

// -- arms --------------------------------------------------------------------------------------------------------------

static u64 hash_of_arm(const shard *one, const u8 *id, u32 id_length, const u8 *variant, u32 length) {
    return hash_bytes(hash_bytes(one->seed, id, id_length), variant, length);
}

EXPORT u32 shard_add_arm(shard *one, u32 campaign_number, bool is_control, const u8 *variant, u32 length) {
    u32 number = (u32)one->arms.count;
    arm *fresh = list_add(&one->arms, 1, sizeof(arm));
    campaign *of = CAMPAIGN(one, campaign_number);
    fresh->campaign = campaign_number;
    fresh->is_control = is_control;
    set_name(&fresh->variant, variant, length);
    *(u32 *)list_add(&of->arms, 1, sizeof(u32)) = number;
    table_add(&one->arm_of, hash_of_arm(one, (const u8 *)of->id.bytes, of->id.length, variant, length), number);
    return number;
}

EXPORT void shard_set_control(shard *one, u32 number, bool is_control) { ARM(one, number)->is_control = is_control; }

u32 find_arm(const shard *one, const u8 *id, u32 id_length, const u8 *variant, u32 length) {
    u32 number;
    for (search by = search_for(&one->arm_of, hash_of_arm(one, id, id_length, variant, length)); (number = next_number(&by)) != NOBODY;) {
        const arm *known = ARM(one, number);
        if (is_name(&known->variant, (span){variant, length}) && is_name(&CAMPAIGN(one, known->campaign)->id, (span){id, id_length})) break;
    }
    return number;
}

// Notes in a batch's rows which arm each touch is of, NOBODY for one not told of yet; returns how many those are.
EXPORT u32 shard_find_arms(const shard *one, const u8 *texts, touch_row *rows, u32 count) {
    u32 unknown = 0;
    for (u32 number = 0; number < count; number++) {
        touch_row *row = rows + number;
        row->arm = find_arm(one, texts + row->campaign_id.begin, row->campaign_id.length, texts + row->variant.begin,
                            row->variant.length);
        unknown += row->arm == NOBODY;
    }
    return unknown;
}

// -- models ------------------------------------------------------------------------------------------------------------

// Adds an attribution model, by what the ledger calls it; the first one decides.
EXPORT void shard_add_label(shard *one, const u8 *bytes, u32 length) {
    set_name(list_add(&one->labels, 1, sizeof(name)), bytes, length);
    if (one->labels.count > MOST_MODELS) abort();
    one->models = (u32)one->labels.count;
    cells_add_model(one->cells);
}

// -- calendar ----------------------------------------------------------------------------------------------------------

i64 floor_divide(i64 number, i64 by) {
    i64 quotient = number / by;
    return quotient - (number % by < 0);
}

static const quarter *find_quarter(const shard *one, i64 number, u64 hash) {
    u32 place;
    for (search by = search_for(&one->quarter_of, hash); (place = next_number(&by)) != NOBODY;) {
        const quarter *known = ITEM(one->quarters, quarter, place);
        if (known->number == number) return known;
    }
    return NULL;
}

static u64 hash_of_quarter(const shard *one, i64 number) { return hash_bytes(one->seed, &number, sizeof number); }

// Whether the quarter of an instant is known, and the one in which its hour begins: minutes are summed up there.
bool knows_quarter(const shard *one, i64 at) {
    i64 number = floor_divide(at, QUARTER_MS);
    const quarter *known = find_quarter(one, number, hash_of_quarter(one, number));
    if (!known) return false;
    i64 first = floor_divide(known->hour * SECOND_MS, QUARTER_MS);
    return find_quarter(one, first, hash_of_quarter(one, first)) != NULL;
}

// Tells the business days of quarters of an hour, and the starts of the hours that they lie in (epoch seconds).
EXPORT void shard_add_quarters(shard *one, const quarter *told, u32 count) {
    for (u32 at = 0; at < count; at++) {
        u64 hash = hash_of_quarter(one, told[at].number);
        if (find_quarter(one, told[at].number, hash)) continue;
        *(quarter *)list_add(&one->quarters, 1, sizeof(quarter)) = told[at];
        table_add(&one->quarter_of, hash, (u32)(one->quarters.count - 1));
    }
}

const quarter *quarter_of(const shard *one, i64 at) {
    i64 number = floor_divide(at, QUARTER_MS);
    const quarter *found = find_quarter(one, number, hash_of_quarter(one, number));
    if (!found) abort();
    return found;
}

// Credits in force and who counts as a converter because of them: pipeline/state/conversions.py once more.
#include "core.h"
#include <stdlib.h>

// -- converters: a customer's credited transactions by slot (arm and model), the first of which dates the converter ------

static u32 conversion_of(const shard *one, const account *had, u32 slot) { // NOBODY for none
    u32 low = 0, high = count_of(&had->converted);
    BISECT(low, high, middle, CONVERSION(one, NUMBERS(&had->converted)[middle])->slot < slot)
    if (low == count_of(&had->converted)) return NOBODY;
    u32 found = NUMBERS(&had->converted)[low];
    return CONVERSION(one, found)->slot == slot ? found : NOBODY;
}

static bool is_conversion_before(const shard *one, u32 a, u32 b) { return CONVERSION(one, a)->slot < CONVERSION(one, b)->slot; }

bool is_transaction_before(const shard *one, u32 a, u32 b) { // by time, then event id
    const transaction *left = TRANSACTION(one, a), *right = TRANSACTION(one, b);
    return compare_events(one, left->at, left->event_id, right->at, right->event_id) < 0;
}

static void insert_conversion(shard *one, account *had, u32 number, u32 slot) {
    u32 known = conversion_of(one, had, slot);
    if (known == NOBODY) {
        known = pool_take(&one->conversions, sizeof(conversion));
        CONVERSION(one, known)->slot = slot;
        insert_number(one, &had->converted, known, is_conversion_before);
    }
    insert_number(one, &CONVERSION(one, known)->transactions, number, is_transaction_before);
}

static void remove_conversion(shard *one, account *had, u32 number, u32 slot) {
    u32 known = conversion_of(one, had, slot);
    if (known == NOBODY) return;
    numbers *paid = &CONVERSION(one, known)->transactions;
    take_out(paid, ordered_place(one, paid, number, is_transaction_before));
    if (paid->place) return;
    take_out(&had->converted, ordered_place(one, &had->converted, known, is_conversion_before));
    pool_give(&one->conversions, sizeof(conversion), known);
}

// Whether a slot counts a transaction already.
static bool has_converted(const shard *one, const account *had, u32 number, u32 slot) {
    u32 known = conversion_of(one, had, slot);
    if (known == NOBODY) return false;
    const numbers *paid = &CONVERSION(one, known)->transactions;
    u32 place = ordered_place(one, paid, number, is_transaction_before);
    return place < count_of(paid) && NUMBERS(paid)[place] == number;
}

static bool is_slot_of(const shard *one, u32 slot, u32 campaign_number, u32 model) {
    return slot == slot_of(one, arm_of_slot(one, slot), model) && ARM(one, arm_of_slot(one, slot))->campaign == campaign_number;
}

static u32 earlier(const shard *one, u32 known, u32 first) {
    u32 number = *NUMBERS(&CONVERSION(one, known)->transactions);
    return first == NOBODY || is_transaction_before(one, number, first) ? number : first;
}

// The first live transaction a campaign is credited with under a model, NOBODY for none; callers rule out a past one.
// The shorter list is gone through: a campaign may have as many arms as customers, if a producer is at fault.
static u32 first_credited(const shard *one, const account *had, u32 campaign_number, u32 model) {
    const list *arms = &CAMPAIGN(one, campaign_number)->arms;
    u32 first = NOBODY;
    if (count_of(&had->converted) < arms->count) {
        for (u32 at = 0; at < count_of(&had->converted); at++) {
            u32 known = NUMBERS(&had->converted)[at];
            if (is_slot_of(one, CONVERSION(one, known)->slot, campaign_number, model)) first = earlier(one, known, first);
        }
    } else
        for (u64 at = 0; at < arms->count; at++) {
            u32 known = conversion_of(one, had, slot_of(one, *ITEM(*arms, u32, at), model));
            if (known != NOBODY) first = earlier(one, known, first);
        }
    return first;
}

static void date_converter(shard *one, const account *had, u32 arm_number, u32 model, u32 before) {
    u32 campaign_number = ARM(one, arm_number)->campaign;
    if (has_past(one, had, campaign_number, 1 + model)) return;
    u32 after = first_credited(one, had, campaign_number, model);
    if (before == after) return;
    if (before != NOBODY) count_conversion(one, model, arm_number, TRANSACTION(one, before)->tier, TRANSACTION(one, before)->at, -1);
    if (after != NOBODY) count_conversion(one, model, arm_number, TRANSACTION(one, after)->tier, TRANSACTION(one, after)->at, 1);
}

static bool counts_already(const shard *one, const account *had, u32 slot) {
    return conversion_of(one, had, slot) != NOBODY || has_number(&had->past, slot);
}

static void join(shard *one, u32 number, u32 slot) {
    account *had = ACCOUNT(one, CUSTOMER(one, TRANSACTION(one, number)->customer)->account);
    u32 arm_number = slot / (one->models + 1) - 1, model = slot % (one->models + 1) - 1;
    u32 before = first_credited(one, had, ARM(one, arm_number)->campaign, model);
    if (!counts_already(one, had, slot)) count_arm_conversion(one, model, arm_number, 1);
    insert_conversion(one, had, number, slot);
    date_converter(one, had, arm_number, model, before);
}

static void leave(shard *one, u32 number, u32 slot) {
    account *had = ACCOUNT(one, CUSTOMER(one, TRANSACTION(one, number)->customer)->account);
    u32 arm_number = slot / (one->models + 1) - 1, model = slot % (one->models + 1) - 1;
    u32 before = first_credited(one, had, ARM(one, arm_number)->campaign, model);
    remove_conversion(one, had, number, slot);
    if (!counts_already(one, had, slot)) count_arm_conversion(one, model, arm_number, -1);
    date_converter(one, had, arm_number, model, before);
}

// -- what becomes of credits in this block -----------------------------------------------------------------------------

enum { RECENT_CHANGES = 8 };

// One of the last changes, if it is that of this credit: one transaction's come together, once for each model.
static u32 recent_change(const shard *one, const transaction *paid, const credit *given) {
    u64 count = one->credit_changes.count;
    for (u64 at = count; at-- > 0 && count - at <= RECENT_CHANGES;) {
        const credit_change *known = ITEM(one->credit_changes, credit_change, at);
        if (known->transaction_id == paid->event_id && known->touch_id == given->touch_id && known->arm == given->arm) return (u32)at;
    }
    return NOBODY;
}

// The change of a transaction's credit by a touch, whatever the model: one row of the ledger.
static u32 change_of(shard *one, u32 number, const credit *given) {
    u32 recent = recent_change(one, TRANSACTION(one, number), given);
    if (recent != NOBODY) return recent;
    struct { u64 id; u32 transaction, arm; } key = {0};
    span id = text_of(one, given->touch_id);
    key.id = hash_bytes(one->seed, id.bytes, id.length);
    key.transaction = number;
    key.arm = given->arm;
    u64 hash = hash_bytes(one->seed, &key, sizeof key);
    const transaction *paid = TRANSACTION(one, number);
    u32 place;
    for (search by = search_for(&one->change_of_credit, hash); (place = next_number(&by)) != NOBODY;) {
        const credit_change *known = ITEM(one->credit_changes, credit_change, place);
        if (known->transaction_id == paid->event_id && known->arm == given->arm &&
            !compare_texts(text_of(one, known->touch_id), id))
            return place;
    }
    credit_change *fresh = list_add(&one->credit_changes, 1, sizeof(credit_change));
    *fresh = (credit_change){.converted_at = paid->at, .transaction_id = paid->event_id, .touch_id = given->touch_id,
        .arm = given->arm, .tier = paid->tier, .kind = paid->kind};
    memcpy(fresh->pseudonym, CUSTOMER(one, paid->customer)->pseudonym, PSEUDONYM);
    place = (u32)(one->credit_changes.count - 1);
    table_add(&one->change_of_credit, hash, place);
    memset(list_add(&one->standings, one->models, sizeof(standing)), 0, one->models * sizeof(standing));
    return place;
}

// Notes what a credit stands at under its model. The other models' are noted too wherever they change: `replace` takes
// back and gives those of all models.
static void note_standing(shard *one, u32 number, const credit *given, standing now) {
    u64 first = (u64)change_of(one, number, given) * one->models;
    now.touched_at = given->touched_at; // each model's own: of an id that came again two may share under different models
    *ITEM(one->standings, standing, first + given->model) = now;
}

static void book(shard *one, u32 number, const credit *given, i64 sign) {
    const transaction *paid = TRANSACTION(one, number);
    book_credit(one, given->model, given->arm, paid->tier, paid->at, given->touched_at, sign * given->millionths,
                sign * given->return_minor, sign * given->aum_minor);
}

static void take_back(shard *one, u32 number, const credit *given) {
    if (TRANSACTION(one, number)->counts) book(one, number, given, -1);
    note_standing(one, number, given, (standing){0});
}

static void give(shard *one, u32 number, const credit *given, bool counts) {
    if (counts) book(one, number, given, 1);
    note_standing(one, number, given, (standing){.millionths = counts ? given->millionths : 0, .booked = given->millionths,
        .return_minor = given->return_minor, .aum_minor = given->aum_minor});
}

// -- replacing ---------------------------------------------------------------------------------------------------------

static u32 new_credit(shard *one, const credit *given) {
    u32 fresh = pool_take(&one->credits, sizeof(credit));
    *CREDIT(one, fresh) = *given;
    CREDIT(one, fresh)->next = NOBODY;
    return fresh;
}

void drop_credits(shard *one, u32 number) {
    for (u32 at = TRANSACTION(one, number)->credits, next; at != NOBODY; at = next) {
        next = CREDIT(one, at)->next;
        pool_give(&one->credits, sizeof(credit), at);
    }
    TRANSACTION(one, number)->credits = NOBODY;
}

static bool are_offered_again(const shard *one, const transaction *paid) {
    u64 at = 0;
    u32 had = paid->credits;
    for (; had != NOBODY && at < one->offered.count; had = CREDIT(one, had)->next, at++) {
        const credit *old = CREDIT(one, had), *now = ITEM(one->offered, credit, at);
        if (old->model != now->model || old->arm != now->arm || old->millionths != now->millionths ||
            old->return_minor != now->return_minor || old->aum_minor != now->aum_minor ||
            compare_events(one, old->touched_at, old->touch_id, now->touched_at, now->touch_id))
            return false;
    }
    return had == NOBODY && at == one->offered.count;
}

static u32 slot_of_credit(const shard *one, const credit *given) { return slot_of(one, given->arm, given->model); }

// Puts the offered credits in the place of a transaction's old ones; they count while it has an effect.
static void replace(shard *one, u32 number) {
    transaction *paid = TRANSACTION(one, number);
    bool counted = paid->counts, counts = reversed_minor(one, paid) == NOT_REVERSED || reversed_minor(one, paid) < paid->amount_minor;
    if (counted == counts && are_offered_again(one, paid)) return;
    numbers old = {0}, new = {0};
    for (u32 at = paid->credits; at != NOBODY; at = CREDIT(one, at)->next) {
        take_back(one, number, CREDIT(one, at));
        if (counted) add_number_to(&old, slot_of_credit(one, CREDIT(one, at)));
    }
    drop_credits(one, number);
    paid->counts = counts;
    for (u64 at = one->offered.count; at-- > 0;) { // the first one ends up in front
        u32 fresh = new_credit(one, ITEM(one->offered, credit, at));
        CREDIT(one, fresh)->next = paid->credits;
        paid->credits = fresh;
    }
    for (u64 at = 0; at < one->offered.count; at++) {
        const credit *given = ITEM(one->offered, credit, at);
        give(one, number, given, counts);
        if (counts) add_number_to(&new, slot_of_credit(one, given));
    }
    for (u32 at = 0; at < count_of(&old); at++)
        if (!has_number(&new, NUMBERS(&old)[at])) leave(one, number, NUMBERS(&old)[at]);
    for (u32 at = 0; at < count_of(&new); at++)
        if (!has_number(&old, NUMBERS(&new)[at])) join(one, number, NUMBERS(&new)[at]);
    drop_numbers(&old);
    drop_numbers(&new);
}

// Shares a transaction's credit anew over its customer's touches.
void share_credit(shard *one, u32 number, const numbers *touches) {
    offer_credits(one, TRANSACTION(one, number), touches);
    if (TRANSACTION(one, number)->credits != NOBODY || one->offered.count) replace(one, number);
}

// Prices a transaction's credits anew after a reversal.
void reprice_credit(shard *one, u32 number) {
    if (TRANSACTION(one, number)->credits == NOBODY) return;
    offer_repriced(one, TRANSACTION(one, number));
    replace(one, number);
}

// Folds a transaction that nothing can change any more into its customer's past.
void fold_into_past(shard *one, u32 number) {
    const transaction *paid = TRANSACTION(one, number);
    account *had = ACCOUNT(one, CUSTOMER(one, paid->customer)->account);
    for (u32 at = paid->credits; paid->counts && at != NOBODY; at = CREDIT(one, at)->next) {
        u32 slot = slot_of_credit(one, CREDIT(one, at));
        if (!has_converted(one, had, number, slot)) continue; // done: its slot's other credit
        add_number_to(&had->past, slot);
        remove_conversion(one, had, number, slot);
    }
}

// -- loading -----------------------------------------------------------------------------------------------------------

enum { NO_CREDIT, COUNTS, EATEN }; // what `counts` says while credits are being loaded

static bool is_credit_before(const void *context, u32 left, u32 right) { // by model, time, id, arm
    const shard *one = context;
    const credit *a = CREDIT(one, left), *b = CREDIT(one, right);
    if (a->model != b->model) return a->model < b->model;
    i32 order = compare_events(one, a->touched_at, a->touch_id, b->touched_at, b->touch_id);
    return order ? order < 0 : a->arm < b->arm;
}

// A stored credit of a loaded transaction; `counts` is false for those that reversals have eaten altogether. They come in
// any order, and one transaction may have very many: `load_counts` sorts them once.
void load_credit(shard *one, u32 number, const credit *given, span touch_id, bool counts) {
    u32 fresh = new_credit(one, given);
    transaction *paid = TRANSACTION(one, number);
    CREDIT(one, fresh)->touch_id = keep_text(one, touch_id.bytes, touch_id.length);
    CREDIT(one, fresh)->next = paid->credits;
    paid->credits = fresh;
    paid->counts = counts && paid->counts != EATEN ? COUNTS : EATEN;
}

static void sort_credits(shard *one, u32 number) {
    transaction *paid = TRANSACTION(one, number);
    if (paid->credits == NOBODY || CREDIT(one, paid->credits)->next == NOBODY) return;
    u32 count = 0;
    one->spare.count = 0;
    for (u32 at = paid->credits; at != NOBODY; at = CREDIT(one, at)->next, count++) *(u32 *)list_add(&one->spare, 1, sizeof(u32)) = at;
    u32 *spare = list_add(&one->spare, count, sizeof(u32)); // behind them, as room to sort
    u32 *sorted = ITEM(one->spare, u32, 0);
    sort_numbers(sorted, spare, count, is_credit_before, one);
    paid->credits = NOBODY;
    for (u32 at = count; at-- > 0; paid->credits = sorted[at]) CREDIT(one, sorted[at])->next = paid->credits;
}

// Lets the loaded credits of a transaction stand in the numbers, without booking them again.
void load_counts(shard *one, u32 number) {
    if (TRANSACTION(one, number)->counts == NO_CREDIT) return; // number 0 is nobody's, too
    sort_credits(one, number);
    bool counts = TRANSACTION(one, number)->counts == COUNTS;
    TRANSACTION(one, number)->counts = counts;
    if (!counts) return;
    account *had = ACCOUNT(one, CUSTOMER(one, TRANSACTION(one, number)->customer)->account);
    for (u32 at = TRANSACTION(one, number)->credits; at != NOBODY; at = CREDIT(one, at)->next) {
        u32 slot = slot_of_credit(one, CREDIT(one, at));
        if (!has_converted(one, had, number, slot)) insert_conversion(one, had, number, slot);
    }
}

void load_past_conversion(shard *one, u32 who, u32 arm_number, u32 model) {
    account *had = open_account(one, who);
    add_number_to(&had->past, slot_of(one, arm_number, model));
}

// -- out ---------------------------------------------------------------------------------------------------------------

// Writes the credits that have changed since the last call into their sheet, as they stand now. Nothing of the block
// refers to texts then, so they may be tidied up.
EXPORT void shard_drain_credits(shard *one) {
    sheet *rows = &one->sheets[CREDIT_SHEET];
    for (u64 at = 0; at < one->credit_changes.count; at++) {
        const credit_change *row = ITEM(one->credit_changes, credit_change, at);
        const arm *by = ARM(one, row->arm);
        rows->count++;
        add_name(&rows->columns[CAMPAIGN_COLUMN], &CAMPAIGN(one, by->campaign)->id);
        add_name(&rows->columns[LABEL_COLUMN], &by->variant);
        add_number(&rows->columns[AT_COLUMN], row->converted_at);
        add_span(&rows->columns[ID_COLUMN], text_of(one, row->transaction_id));
        add_span(&rows->columns[OTHER_ID_COLUMN], text_of(one, row->touch_id));
        add_name(&rows->columns[MODEL_COLUMN], ITEM(one->labels, name, 0)); // the row holds what every model gives
        add_hex(&rows->columns[CUSTOMER_COLUMN], row->pseudonym, PSEUDONYM);
        add_name(&rows->columns[TIER_COLUMN], TIER_NAME(one, row->tier));
        add_span(&rows->columns[CATEGORY_COLUMN], TRANSACTION_KIND[row->kind]);
    }
    u64 size = one->standings.count * sizeof(standing);
    if (size) memcpy(list_add(&rows->columns[MEASURES_COLUMN], size, 1), one->standings.items, size);
    one->credit_changes.count = one->standings.count = 0;
    forget_numbers(&one->change_of_credit);
    compact_texts(one);
}

// Transactions, and the index of transactions and reversals by their ids: it tells copies, and who is meant by a reversal.
// pipeline/state/customers.py (apply_transactions) and reversals.py say the same.
#include "core.h"
#include <stdlib.h>

// -- events by id: a number is twice a transaction's, or twice a reversal's and one. Those of one id stand side by side;
// what has gone stays in the table until it is made anew (`forget_events`), and is passed over.

static bool is_reversal(u32 event) { return event & 1; }

static bool has_id(const shard *one, u32 event, span id) {
    if (is_reversal(event)) {
        const reversal *known = REVERSAL(one, event / 2);
        return known->is_live && !compare_texts(text_of(one, known->event_id), id);
    }
    const transaction *known = TRANSACTION(one, event / 2);
    return known->is_live && !compare_texts(text_of(one, known->event_id), id);
}

static i64 time_of(const shard *one, u32 event) {
    return is_reversal(event) ? REVERSAL(one, event / 2)->at : TRANSACTION(one, event / 2)->at;
}

static u32 next_with_id(const shard *one, search *by, span id) { // NOBODY behind the last
    u32 event;
    while ((event = next_number(by)) != NOBODY && !has_id(one, event, id)) continue;
    return event;
}

// The time of the newest event of an id, which tells copies; false if none is known.
static bool newest_time(const shard *one, u64 hash, span id, i64 *newest) {
    bool found = false;
    u32 event;
    for (search by = search_for(&one->event_of, hash); (event = next_with_id(one, &by, id)) != NOBODY;) {
        i64 time = time_of(one, event);
        *newest = found && *newest > time ? *newest : time;
        found = true;
    }
    return found;
}

// -- reversals -------------------------------------------------------------------------------------------------------

static bool applies(const shard *one, const reversal *given, const transaction *paid) {
    i64 behind = given->at - paid->at;
    return paid->customer == given->customer && behind >= 0 && behind <= one->reversal_ms;
}

static extras *extras_of(shard *one, transaction *paid) {
    if (!paid->extras) {
        paid->extras = pool_take(&one->extras, sizeof(extras));
        EXTRAS(one, paid->extras)->reversed_minor = NOT_REVERSED;
    }
    return EXTRAS(one, paid->extras);
}

static void take_off(shard *one, transaction *paid, i64 amount_minor) { // what is beyond a transaction's amount changes nothing more
    extras *of = extras_of(one, paid);
    i64 before = of->reversed_minor == NOT_REVERSED ? 0 : of->reversed_minor;
    of->reversed_minor = before > INT64_MAX / 2 ? before : before + amount_minor;
}

static original *awaited(const shard *one, u64 hash, span id) {
    u32 number;
    for (search by = search_for(&one->original_of, hash); (number = next_number(&by)) != NOBODY;) {
        original *known = ITEM(one->originals, original, number);
        if (!compare_texts(text_of(one, known->id), id)) return known;
    }
    return NULL;
}

static void begin_waiting(shard *one, u32 number) {
    text named = REVERSAL(one, number)->original_id;
    span id = text_of(one, named);
    u64 hash = hash_bytes(one->seed, id.bytes, id.length);
    original *known = awaited(one, hash, id);
    if (!known) {
        known = list_add(&one->originals, 1, sizeof(original));
        *known = (original){.id = named, .first = NOBODY};
        table_add(&one->original_of, hash, (u32)(one->originals.count - 1));
    }
    REVERSAL(one, number)->next_waiting = known->first;
    known->first = number;
}

// Makes the index of those that wait anew: some of them have been given a verdict, or have gone.
void wait_anew(shard *one) {
    u64 kept = 0;
    forget_numbers(&one->original_of);
    one->originals.count = 0;
    for (u64 at = 0; at < one->waiting.count; at++) {
        u32 number = *ITEM(one->waiting, u32, at);
        reversal *known = REVERSAL(one, number);
        if (!known->is_live || known->is_waiting != WAITING) continue;
        known->is_waiting = LISTED; // a number may stand there twice, if it has been given again
        *ITEM(one->waiting, u32, kept++) = number;
    }
    one->waiting.count = kept;
    for (u64 at = 0; at < kept; at++) {
        u32 number = *ITEM(one->waiting, u32, at);
        REVERSAL(one, number)->is_waiting = WAITING;
        begin_waiting(one, number);
    }
}

// Lets the reversals that came before a transaction take off what they name it for; true if there were some.
static bool meet_waiting(shard *one, u32 number, u64 hash) {
    transaction *paid = TRANSACTION(one, number);
    if (!one->waiting.count) return false;
    original *known = awaited(one, hash, text_of(one, paid->event_id));
    if (!known) return false;
    bool met = false;
    for (u32 *link = &known->first; *link != NOBODY;) {
        reversal *given = REVERSAL(one, *link);
        if (!applies(one, given, paid)) {
            link = &given->next_waiting;
            continue;
        }
        *link = given->next_waiting;
        given->is_waiting = false;
        take_off(one, paid, given->amount_minor);
        met = true;
    }
    return met;
}

static u32 original_of(const shard *one, const reversal *given) { // of an id's transactions at most one is near enough
    span id = text_of(one, given->original_id);
    u64 hash = hash_bytes(one->seed, id.bytes, id.length);
    u32 event;
    for (search by = search_for(&one->event_of, hash); (event = next_with_id(one, &by, id)) != NOBODY;)
        if (!is_reversal(event) && applies(one, given, TRANSACTION(one, event / 2))) return event / 2;
    return NOBODY;
}

// Takes a reversal in; returns the transaction it takes something off, NOBODY while that is not known.
static u32 reverse(shard *one, reversal given) {
    u32 fresh = pool_take(&one->reversals, sizeof(reversal)), number = original_of(one, &given);
    span id = text_of(one, given.event_id);
    given.is_live = true;
    given.is_waiting = number == NOBODY ? WAITING : 0;
    given.next_waiting = NOBODY;
    *REVERSAL(one, fresh) = given;
    table_add(&one->event_of, hash_bytes(one->seed, id.bytes, id.length), fresh * 2 + 1);
    if (number != NOBODY) {
        take_off(one, TRANSACTION(one, number), given.amount_minor);
        return number;
    }
    *(u32 *)list_add(&one->waiting, 1, sizeof(u32)) = fresh;
    begin_waiting(one, fresh);
    return NOBODY;
}

// -- transactions ----------------------------------------------------------------------------------------------------

u32 first_transaction_since(const shard *one, const account *had, i64 at) {
    u32 low = 0, high = count_of(&had->transactions);
    BISECT(low, high, middle, TRANSACTION(one, NUMBERS(&had->transactions)[middle])->at < at)
    return low;
}

// What is not given of the two changes nothing, and takes no memory.
static void add_extras(shard *one, transaction *given, span product, i64 aum_delta_minor) {
    if (given->flags & AUM_GIVEN) extras_of(one, given)->aum_delta_minor = aum_delta_minor;
    if (product.length) extras_of(one, given)->product = keep_text(one, product.bytes, product.length);
}

static u32 remember_transaction(shard *one, transaction given, u64 hash) {
    u32 fresh = pool_take(&one->transactions, sizeof(transaction));
    given.is_live = true;
    given.credits = NOBODY;
    *TRANSACTION(one, fresh) = given;
    table_add(&one->event_of, hash, fresh * 2);
    account *had = open_account(one, given.customer);
    if (!had->touches.place && !had->transactions.place) visit(one, given.customer, given.at + one->reversal_ms);
    insert_number(one, &had->transactions, fresh, is_transaction_before);
    return fresh;
}

void drop_transaction(shard *one, u32 number) {
    u32 gone = TRANSACTION(one, number)->extras;
    drop_credits(one, number);
    if (gone) pool_give(&one->extras, sizeof(extras), gone);
    pool_give(&one->transactions, sizeof(transaction), number);
}

static void note_adjustment(shard *one, u32 number) {
    sheet *rows = &one->sheets[ADJUSTMENT_SHEET];
    const transaction *paid = TRANSACTION(one, number);
    rows->count++;
    add_number(&rows->columns[AT_COLUMN], paid->at);
    add_span(&rows->columns[ID_COLUMN], text_of(one, paid->event_id));
    add_number(&rows->columns[MEASURES_COLUMN], effective_minor(one, paid));
}

// -- batches ---------------------------------------------------------------------------------------------------------

static void add_place(list *column, const u8 *texts, place of) { add_text(column, texts + of.begin, of.length); }

static void note_transaction(shard *one, const u8 *texts, const transaction_row *row, i64 offset) {
    sheet *facts = &one->sheets[TRANSACTION_SHEET];
    const customer *who = CUSTOMER(one, row->head.customer);
    facts->count++;
    add_number(&facts->columns[AT_COLUMN], row->head.at);
    add_place(&facts->columns[ID_COLUMN], texts, row->event_id);
    add_place(&facts->columns[OTHER_ID_COLUMN], texts, row->reverses);
    add_hex(&facts->columns[CUSTOMER_COLUMN], who->pseudonym, PSEUDONYM);
    add_name(&facts->columns[TIER_COLUMN], TIER_NAME(one, who->tier));
    add_place(&facts->columns[CHANNEL_COLUMN], texts, row->channel);
    add_span(&facts->columns[CATEGORY_COLUMN], TRANSACTION_KIND[row->head.kind]);
    add_place(&facts->columns[PRODUCT_COLUMN], texts, row->product);
    add_place(&facts->columns[SCENARIO_COLUMN], texts, row->scenario);
    add_byte(&facts->columns[FLAGS_COLUMN], row->head.flags);
    i64 measures[] = {row->amount_minor, row->revenue_minor, row->aum_delta_minor};
    memcpy(list_add(&facts->columns[MEASURES_COLUMN], sizeof measures, 1), measures, sizeof measures);
    add_number(&facts->columns[SOURCE_COLUMN], offset);
}

static void add_transaction(shard *one, const u8 *texts, const transaction_row *row, u64 hash) {
    transaction given = {.at = row->head.at, .amount_minor = row->amount_minor, .revenue_minor = row->revenue_minor,
        .event_id = keep_text(one, texts + row->event_id.begin, row->event_id.length), .customer = row->head.customer,
        .tier = CUSTOMER(one, row->head.customer)->tier, .kind = row->head.kind, .flags = row->head.flags};
    add_extras(one, &given, (span){texts + row->product.begin, row->product.length}, row->aum_delta_minor);
    u32 number = remember_transaction(one, given, hash);
    if (meet_waiting(one, number, hash)) note_adjustment(one, number);
    const account *had = ACCOUNT(one, CUSTOMER(one, given.customer)->account);
    if (had->touches.place) share_credit(one, number, &had->touches);
}

static void add_reversal(shard *one, const u8 *texts, const transaction_row *row, i64 offset) {
    reversal given = {.at = row->head.at, .amount_minor = row->amount_minor, .offset = offset, .customer = row->head.customer,
        .event_id = keep_text(one, texts + row->event_id.begin, row->event_id.length),
        .original_id = keep_text(one, texts + row->reverses.begin, row->reverses.length)};
    u32 number = reverse(one, given);
    if (number == NOBODY) return;
    note_adjustment(one, number);
    reprice_credit(one, number);
}

static u64 hash_of(const shard *one, const u8 *texts, const transaction_row *row) {
    return hash_bytes(one->seed, texts + row->event_id.begin, row->event_id.length);
}

// Fetches what the row two steps on will be looked for among, and what its customer has had, into the processor's cache.
static void expect_rows(const shard *one, const u8 *texts, const transaction_row *rows, u32 left) {
    if (left > 2 * STEP) {
        expect_slot(&one->event_of, hash_of(one, texts, rows + 2 * STEP));
        __builtin_prefetch(CUSTOMER(one, rows[2 * STEP].head.customer));
    }
    if (left > STEP) expect_account(one, rows[STEP].head.customer);
}

// Counts a batch's transactions and reversals, as `shard_apply_touches` does touches.
EXPORT u32 shard_apply_transactions(shard *one, const u8 *texts, const transaction_row *rows, const i64 *offsets, u32 from,
                                    u32 count, const i64 *floors, u8 *is_new) {
    for (u32 number = from; number < count; number++) {
        const transaction_row *row = rows + number;
        expect_rows(one, texts, row, count - number);
        span id = {texts + row->event_id.begin, row->event_id.length};
        u64 hash = hash_of(one, texts, row);
        i64 newest;
        bool is_known = newest_time(one, hash, id, &newest);
        if (is_known && !floors) return number;
        is_new[number] = !is_known || newest + one->reversal_ms < floors[number];
        if (!is_new[number]) continue;
        note_transaction(one, texts, row, offsets[number]);
        if (row->reverses.length) add_reversal(one, texts, row, offsets[number]);
        else add_transaction(one, texts, row, hash);
    }
    return count;
}

// -- loading ---------------------------------------------------------------------------------------------------------

void load_transaction(shard *one, transaction given, span id, span product, i64 aum_delta_minor) {
    given.event_id = keep_text(one, id.bytes, id.length);
    add_extras(one, &given, product, aum_delta_minor);
    remember_transaction(one, given, hash_bytes(one->seed, id.bytes, id.length));
}

// The transaction of an id and time, NOBODY if none is live.
u32 transaction_with(const shard *one, span id, i64 at) {
    u64 hash = hash_bytes(one->seed, id.bytes, id.length);
    u32 event;
    for (search by = search_for(&one->event_of, hash); (event = next_with_id(one, &by, id)) != NOBODY;)
        if (!is_reversal(event) && time_of(one, event) == at) return event / 2;
    return NOBODY;
}

EXPORT void shard_load_reversal(shard *one, u32 who, i64 at, const u8 *id, u32 id_length, const u8 *original, u32 original_length,
                                i64 amount_minor, i64 offset) {
    reverse(one, (reversal){.at = at, .amount_minor = amount_minor, .offset = offset, .customer = who,
        .event_id = keep_text(one, id, id_length), .original_id = keep_text(one, original, original_length)});
}

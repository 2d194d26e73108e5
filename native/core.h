// The compiled core of one shard: what it keeps in memory, and what its files offer each other and Python.
// README.md beside this file draws the layout; pipeline/native/library.py declares the exported functions for ctypes.
//
// Numbers that come from events are signed, and overflow of a signed number stops the process, as an index beyond an
// array does (see pipeline/native/build.py): rather no number than a wrong one.
#ifndef ROI_CORE_H
#define ROI_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are written as they lie in memory");

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define EXPORT __attribute__((visibility("default")))
#define NOBODY 0xffffffffu // no customer has this number
enum { SECOND_MS = 1000, MINUTE_MS = 60000, QUARTER_MS = 900000, DAY_MS = 86400000 };

// -- memory.c: arrays that grow, and numbers found by a hash ---------------------------------------------------------

typedef struct {
    void *items;
    u64 count, room; // in items; in bytes
} list;

void list_grow(list *items, u64 needed, u64 size); // room for so many bytes, and for some items of a size more

// Room for `more` items of a size behind the last one; the caller fills them. Stops the process where there is none.
static inline void *list_add(list *items, u64 more, u64 size) {
    u64 needed;
    if (__builtin_mul_overflow(items->count + more, size, &needed)) __builtin_trap();
    if (needed > items->room) list_grow(items, needed, size);
    void *place = (u8 *)items->items + items->count * size;
    items->count += more;
    return place;
}

void list_shrink(list *items, u64 size); // gives back what a busier time has taken
void list_free(list *items);
#define ITEM(items_, type, number) ((type *)(items_).items + (number))

typedef struct { // things that come and go, by number; none has number 0
    list items;
    u32 free;          // the first of those that can be used again, 0 for none; each begins with the next one's number
    u32 unused;
} pool;

u32 pool_take(pool *all, u64 size);              // the number of one, all zero
void pool_give(pool *all, u64 size, u32 number); // whose number may be given again; it is zeroed

// An open hash table of numbers. A slot holds the upper half of a key's hash and the number + 1; 0 is a free slot.
typedef struct {
    u64 *slots;
    u32 size, used;
} table;

void table_free(table *numbers);
u64 hash_bytes(u64 seed, const void *bytes, u64 length); // keyed: whoever chooses ids cannot choose where they collide
void table_add(table *numbers, u64 hash, u32 number);

typedef struct { // goes over the numbers that may be a key's: keys that share half a hash are told apart by the caller
    const table *numbers;
    u32 at, half;
} search;

// Where a search begins: as far in the table as the half is among all halves, so that a larger table is filled in order.
static inline u32 first_slot(const table *numbers, u32 half) { return (u32)((u64)half * numbers->size >> 32); }

static inline search search_for(const table *numbers, u64 hash) {
    u32 half = (u32)(hash >> 32);
    return (search){numbers, first_slot(numbers, half), half};
}

static inline u32 next_number(search *by) { // NOBODY behind the last
    const table *numbers = by->numbers;
    if (!numbers->slots) return NOBODY;
    for (u64 slot; (slot = numbers->slots[by->at]);) {
        by->at = by->at + 1 < numbers->size ? by->at + 1 : 0;
        if (slot >> 32 == by->half) return (u32)slot - 1;
    }
    return NOBODY;
}

// Narrows low .. high down to the first place that is not before what is sought; `is_before` asks of the one in the middle.
#define BISECT(low, high, middle, is_before) \
    while (low < high) { \
        __typeof__(low) middle = low + (high - low) / 2; \
        if (is_before) low = middle + 1; \
        else high = middle; \
    }

// -- texts.c: ids of events, kept as long as somebody refers to them ----------------------------------------------------

typedef u32 text; // half of where a text begins in `texts`: its length, then its bytes; NO_TEXT for none
#define NO_TEXT 0
enum { UUID_LENGTH = 36 };

typedef struct {
    const u8 *bytes;
    u32 length;
} span;

static inline bool is_same(span one, span other) { // memcmp, without its call: texts are short here
    if (one.length != other.length) return false;
    u64 first, second;
    u32 at = 0;
    for (; at + 8 <= one.length; at += 8) {
        memcpy(&first, one.bytes + at, 8);
        memcpy(&second, other.bytes + at, 8);
        if (first != second) return false;
    }
    for (; at < one.length; at++)
        if (one.bytes[at] != other.bytes[at]) return false;
    return true;
}

// -- rows of a batch, as the scanner or Python writes them ---------------------------------------------------------------

typedef struct { // a text within the texts of the batch
    u32 begin, length;
} place;

typedef struct { // what the rows of every topic of the customer lane begin with
    i64 at;            // epoch milliseconds
    place customer_id;
    u32 customer;      // its number, NOBODY for a stranger
    u8 is_sound;       // 0: the judge has to look at the record
    u8 kind;           // of a touch or transaction: its place in TOUCH_KINDS or TRANSACTION_KINDS
    u8 flags;          // as the ledger has them: AUTOMATED ...
    u8 engaged;        // of a login
} head;

typedef struct {
    head head;
    i32 day;           // business day of `at`
    u32 unused;
} login;

typedef struct {
    head head;
    i64 cost_minor;
    place event_id, campaign_id, variant, channel; // no variant: length 0
    u32 arm;           // its number, NOBODY for one that is not known yet
    u32 unused;
} touch_row;

typedef struct {
    head head;
    i64 amount_minor, revenue_minor, aum_delta_minor; // flags say whether the last two are given, 0 if not
    place event_id, channel, product, scenario, reverses; // length 0: none
} transaction_row;

// flags of the ledger (pipeline/ledger/rows.py)
enum { AUTOMATED = 1, RECOMMENDED = 2, CREDITABLE = 4, ENGAGED = 8, CROSS_BANK = 16, REVENUE_GIVEN = 32, AUM_GIVEN = 64 };
enum { ASSIGN, SEND, VIEW, CLICK, CALL, VISIT, VOUCHER_ISSUE, VOUCHER_REDEEM, TOUCH_KINDS };
enum { TRANSFER, PAYMENT, CARD_SPEND, DEPOSIT, WITHDRAWAL, WEALTH_PURCHASE, WEALTH_REDEMPTION, LOAN_DRAWDOWN, ACCOUNT_OPEN,
       CARD_ACTIVATION, INSURANCE_PURCHASE, OTHER, TRANSACTION_KINDS };
extern const span TOUCH_KIND[TOUCH_KINDS], TRANSACTION_KIND[TRANSACTION_KINDS]; // scan.c: their names, of records and ledger alike

// -- campaigns.c: campaigns, arms and tiers by number, and the calendar ---------------------------------------------------

enum { LONGEST_NAME = 255 };

typedef struct {
    u8 length;
    char bytes[LONGEST_NAME];
} name;

static inline bool is_name(const name *given, span text) {
    return given->length == text.length && !memcmp(given->bytes, text.bytes, text.length);
}

typedef struct {
    i64 window_ms, min_amount_minor;
    i64 margins_bps[TRANSACTION_KINDS];
    u32 kinds;         // bit k: transactions of kind k count
    u8 any_product;
    name id;
    list products;     // name
    list arms;         // u32, as they were met
} campaign;

typedef struct {
    u32 campaign;
    u8 is_control;
    name variant;
} arm;

typedef struct { // a quarter of an hour: the same business day and hour from its first instant to its last
    i64 number, hour;  // hour: its start in epoch seconds
    i32 day;
    u32 unused;
} quarter;

// -- columns.c: rows of the ledger, column by column in ClickHouse's Native format -----------------------------------------

enum { AT_COLUMN, LAG_COLUMN, CHAPTER_COLUMN, SOURCE_COLUMN, FLAGS_COLUMN, MEASURES_COLUMN, CAMPAIGN_COLUMN, LABEL_COLUMN, ID_COLUMN,
       OTHER_ID_COLUMN, MODEL_COLUMN, CUSTOMER_COLUMN, TIER_COLUMN, CHANNEL_COLUMN, CATEGORY_COLUMN, PRODUCT_COLUMN, SCENARIO_COLUMN,
       SHEET_COLUMNS };
enum { TOUCH_SHEET, TRANSACTION_SHEET, LOGIN_SHEET, CREDIT_SHEET, TIER_SHEET, VARIANT_SHEET, MINUTE_SHEET, COHORT_SHEET, HOUR_SHEET,
       DAY_SHEET, ADJUSTMENT_SHEET, SHEETS };

typedef struct { // a column that no row has written to is left out
    u64 count;
    list columns[SHEET_COLUMNS]; // u8
} sheet;

void add_text(list *column, const void *bytes, u64 length);
void add_name(list *column, const name *given);
void add_span(list *column, span text);
void add_number(list *column, i64 number);
void add_byte(list *column, u8 byte);
void add_hex(list *column, const u8 *bytes, u32 count); // as a text

// -- customers.c: who is known, by id and by pseudonym ---------------------------------------------------------------

enum { PSEUDONYM = 16 };
enum { DORMANT, MET, ERASED }; // loaded and not seen since; known by its id; forgotten, its number is not used again

typedef struct {
    u64 id : 40;          // where the id begins in `ids`, once met
    u64 id_length : 16, standing : 4; // standing: DORMANT, MET or ERASED
    u64 engaged_before_horizon : 4;
    i32 last_day;         // the day of bit 0 in both sets of days
    u32 engaged;          // its set of engaged days, 0 while every login day is one
    u32 account;          // its place in `accounts`, NOBODY while there has been no touch and no transaction
    u32 tier;
    u8 pseudonym[PSEUDONYM];
} customer;

// -- activity.c: login days ------------------------------------------------------------------------------------------

enum { DAU, WAU_CHANGE, MAU_CHANGE, GROSS_DAY, GROSS_MAU_CHANGE, REACTIVATED, DAY_WIDTH };

typedef struct { // what a day of one tier has gained since the last time it was handed out
    i64 measures[DAY_WIDTH];
    i32 day;
    u32 tier;
} day_change;

// -- cells.c: the numbers of campaigns ---------------------------------------------------------------------------------

enum { TOUCHES, REACHED, CONVERSION_MILLIONTHS, CONVERTERS, COST_MINOR, RETURN_MINOR, AUM_MINOR, CELL_WIDTH };
enum { TIER_CELL, VARIANT_CELL, MINUTE_CELL, COHORT_CELL, HOUR_CELL, DAY_CELL, FAMILIES };
enum { DECIDING = 0 }; // the number of the deciding model: the first one
typedef __int128 sum; // of money: what one block adds may be beyond 64 bits

typedef struct {
    sum cost_minor;
    i64 touches, reached, millionths, converters;
    sum return_minor, aum_minor;
} measures;

typedef struct { // what a chapter of one cell has counted so far; what a touch changes stands together
    i64 coordinate;    // minute, hour or day
    u32 campaign : 31, is_changed : 1;
    u32 detail;        // a tier, an arm, or whole days from touch to transaction
    measures now;
    u64 chapter, used; // used: the version of the block that stored it last; of one to be stored it says nothing
} cell;

typedef struct { // the cells of one family under one model
    list cells;        // cell
    table number_of;   // by campaign, detail and coordinate
    list memo;         // u32: MEMO numbers per campaign, of the cells found last: the cell itself tells whether it is the one
    list changed;      // u32: cells that the next block has to store
    list before;       // measures: what each of those had before; of minutes and hours only
    bool is_summed_up; // minutes, hours
} family;

typedef struct {
    u64 chapter;       // of cells that come to memory from now on
    list families;     // family: FAMILIES of each model, of which the others than the deciding one fill two
} cells;
#define FAMILY(one, model, number) ITEM((one)->cells->families, family, (model) * FAMILIES + (number))

// -- the events of a customer that may still matter ---------------------------------------------------------------------

typedef struct {
    u32 count, room;
    u32 items[];
} block;

typedef union { // numbers from 1 to 2^31, in an order that the owner keeps: up to two stand here, more in a block
    u32 few[2];        // 0 behind the last
    u64 place;         // of the block, with BLOCK added
} numbers;
#define BLOCK (1ull << 63)

static inline block *block_of(const numbers *all) { return all->place & BLOCK ? (block *)(all->place - BLOCK) : NULL; }

static inline u32 count_of(const numbers *all) {
    return all->place & BLOCK ? block_of(all)->count : (u32)(all->few[0] != 0) + (all->few[1] != 0);
}

static inline u32 *numbers_in(const numbers *all) { return all->place & BLOCK ? block_of(all)->items : (u32 *)all->few; }
#define NUMBERS(all) numbers_in(all)

typedef struct { // a creditable touch
    i64 at;
    text event_id;
    u32 arm;
} touch;

typedef struct { // a touch's share of a transaction under one model
    i64 touched_at, return_minor, aum_minor;
    text touch_id;
    u32 arm, millionths : 24, model : 8;
    u32 next;          // the transaction's next credit, NOBODY behind the last
} credit;
enum { MOST_MODELS = 255 };

typedef struct { // one that is no reversal
    i64 at, amount_minor, revenue_minor;
    text event_id;
    u32 customer, credits; // credits: the first one, NOBODY for none
    u32 extras, tier;      // extras: 0 for none
    u8 kind, flags;
    u8 counts;         // whether its credits stand in the numbers
    u8 is_live;
} transaction;
#define NOT_REVERSED (-1)

typedef struct { // what few transactions have
    i64 aum_delta_minor;
    i64 reversed_minor; // NOT_REVERSED without a reversal
    text product;
    u32 unused;
} extras;

enum { WAITING = 1, LISTED }; // a reversal that waits; the second only while the index of those is made

typedef struct {
    i64 at, amount_minor, offset;
    text event_id, original_id;
    u32 customer;
    u32 next_waiting;  // the next one that waits for the same original, NOBODY behind the last
    u8 is_live, is_waiting;
    u8 unused[6];
} reversal;

typedef struct { // an original that reversals wait for
    text id;
    u32 first;         // reversal, NOBODY once all have met it
} original;

typedef struct { // the first touch of a customer by an arm
    i64 at;
    u32 arm, tier;
} reach;

typedef struct { // the transactions that are credited to an arm under a model, in order
    u32 slot;          // see `slot_of`
    u32 unused;
    numbers transactions;
} conversion;

typedef struct { // what a customer's touches and transactions have left
    numbers touches;   // by campaign, time, id, arm
    numbers transactions; // by time, id
    numbers reached;   // reach, by arm
    numbers converted; // conversion, by slot
    numbers past;      // slots, sorted: reach and conversions of before the horizon
} account;

typedef struct { // a transaction's credit by a touch that has changed in this block; what it stands at is in `standings`
    i64 converted_at;
    text transaction_id, touch_id;
    u32 arm, tier;
    u8 pseudonym[PSEUDONYM];
    u8 kind, unused[7];
} credit_change;

typedef struct { // what a credit stands at under one model, as the ledger has it
    i64 millionths, return_minor, aum_minor, touched_at, booked;
} standing;

typedef struct __attribute__((packed, aligned(4))) { // an event's id and time, for telling copies
    i64 at;
    text event_id;
} seen;

typedef struct { // a customer to look at once a day has passed the horizon
    i32 day;
    u32 customer;
} due;

typedef struct {
    u64 seed;
    u32 span, words;      // days remembered one by one, 64-bit words of a set of days
    u32 known;            // customers that are not ERASED
    u32 models;           // attribution models: as many as labels and rules
    list customers;       // customer
    list ids;             // u8: texts of customers' ids, one after another
    list days;            // u64: per customer `words` of login days
    pool engaged;         // `words` of engaged days, of customers with a login day that is none
    list tiers;           // name
    table tier_of;        // tiers by name
    table by_id, by_pseudonym;
    list changes;         // day_change
    table change_of;      // day changes by tier and day
    sheet sheets[SHEETS];

    list campaigns, arms; // campaign, arm
    table arm_of;         // arms by campaign and variant
    list quarters;        // quarter
    table quarter_of;
    list labels;          // name: what the ledger calls each model
    cells *cells;

    list models_of;       // u8: which rule shares out credit under each model, see rules.c
    double half_life_ms;
    i64 reversal_ms;
    bool only_last_touch;
    list texts;           // u8
    u64 texts_limit;      // when `texts` has so many bytes, those that nobody refers to are thrown away
    pool touches, transactions, extras, reversals, credits, reaches, conversions;
    list accounts;
    list dues;            // due
    list touch_ids;       // seen
    table touch_id_of;
    u64 touch_ids_limit;
    i64 touch_ids_floor;  // what is older is no copy's original any more, though it may still be there
    table event_of;       // transactions and reversals by event id, those of one id side by side: see transactions.c
    list originals;       // original
    table original_of;    // by id
    list waiting;         // u32 reversals that wait, and some that have waited
    list orphans;         // u32 reversals
    u8 orphan_id[UUID_LENGTH]; // of the one handed out last, where there is no text of it
    list credit_changes;  // credit_change
    list standings;       // standing: of each credit change as many as there are models, in their order
    table change_of_credit;
    list offered;         // credit: what a transaction is about to be given
    list candidates, spare, fractions; // of rules.c
} shard;

// numbers by which the files know each other's things
#define CUSTOMER(one, number) ITEM((one)->customers, customer, number)
#define CAMPAIGN(one, number) ITEM((one)->campaigns, campaign, number)
#define ARM(one, number) ITEM((one)->arms, arm, number)
#define TIER_NAME(one, number) ITEM((one)->tiers, name, number)
#define TOUCH(one, number) ITEM((one)->touches.items, touch, number)
#define TRANSACTION(one, number) ITEM((one)->transactions.items, transaction, number)
#define EXTRAS(one, number) ITEM((one)->extras.items, extras, number)
#define REVERSAL(one, number) ITEM((one)->reversals.items, reversal, number)
#define CREDIT(one, number) ITEM((one)->credits.items, credit, number)
#define REACH(one, number) ITEM((one)->reaches.items, reach, number)
#define CONVERSION(one, number) ITEM((one)->conversions.items, conversion, number)
#define ACCOUNT(one, number) ITEM((one)->accounts, account, number)

// A slot is an arm's reach, or its conversions under a model; 0 is none.
static inline u32 slot_of_reach(const shard *one, u32 arm_number) { return (arm_number + 1) * (one->models + 1); }
static inline u32 slot_of(const shard *one, u32 arm_number, u32 model) { return slot_of_reach(one, arm_number) + 1 + model; }
static inline u32 arm_of_slot(const shard *one, u32 slot) { return slot / (one->models + 1) - 1; }

// memory.c
void forget_numbers(table *all);

// texts.c
text keep_text(shard *one, const u8 *bytes, u32 length);
span read_text_of(const shard *one, text kept, u8 *room);
#define text_of(one, kept) read_text_of(one, kept, (u8[UUID_LENGTH]){0}) // valid to the end of the block that asks
bool pack_digits(const u8 *letters, u8 *packed);
i32 compare_texts(span a, span b);
i32 compare_events(const shard *one, i64 at, text id, i64 other_at, text other_id); // the contract's order: time, then event id
void compact_texts(shard *one);

// accounts.c
u32 account_of(shard *one, u32 who);
account *open_account(shard *one, u32 who);
void close_account(shard *one, account *had);
void visit(shard *one, u32 who, i64 last_use);
u32 next_due(shard *one, i64 floor, u64 *next, u64 *kept, u64 end);
bool has_number(const numbers *sorted, u32 number);
bool has_past(const shard *one, const account *had, u32 campaign_number, u32 offset);
void add_number_to(numbers *sorted, u32 number);
void take_out(numbers *all, u32 at);
void keep_first(numbers *all, u32 kept);
void drop_numbers(numbers *all);
u32 ordered_place(const shard *one, const numbers *ordered, u32 number, bool (*is_before)(const shard *, u32, u32));
void sort_numbers(u32 *items, u32 *spare, u32 count, bool (*before)(const void *context, u32 a, u32 b), const void *context);
u32 insert_number(const shard *one, numbers *ordered, u32 number, bool (*is_before)(const shard *, u32, u32));

// customers.c, activity.c: for batches and loading
enum { STEP = 8 }; // rows between two waits for memory that are about the same thing
void expect_slot(const table *numbers, u64 hash);
u32 expect_customer(const shard *one, const table *numbers, u64 hash);
void expect_account(const shard *one, u32 customer);
u32 find_tier(const shard *one, span text);
u32 dormant_with(shard *one, u64 hash, const u8 *pseudonym);
void shard_set_tier(shard *one, u32 number, u32 tier);
bool shard_load_login(shard *one, u32 number, i32 day, bool engaged);

// touches.c
void load_touch_id(shard *one, span id, i64 at);
void load_past_reach(shard *one, u32 who, u32 number);
void load_reach(shard *one, u32 who, u32 number, i64 at, u32 tier);
void load_touch(shard *one, u32 who, u32 number, i64 at, span id);
void drop_touch(shard *one, u32 number);
void forget_touch_ids(shard *one, i64 floor);

// transactions.c
void load_transaction(shard *one, transaction given, span id, span product, i64 aum_delta_minor);
void drop_transaction(shard *one, u32 number);
u32 transaction_with(const shard *one, span id, i64 at);
void wait_anew(shard *one);
u32 first_transaction_since(const shard *one, const account *had, i64 at);

// rules.c: what they offer stands in `offered`
bool matches(const shard *one, const campaign *rules, const transaction *given);
i64 reversed_minor(const shard *one, const transaction *given); // NOT_REVERSED without a reversal
i64 effective_minor(const shard *one, const transaction *given);
void offer_credits(shard *one, const transaction *given, const numbers *touches);
void offer_repriced(shard *one, const transaction *given);

// credits.c
bool is_transaction_before(const shard *one, u32 a, u32 b);
void share_credit(shard *one, u32 number, const numbers *touches);
void reprice_credit(shard *one, u32 number);
void fold_into_past(shard *one, u32 number);
void drop_credits(shard *one, u32 number);
void load_credit(shard *one, u32 number, const credit *given, span touch_id, bool counts);
void load_counts(shard *one, u32 number);
void load_past_conversion(shard *one, u32 who, u32 arm_number, u32 model);

// horizon.c
void forget_account(shard *one, u32 who);

// campaigns.c
u32 find_arm(const shard *one, const u8 *id, u32 id_length, const u8 *variant, u32 length);
bool knows_quarter(const shard *one, i64 at);
i64 floor_divide(i64 number, i64 by); // rounds down, for instants before 1970 too; `by` is positive
const quarter *quarter_of(const shard *one, i64 at); // Python has told of it (`shard_add_quarters`), or the process stops

// cells.c. `at` and `touched_at` are epoch milliseconds; the deciding model alone has touches, cost, reach and cells by time
cells *cells_new(void);
void cells_add_model(cells *all);
void cells_free(cells *all);
u64 cells_count(const cells *all); // of those that leave memory once they are idle
cell *changing_cell(shard *one, family *of, u32 campaign, u32 detail, i64 coordinate); // new at zero, or known; to be stored
void count_touch(shard *one, u32 arm, u32 tier, i64 at, i64 touches, i64 cost_minor, bool reaches_arm, bool reaches);
void revert_reach(shard *one, u32 arm, u32 tier, i64 at);
void book_credit(shard *one, u32 model, u32 arm, u32 tier, i64 at, i64 touched_at, i64 millionths, i64 return_minor,
                 i64 aum_minor); // negative: take it back
void count_arm_conversion(shard *one, u32 model, u32 arm, i64 sign);
void count_conversion(shard *one, u32 model, u32 arm, u32 tier, i64 at, i64 sign);
// -- batches.c: record batches of Kafka ------------------------------------------------------------------------------

typedef struct { // what the head of a record batch says, and the position that it is read from
    i64 base_offset, first_timestamp, max_timestamp, from_offset, count, is_append_time;
} batch_head;

enum { LEAST_RECORD = 7 }; // bytes: length, attributes, two deltas, key, value, count of headers: one each at least

typedef struct { // a record; key and value lie in the batch's texts, a length of NOBODY is null
    i64 offset, timestamp;
    u32 key_begin, key_length, value_begin, value_length;
} packed_record;

typedef struct { // how far a fetch has been read: the next record batch, and the offset that is next
    u64 begin;
    i64 next_offset;
} fetch_progress;

typedef struct { // a compressed record batch: where its records lie in a fetch, Kafka's number of the codec, how many it tells
    u64 begin, end, codec, count;
} compressed_batch;

// -- crc32c.c --------------------------------------------------------------------------------------------------------

u32 crc32c(const u8 *texts, u64 size, bool plainly);

// -- instants.c ------------------------------------------------------------------------------------------------------

typedef struct { // the last minute that was read: nearly every event is of the same one
    char text[16];
    i64 milliseconds;
} minute;

// Reads the usual spellings of RFC 3339; false: somebody else has to look at it.
bool read_instant(minute *last, const u8 *text, u32 length, i64 *milliseconds);

#endif

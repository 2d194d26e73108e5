// Records of the customer lane's topics to rows, in the spellings that producers use. Whatever this file is not sure of
// it leaves to the judge (schemas/judge.py), who has the last word: it may hand over a sound record, but never take a
// wrong one. A topic is a table of its fields, the twin of its model; one loop reads them all.
#include "json.h"
#include <math.h>
#include <stddef.h>

enum { LARGEST_VALUE = 65536, LONGEST_TEXT = 64, MOST_FIELDS = 16 };
static const i64 MOST_MONEY = 1000000000000000;
static const i64 END = 10413705600000; // END_MS of schemas/common.py

typedef enum { IDENTIFIER, TOKEN, CASED_TOKEN, INSTANT, KIND, CURRENCY, MONEY, SIGNED_MONEY, SECONDS, FLAG } form;
enum { OPTIONAL = 0, REQUIRED = 1, OR_NULL = 2 }; // OPTIONAL: it may be left out, but null it may not be

typedef struct {
    span name;
    u8 form, need, flag;         // flag: of the ledger, set where it is true, or where there is such a number
    u16 at;                      // where in the row it is kept, 0 for nowhere: there stands the instant
} field;

typedef struct {
    const field *fields;
    const span *kinds;         // in the order of core.h, as in the model's
    u32 count, kind_count, row_size;
} topic;

typedef struct { // what a batch's records are judged by
    i64 earliest;
    double shortest;
    span currency;
} rules;

typedef struct { // what the records of a batch have in common
    const topic *topic;
    const u8 *texts;          // begins of places count from here
    rules rules;
    u32 required;             // bit f: field f has to be given
    u8 after[MOST_FIELDS + 1]; // the field that came after each one last, and the first one: producers keep an order
    minute last;
} scanner;

// -- the topics' fields: schemas/login.py, touch.py, transaction.py ----------------------------------------------------

#define WORD(text) {(const u8 *)text, sizeof text - 1}
#define FIELD(name, form, need, flag, at) {WORD(name), form, need, flag, at}
#define HEAD_FIELDS FIELD("occurred_at", INSTANT, REQUIRED, 0, 0), \
                    FIELD("customer_id", IDENTIFIER, REQUIRED, 0, offsetof(head, customer_id))

static const field LOGIN_FIELDS[] = {
    FIELD("event_id", IDENTIFIER, REQUIRED, 0, 0),
    HEAD_FIELDS,
    FIELD("channel", TOKEN, REQUIRED, 0, 0),
    FIELD("session_seconds", SECONDS, OR_NULL, 0, 0),
    FIELD("automated", FLAG, OPTIONAL, AUTOMATED, 0),
};
static const field TOUCH_FIELDS[] = {
    FIELD("event_id", IDENTIFIER, REQUIRED, 0, offsetof(touch_row, event_id)),
    HEAD_FIELDS,
    FIELD("campaign_id", CASED_TOKEN, REQUIRED, 0, offsetof(touch_row, campaign_id)),
    FIELD("variant", CASED_TOKEN, OR_NULL, 0, offsetof(touch_row, variant)),
    FIELD("channel", TOKEN, REQUIRED, 0, offsetof(touch_row, channel)),
    FIELD("kind", KIND, REQUIRED, 0, 0),
    FIELD("cost_minor", MONEY, OPTIONAL, 0, offsetof(touch_row, cost_minor)),
    FIELD("currency", CURRENCY, OPTIONAL, 0, 0),
    FIELD("automated", FLAG, OPTIONAL, AUTOMATED, 0),
    FIELD("recommended", FLAG, OPTIONAL, RECOMMENDED, 0),
};
static const field TRANSACTION_FIELDS[] = {
    FIELD("event_id", IDENTIFIER, REQUIRED, 0, offsetof(transaction_row, event_id)),
    HEAD_FIELDS,
    FIELD("kind", KIND, REQUIRED, 0, 0),
    FIELD("amount_minor", MONEY, REQUIRED, 0, offsetof(transaction_row, amount_minor)),
    FIELD("currency", CURRENCY, OPTIONAL, 0, 0),
    FIELD("channel", TOKEN, REQUIRED, 0, offsetof(transaction_row, channel)),
    FIELD("product", TOKEN, OR_NULL, 0, offsetof(transaction_row, product)),
    FIELD("revenue_minor", MONEY, OR_NULL, REVENUE_GIVEN, offsetof(transaction_row, revenue_minor)),
    FIELD("aum_delta_minor", SIGNED_MONEY, OR_NULL, AUM_GIVEN, offsetof(transaction_row, aum_delta_minor)),
    FIELD("cross_bank", FLAG, OPTIONAL, CROSS_BANK, 0),
    FIELD("scenario", TOKEN, OR_NULL, 0, offsetof(transaction_row, scenario)),
    FIELD("reverses", IDENTIFIER, OR_NULL, 0, offsetof(transaction_row, reverses)),
};
const span TOUCH_KIND[TOUCH_KINDS] = {
    [ASSIGN] = WORD("assign"), [SEND] = WORD("send"), [VIEW] = WORD("view"), [CLICK] = WORD("click"), [CALL] = WORD("call"),
    [VISIT] = WORD("visit"), [VOUCHER_ISSUE] = WORD("voucher_issue"), [VOUCHER_REDEEM] = WORD("voucher_redeem")};
const span TRANSACTION_KIND[TRANSACTION_KINDS] = {
    [TRANSFER] = WORD("transfer"), [PAYMENT] = WORD("payment"), [CARD_SPEND] = WORD("card_spend"), [DEPOSIT] = WORD("deposit"),
    [WITHDRAWAL] = WORD("withdrawal"), [WEALTH_PURCHASE] = WORD("wealth_purchase"), [WEALTH_REDEMPTION] = WORD("wealth_redemption"),
    [LOAN_DRAWDOWN] = WORD("loan_drawdown"), [ACCOUNT_OPEN] = WORD("account_open"), [CARD_ACTIVATION] = WORD("card_activation"),
    [INSURANCE_PURCHASE] = WORD("insurance_purchase"), [OTHER] = WORD("other")};

enum { LOGIN_TOPIC, TOUCH_TOPIC, TRANSACTION_TOPIC, TOPICS };
#define COUNT(items) (sizeof items / sizeof *items)
static const topic TOPIC[TOPICS] = {
    {LOGIN_FIELDS, NULL, COUNT(LOGIN_FIELDS), 0, sizeof(login)},
    {TOUCH_FIELDS, TOUCH_KIND, COUNT(TOUCH_FIELDS), TOUCH_KINDS, sizeof(touch_row)},
    {TRANSACTION_FIELDS, TRANSACTION_KIND, COUNT(TRANSACTION_FIELDS), TRANSACTION_KINDS, sizeof(transaction_row)},
};
_Static_assert(COUNT(TRANSACTION_FIELDS) <= MOST_FIELDS, "the topic with the most fields");

// What Python compares with its models and rows.
EXPORT const char *scan_field(u32 number, u32 at) { return at < TOPIC[number].count ? (const char *)TOPIC[number].fields[at].name.bytes : NULL; }
EXPORT const char *scan_kind(u32 number, u32 at) { return at < TOPIC[number].kind_count ? (const char *)TOPIC[number].kinds[at].bytes : NULL; }
EXPORT u32 scan_row_size(u32 number) { return TOPIC[number].row_size; }

// -- texts -------------------------------------------------------------------------------------------------------------

static bool is_token(span text, bool is_cased) { // ^[a-z0-9][a-z0-9_.-]{0,63}$, and A-Z where it is cased
    enum { FIRST = 1, INNER = 2, UPPER = 4 };
    static const u8 places[256] = {['a' ... 'z'] = FIRST | INNER, ['0' ... '9'] = FIRST | INNER, ['A' ... 'Z'] = UPPER,
                                   ['_'] = INNER, ['.'] = INNER, ['-'] = INNER};
    u8 cased = is_cased ? UPPER : 0;
    if (!(places[text.bytes[0]] & (FIRST | cased))) return false;
    for (u32 at = 1; at < text.length; at++)
        if (!(places[text.bytes[at]] & (INNER | cased))) return false;
    return true;
}

static bool read_kind(const topic *topic, span text, u8 *kind) {
    for (u8 at = 0; at < topic->kind_count; at++)
        if (is_same(topic->kinds[at], text)) {
            *kind = at;
            return true;
        }
    return false;
}

// -- fields ------------------------------------------------------------------------------------------------------------

static bool read_text_field(scanner *one, cursor *json, const field *field, u8 *row) {
    head *head = (void *)row;
    span text;
    if (!read_text(json, &text)) return false;
    switch (field->form) {
    case INSTANT:
        return read_instant(&one->last, text.bytes, text.length, &head->at) && head->at >= one->rules.earliest && head->at < END;
    case KIND: return read_kind(one->topic, text, &head->kind);
    case CURRENCY: return is_same(text, one->rules.currency);
    default:
        if (text.length < 1 || text.length > LONGEST_TEXT) return false;
        if (field->form != IDENTIFIER && !is_token(text, field->form == CASED_TOKEN)) return false;
        if (field->at) *(place *)(row + field->at) = (place){(u32)(text.bytes - one->texts), text.length};
        return true;
    }
}

static bool read_field(scanner *one, cursor *json, const field *field, u8 *row, double *seconds) {
    head *head = (void *)row;
    bool flag;
    if (field->need == OR_NULL && read_null(json)) return true;
    switch (field->form) {
    case MONEY:
    case SIGNED_MONEY:
        head->flags |= field->flag;
        return read_integer(json, field->form == SIGNED_MONEY, MOST_MONEY, (i64 *)(row + field->at));
    case SECONDS: return read_number(json, seconds);
    case FLAG:
        if (!read_flag(json, &flag)) return false;
        if (flag) head->flags |= field->flag;
        return true;
    default: return read_text_field(one, json, field, row);
    }
}

// Reads a field's name; `likely` is tried first, and where it stands there the name is not looked through. The number of
// fields is one that the topic does not have.
static bool read_name(const topic *topic, cursor *json, u32 likely, u32 *at) {
    span name = topic->fields[likely].name;
    if (!read_mark(json, '"')) return false;
    if (json->end - json->next > name.length && json->next[name.length] == '"' && is_same(name, (span){json->next, name.length})) {
        json->next += name.length + 1;
        *at = likely;
        return true;
    }
    json->next--;
    if (!read_text(json, &name)) return false;
    for (*at = 0; *at < topic->count; ++*at)
        if (is_same(topic->fields[*at].name, name)) break;
    return true;
}

// -- records -----------------------------------------------------------------------------------------------------------

static bool read_object(scanner *one, cursor json, u8 *row, double *seconds) {
    u32 seen = 0, before = MOST_FIELDS;
    if (!read_mark(&json, '{')) return false;
    do {
        u32 at;
        if (!read_name(one->topic, &json, one->after[before], &at) || !read_mark(&json, ':')) return false;
        if (at == one->topic->count) {
            if (!skip_scalar(&json)) return false;
            continue;
        }
        if (seen >> at & 1) return false; // given twice
        seen |= 1u << at;
        one->after[before] = (u8)at;
        before = at;
        if (!read_field(one, &json, &one->topic->fields[at], row, seconds)) return false;
    } while (read_mark(&json, ','));
    if (!read_mark(&json, '}')) return false;
    skip_space(&json);
    return json.next == json.end && (seen & one->required) == one->required;
}

static bool read_record(scanner *one, span key, span value, u8 *row) {
    head *head = (void *)row;
    double seconds = INFINITY; // a session of unknown length is long enough
    if (value.length > LARGEST_VALUE || !read_object(one, (cursor){value.bytes, value.bytes + value.length}, row, &seconds)) return false;
    if (!is_same(key, (span){one->texts + head->customer_id.begin, head->customer_id.length})) return false;
    head->engaged = one->topic == &TOPIC[LOGIN_TOPIC] && !(head->flags & AUTOMATED) && seconds >= one->rules.shortest;
    return true;
}

// -- batches -----------------------------------------------------------------------------------------------------------

typedef struct {
    const u8 *texts; // keys and values stand anywhere in it
    const u32 *key_begins, *key_lengths, *value_begins, *value_lengths;
    u32 count;
} batch;

static u32 scan(const topic *topic, batch records, rules rules, u8 *rows) {
    scanner one = {.topic = topic, .texts = records.texts, .rules = rules};
    u32 sound = 0;
    for (u32 at = 0; at < topic->count; at++) one.required |= (u32)(topic->fields[at].need == REQUIRED) << at;
    for (u32 number = 0; number < records.count; number++, rows += topic->row_size) {
        head *head = (void *)rows;
        span key = {records.texts + records.key_begins[number], records.key_lengths[number]};
        span value = {records.texts + records.value_begins[number], records.value_lengths[number]};
        memset(rows, 0, topic->row_size);
        head->customer = NOBODY;
        if (topic == &TOPIC[TOUCH_TOPIC]) ((touch_row *)rows)->arm = NOBODY;
        head->is_sound = read_record(&one, key, value, rows);
        sound += head->is_sound;
    }
    return sound;
}

// Take a batch's records apart: texts, begin and length of each key, begin and length of each value, count; the earliest
// instant that is plausible, the shortest engaged session, the reporting currency; a row for each record, which they write
// whole. A key or value that is missing has length 0xffffffff, which no sound one has (nor 0), and any begin. What the row
// of a record that is not sound holds besides `is_sound` means nothing. They return how many records are sound.
#define BATCH const u8 *texts, const u32 *key_begins, const u32 *key_lengths, const u32 *value_begins, const u32 *value_lengths, u32 count
#define GIVEN (batch){texts, key_begins, key_lengths, value_begins, value_lengths, count}

EXPORT u32 scan_logins(BATCH, i64 earliest, double shortest, login *rows) {
    return scan(&TOPIC[LOGIN_TOPIC], GIVEN, (rules){.earliest = earliest, .shortest = shortest}, (u8 *)rows);
}

EXPORT u32 scan_touches(BATCH, i64 earliest, const char *currency, touch_row *rows) {
    span text = {(const u8 *)currency, (u32)strlen(currency)};
    return scan(&TOPIC[TOUCH_TOPIC], GIVEN, (rules){.earliest = earliest, .currency = text}, (u8 *)rows);
}

EXPORT u32 scan_transactions(BATCH, i64 earliest, const char *currency, transaction_row *rows) {
    span text = {(const u8 *)currency, (u32)strlen(currency)};
    return scan(&TOPIC[TRANSACTION_TOPIC], GIVEN, (rules){.earliest = earliest, .currency = text}, (u8 *)rows);
}

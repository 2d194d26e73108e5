// Records of bank.logins.v1 to logins, in the spellings that producers use. Whatever this file is not sure of it leaves
// to the judge (schemas/judge.py), who has the last word: it may hand over a sound record, but never take a wrong one.
#include "core.h"

enum { LARGEST_VALUE = 65536, LONGEST_TEXT = 64, MOST_DIGITS = 15 };

typedef struct {
    const u8 *next, *end;
} cursor;

typedef struct {
    const u8 *text;
    u32 length;
} span;

typedef struct { // one login's fields, taken apart
    span event_id, occurred_at, customer_id, channel;
    double session_seconds;
    bool has_seconds, automated;
} fields;

// -- JSON ------------------------------------------------------------------------------------------------------------

static void skip_space(cursor *json) {
    while (json->next < json->end && (*json->next == ' ' || *json->next == '\n' || *json->next == '\t' || *json->next == '\r'))
        json->next++;
}

static bool read_mark(cursor *json, u8 mark) {
    skip_space(json);
    if (json->next >= json->end || *json->next != mark) return false;
    json->next++;
    return true;
}

static bool read_text(cursor *json, span *found) { // printable ASCII without escapes
    if (!read_mark(json, '"')) return false;
    const u8 *begin = json->next;
    while (json->next < json->end && *json->next != '"') {
        if (*json->next < 0x20 || *json->next > 0x7e || *json->next == '\\') return false;
        json->next++;
    }
    if (json->next >= json->end) return false;
    *found = (span){begin, (u32)(json->next - begin)};
    json->next++;
    return true;
}

static bool read_word(cursor *json, const char *word, u32 length) {
    skip_space(json);
    if ((u64)(json->end - json->next) < length || memcmp(json->next, word, length)) return false;
    json->next += length;
    return true;
}

static bool read_flag(cursor *json, bool *flag) {
    *flag = read_word(json, "true", 4);
    return *flag || read_word(json, "false", 5);
}

static u32 read_digits(cursor *json, i64 *number, u32 most) { // returns how many
    u32 count = 0;
    for (; count <= most && json->next < json->end && (u8)(*json->next - '0') <= 9; count++)
        *number = *number * 10 + (*json->next++ - '0');
    return count;
}

// A number of at most 15 digits without sign or exponent. Digits and power of ten are exact as doubles, so their
// quotient is the double next to the decimal, which is what every reader of JSON makes of it (Clinger 1990).
static bool read_number(cursor *json, double *number) {
    static const double powers[MOST_DIGITS + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    skip_space(json);
    const u8 *begin = json->next;
    i64 digits = 0;
    u32 whole = read_digits(json, &digits, MOST_DIGITS), decimals = 0;
    if (!whole || whole > MOST_DIGITS || (*begin == '0' && whole > 1)) return false;
    if (json->next < json->end && *json->next == '.') {
        json->next++;
        decimals = read_digits(json, &digits, MOST_DIGITS - whole);
        if (!decimals || whole + decimals > MOST_DIGITS) return false;
    }
    *number = (double)digits / powers[decimals];
    return true; // what follows must be a comma or the end, so an exponent ends the reading
}

static bool skip_scalar(cursor *json) { // the value of a field that the contract does not name
    span text;
    double number;
    bool flag;
    skip_space(json);
    if (json->next >= json->end) return false;
    if (*json->next == '"') return read_text(json, &text);
    if ((u8)(*json->next - '0') <= 9) return read_number(json, &number);
    return read_flag(json, &flag) || read_word(json, "null", 4);
}

// -- fields of schemas.AppLogin --------------------------------------------------------------------------------------

enum { EVENT_ID, OCCURRED_AT, CUSTOMER_ID, CHANNEL, SESSION_SECONDS, AUTOMATED, FIELDS };
static const struct { const char *name; u32 length; } NAMES[FIELDS] = {
    {"event_id", 8}, {"occurred_at", 11}, {"customer_id", 11}, {"channel", 7}, {"session_seconds", 15}, {"automated", 9}};
static const u32 REQUIRED = 1u << EVENT_ID | 1u << OCCURRED_AT | 1u << CUSTOMER_ID | 1u << CHANNEL;

EXPORT const char *scan_field(u32 number) { return number < FIELDS ? NAMES[number].name : NULL; }

static u32 field_named(span name, u32 likely) { // producers write fields in one order
    for (u32 tried = 0; tried < FIELDS; tried++) {
        u32 field = (likely + tried) % FIELDS;
        if (NAMES[field].length == name.length && !memcmp(NAMES[field].name, name.text, name.length)) return field;
    }
    return FIELDS;
}

static bool read_field(cursor *json, u32 field, fields *found) {
    switch (field) {
    case EVENT_ID: return read_text(json, &found->event_id);
    case OCCURRED_AT: return read_text(json, &found->occurred_at);
    case CUSTOMER_ID: return read_text(json, &found->customer_id);
    case CHANNEL: return read_text(json, &found->channel);
    case SESSION_SECONDS:
        if (read_word(json, "null", 4)) return true;
        found->has_seconds = true;
        return read_number(json, &found->session_seconds);
    case AUTOMATED: return read_flag(json, &found->automated);
    default: return skip_scalar(json);
    }
}

static bool read_object(cursor json, fields *found) {
    u32 seen = 0, likely = 0;
    if (!read_mark(&json, '{')) return false;
    do {
        span name;
        if (!read_text(&json, &name) || !read_mark(&json, ':')) return false;
        u32 field = field_named(name, likely);
        if (field < FIELDS) {
            if (seen >> field & 1) return false; // given twice
            seen |= 1u << field;
            likely = field + 1;
        }
        if (!read_field(&json, field, found)) return false;
    } while (read_mark(&json, ','));
    if (!read_mark(&json, '}')) return false;
    skip_space(&json);
    return json.next == json.end && (seen & REQUIRED) == REQUIRED;
}

static bool is_identifier(span text) { return text.length >= 1 && text.length <= LONGEST_TEXT; }

static bool is_token(span text) { // ^[a-z0-9][a-z0-9_.-]{0,63}$
    if (!is_identifier(text)) return false;
    for (u32 at = 0; at < text.length; at++) {
        u8 character = text.text[at];
        bool inner = at && (character == '_' || character == '.' || character == '-');
        if (!inner && (u8)(character - 'a') > 25 && (u8)(character - '0') > 9) return false;
    }
    return true;
}

static bool read_login(minute *last, span key, span value, i64 earliest, double shortest, login *row, const u8 *texts) {
    fields found = {0};
    if (value.length > LARGEST_VALUE || !read_object((cursor){value.text, value.text + value.length}, &found)) return false;
    if (!is_identifier(found.event_id) || !is_identifier(found.customer_id) || !is_token(found.channel)) return false;
    if (key.length != found.customer_id.length || memcmp(key.text, found.customer_id.text, key.length)) return false;
    if (!read_instant(last, found.occurred_at.text, found.occurred_at.length, &row->at) || row->at < earliest) return false;
    row->id = (u64)(found.customer_id.text - texts);
    row->id_length = found.customer_id.length;
    row->engaged = !found.automated && (!found.has_seconds || found.session_seconds >= shortest);
    return true;
}

// Takes a batch's records apart. Keys and values stand one after another in two texts; a record's own are as long as
// the lengths say. Returns how many records are sound; the others' rows are left as they were.
EXPORT u32 scan_logins(const u8 *keys, const u32 *key_lengths, const u8 *values, const u32 *value_lengths, u32 count,
                       i64 earliest, double shortest, login *rows) {
    minute last = {{0}, 0};
    const u8 *texts = values;
    u32 sound = 0;
    for (u32 row = 0; row < count; row++) {
        span key = {keys, key_lengths[row]}, value = {values, value_lengths[row]};
        rows[row].is_sound = read_login(&last, key, value, earliest, shortest, &rows[row], texts);
        sound += rows[row].is_sound;
        keys += key.length;
        values += value.length;
    }
    return sound;
}

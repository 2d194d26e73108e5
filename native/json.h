// JSON as producers write it, read in place. Every reader answers false to what it is not sure of, and then the judge
// (schemas/judge.py) reads the record: escapes, letters beyond ASCII, exponents, leading zeros, a minus sign where none
// belongs. What is read many times per record stands here, so that compilers put it where it is used.
#ifndef ROI_JSON_H
#define ROI_JSON_H

#include "core.h"

typedef struct {
    const u8 *next, *end;
} cursor;

bool read_null(cursor *json);
bool read_flag(cursor *json, bool *flag);
bool read_integer(cursor *json, bool may_be_negative, i64 most, i64 *number); // -most...most or 0...most
bool read_number(cursor *json, double *number);                               // not negative
bool skip_scalar(cursor *json);

static inline void skip_space(cursor *json) {
    while (json->next < json->end && *json->next <= ' ' &&
           (*json->next == ' ' || *json->next == '\n' || *json->next == '\t' || *json->next == '\r'))
        json->next++;
}

static inline bool read_mark(cursor *json, u8 mark) {
    skip_space(json);
    if (json->next >= json->end || *json->next != mark) return false;
    json->next++;
    return true;
}

// Of eight bytes, the high bits of those that end a plain text: '"', '\', below 0x20, 0x7f and beyond ASCII (where `quote`
// misses 0xa2 alone and `escape` 0xdc alone). Above the lowest one a bit may be wrong: a subtraction borrows, an addition carries.
static inline u64 text_ends(u64 bytes) {
    const u64 ones = 0x0101010101010101ull, high = 0x8080808080808080ull;
    u64 quote = (bytes ^ '"' * ones) - ones, escape = (bytes ^ '\\' * ones) - ones;
    return (quote | escape | (bytes - ' ' * ones) | (bytes + ones)) & high;
}

static inline bool read_text(cursor *json, span *found) { // printable ASCII without escapes
    if (!read_mark(json, '"')) return false;
    const u8 *begin = json->next, *at = begin;
    u64 bytes, ends = 0;
    for (; json->end - at >= 8; at += 8) {
        memcpy(&bytes, at, 8);
        ends = text_ends(bytes);
        if (ends) break;
    }
    if (ends) at += __builtin_ctzll(ends) / 8;
    else while (at < json->end && *at != '"' && *at != '\\' && *at >= ' ' && *at <= '~') at++;
    if (at >= json->end || *at != '"') return false;
    *found = (span){begin, (u32)(at - begin)};
    json->next = at + 1;
    return true;
}

#endif

// Numbers, flags and null of JSON, and values that nobody asks for.
#include "json.h"

enum { MOST_DIGITS = 15, MOST_DIGITS_OF_INTEGER = 18 }; // exact as a double; exact in 64 bits

static bool read_word(cursor *json, const char *word, u32 length) {
    skip_space(json);
    if ((u64)(json->end - json->next) < length || memcmp(json->next, word, length)) return false;
    json->next += length;
    return true;
}

bool read_null(cursor *json) { return read_word(json, "null", 4); }

bool read_flag(cursor *json, bool *flag) {
    *flag = read_word(json, "true", 4);
    return *flag || read_word(json, "false", 5);
}

static u32 read_digits(cursor *json, i64 *number, u32 most) { // returns how many; more than `most` are one more
    u32 count = 0;
    for (; count <= most && json->next < json->end && (u8)(*json->next - '0') <= 9; count++)
        if (count < most) *number = *number * 10 + (*json->next++ - '0');
    return count;
}

static bool read_whole(cursor *json, i64 *number, u32 most, u32 *digits) { // the digits before a decimal point
    skip_space(json);
    const u8 *begin = json->next;
    *number = 0;
    *digits = read_digits(json, number, most);
    return *digits && *digits <= most && (*begin != '0' || *digits == 1);
}

// What follows a number must be a comma or the end, so a fraction or an exponent ends the reading of the record.
bool read_integer(cursor *json, bool may_be_negative, i64 most, i64 *number) {
    u32 digits;
    bool is_negative = may_be_negative && read_mark(json, '-');
    if (is_negative && (json->next >= json->end || *json->next < '1')) return false; // no space; -0 is for the judge
    if (!read_whole(json, number, MOST_DIGITS_OF_INTEGER, &digits) || *number > most) return false;
    if (is_negative) *number = -*number;
    return true;
}

// A number of at most 15 digits without sign or exponent. Digits and power of ten are exact as doubles, so their
// quotient is the double next to the decimal, which is what every reader of JSON makes of it (Clinger 1990).
bool read_number(cursor *json, double *number) {
    static const double powers[MOST_DIGITS + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    i64 all;
    u32 digits, decimals = 0;
    if (!read_whole(json, &all, MOST_DIGITS, &digits)) return false;
    if (json->next < json->end && *json->next == '.') {
        json->next++;
        decimals = read_digits(json, &all, MOST_DIGITS - digits);
        if (!decimals || digits + decimals > MOST_DIGITS) return false;
    }
    *number = (double)all / powers[decimals];
    return true;
}

bool skip_scalar(cursor *json) { // the value of a field that the contract does not name
    span text;
    double number;
    bool flag;
    skip_space(json);
    if (json->next >= json->end) return false;
    if (*json->next == '"') return read_text(json, &text);
    if ((u8)(*json->next - '0') <= 9) return read_number(json, &number);
    return read_flag(json, &flag) || read_null(json);
}

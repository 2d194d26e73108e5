// RFC 3339 instants in the spellings that producers use; schemas/instants.py has the last word on every other one.
#include "core.h"

static bool two_digits(const u8 *text, i64 *number) {
    u8 tens = (u8)(text[0] - '0'), ones = (u8)(text[1] - '0');
    *number = tens * 10 + ones;
    return tens <= 9 && ones <= 9;
}

// Days since 1970-01-01, counted from 1 March so that the leap day is the last of its year (H. Hinnant).
static i64 days_from_civil(i64 year, i64 month, i64 day) {
    i64 shifted = year - (month <= 2);
    i64 day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719468;
}

static bool read_minute(const u8 *text, i64 *milliseconds) { // 2026-03-01T08:15
    static const u8 last_day[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    i64 century, year, month, day, hour, minutes;
    if (!(two_digits(text, &century) && two_digits(text + 2, &year) && two_digits(text + 5, &month) &&
          two_digits(text + 8, &day) && two_digits(text + 11, &hour) && two_digits(text + 14, &minutes)))
        return false;
    if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':') return false;
    year += century * 100;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > last_day[month] + (leap && month == 2) || hour > 23 ||
        minutes > 59)
        return false;
    *milliseconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minutes) * MINUTE_MS;
    return true;
}

static bool read_offset(const u8 *text, u32 length, i64 *milliseconds) { // Z or +08:00
    i64 hours, minutes;
    *milliseconds = 0;
    if (length == 1) return *text == 'Z';
    if (length != 6 || (*text != '+' && *text != '-') || text[3] != ':') return false;
    if (!two_digits(text + 1, &hours) || !two_digits(text + 4, &minutes) || hours > 23 || minutes > 59) return false;
    *milliseconds = (*text == '-' ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
    return true;
}

bool read_instant(minute *last, const u8 *text, u32 length, i64 *milliseconds) {
    const i64 first = -62135596800000, end = 253402300800000; // the years 1 to 9999
    if (length < 20 || length > 35 || text[16] != ':') return false;
    if (memcmp(text, last->text, 16)) {
        last->text[0] = 0;
        if (!read_minute(text, &last->milliseconds)) return false;
        memcpy(last->text, text, 16);
    }
    i64 seconds, offset, thousandths = 0;
    if (!two_digits(text + 17, &seconds) || seconds > 59) return false;
    u32 at = 19;
    if (text[at] == '.') {
        i64 scale = 100;
        for (at++; at < length && (u8)(text[at] - '0') <= 9; at++, scale /= 10) thousandths += (text[at] - '0') * scale;
        if (at == 20) return false;
    }
    if (at >= length || !read_offset(text + at, length - at, &offset)) return false;
    *milliseconds = last->milliseconds + seconds * SECOND_MS + thousandths - offset;
    return *milliseconds >= first && *milliseconds < end;
}

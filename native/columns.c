// Columns of ClickHouse's Native format, as they lie in memory: a number is 8 bytes, a text has its length in front (LEB128).
#include "core.h"

void add_byte(list *column, u8 byte) { *(u8 *)list_add(column, 1, 1) = byte; }

void add_number(list *column, i64 number) { memcpy(list_add(column, sizeof number, 1), &number, sizeof number); }

void add_text(list *column, const void *bytes, u64 length) {
    for (u64 rest = length;; rest >>= 7) {
        add_byte(column, (u8)((rest & 127) | (rest > 127 ? 128 : 0)));
        if (rest <= 127) break;
    }
    memcpy(list_add(column, length, 1), bytes, length);
}

void add_name(list *column, const name *given) { add_text(column, given->bytes, given->length); }

void add_span(list *column, span text) { add_text(column, text.bytes, text.length); }

void add_hex(list *column, const u8 *bytes, u32 count) {
    static const char digits[] = "0123456789abcdef";
    u8 *text = list_add(column, 2 * (u64)count + 1, 1);
    *text++ = (u8)(2 * count);
    for (u32 at = 0; at < count; at++) {
        *text++ = (u8)digits[bytes[at] >> 4];
        *text++ = (u8)digits[bytes[at] & 15];
    }
}

// Says how many rows each sheet has, and how many bytes each column of each; returns the sum of the bytes.
EXPORT u64 shard_sheet_sizes(const shard *one, u64 *counts, u64 *sizes) {
    u64 bytes = 0;
    for (u32 number = 0; number < SHEETS; number++) {
        const sheet *each = &one->sheets[number];
        counts[number] = each->count;
        for (u32 column = 0; column < SHEET_COLUMNS; column++) bytes += *sizes++ = each->columns[column].count;
    }
    return bytes;
}

// Hands out the columns of all sheets, one behind the other, and empties these; `into` has room for what has been said.
EXPORT void shard_take_sheets(shard *one, u8 *into) {
    for (u32 number = 0; number < SHEETS; number++) {
        sheet *taken = &one->sheets[number];
        for (u32 column = 0; column < SHEET_COLUMNS; column++) {
            list *from = &taken->columns[column];
            if (from->count) memcpy(into, from->items, from->count);
            into += from->count;
            from->count = 0;
        }
        taken->count = 0;
    }
}

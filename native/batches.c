// Records of one Kafka record batch (format 2, decompressed) as columns; keys and values stay where they lie.
// "Unsure" is an answer: aiokafka's reader has the last word on whatever is not plainly right, and on its error.
#include "core.h"

enum { LEAST_RECORD = 7 }; // length, attributes, two deltas, key, value, count of headers: a byte each at least

typedef struct {
    const u8 *at, *end;
} reader;

// A zigzag varint; false where it does not end within the bytes or within 64 bits.
static bool read_varint(reader *from, i64 *number) {
    u64 bits = 0;
    for (u32 shift = 0; shift < 63 && from->at < from->end; shift += 7) {
        u8 byte = *from->at++;
        bits |= (u64)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = (i64)(bits >> 1) ^ -(i64)(bits & 1);
            return true;
        }
    }
    return false;
}

// Bytes behind their length, -1 for null; the place is counted from `base`.
static bool read_bytes(reader *from, const u8 *base, u32 *begin, u32 *length) {
    i64 size;
    if (!read_varint(from, &size) || size < -1 || size > from->end - from->at) return false;
    *begin = (u32)(from->at - base);
    *length = (u32)size; // NOBODY for null
    if (size > 0) from->at += size;
    return true;
}

static bool skip_headers(reader *from, const u8 *base) {
    i64 count;
    u32 begin, length;
    if (!read_varint(from, &count) || count < 0) return false;
    while (count--) {
        if (!read_bytes(from, base, &begin, &length) || length == NOBODY) return false;
        if (!read_bytes(from, base, &begin, &length)) return false;
    }
    return true;
}

static bool read_record(reader *from, const u8 *base, const batch_head *head, packed_record *into) {
    i64 size, time_delta, offset_delta;
    if (!read_varint(from, &size) || size < LEAST_RECORD - 1 || size > from->end - from->at) return false;
    reader record = {from->at, from->at + size};
    from->at += size;
    if (*record.at++ >= 0x80) return false; // attributes: unused, and a varint to some readers
    if (!read_varint(&record, &time_delta) || !read_varint(&record, &offset_delta)) return false;
    if (__builtin_add_overflow(head->first_timestamp, time_delta, &into->timestamp)) return false;
    if (offset_delta < 0 || offset_delta > INT32_MAX) return false;
    if (__builtin_add_overflow(head->base_offset, offset_delta, &into->offset)) return false;
    if (head->is_append_time) into->timestamp = head->max_timestamp;
    return read_bytes(&record, base, &into->key_begin, &into->key_length) &&
           read_bytes(&record, base, &into->value_begin, &into->value_length) && skip_headers(&record, base) &&
           record.at == record.end;
}

// Writes the records from an offset on, and returns how many these are; NOBODY: unsure.
EXPORT u32 batch_records(const u8 *texts, u64 size, const batch_head *head, packed_record *into) {
    if (size > INT32_MAX || head->count < 0 || (u64)head->count > size / LEAST_RECORD) return NOBODY;
    reader from = {texts, texts + size};
    i64 next = head->from_offset;
    u32 kept = 0;
    for (i64 left = head->count; left; left--) {
        packed_record record;
        if (!read_record(&from, texts, head, &record) || record.offset == INT64_MAX) return NOBODY;
        if (record.offset < next) continue; // before the position, or not in order: aiokafka drops both
        next = record.offset + 1;
        into[kept++] = record;
    }
    return from.at == from.end ? kept : NOBODY;
}

// Records of Kafka record batches (format 2, decompressed) as columns; keys and values stay where they lie.
// "Unsure" is an answer: aiokafka's reader has the last word on whatever is not plainly right, and on its error.
#include "core.h"

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

// Places are counted from `base`.
static u32 read_records(const u8 *base, reader from, const batch_head *head, packed_record *into) {
    i64 next = head->from_offset;
    u32 kept = 0;
    for (i64 left = head->count; left; left--) {
        packed_record record;
        if (!read_record(&from, base, head, &record) || record.offset == INT64_MAX) return NOBODY;
        if (record.offset < next) continue; // before the position, or not in order: aiokafka drops both
        next = record.offset + 1;
        into[kept++] = record;
    }
    return from.at == from.end ? kept : NOBODY;
}

// Writes the records from an offset on, and returns how many these are; NOBODY: unsure.
EXPORT u32 batch_records(const u8 *texts, u64 size, const batch_head *head, packed_record *into) {
    if (size > INT32_MAX || head->count < 0 || (u64)head->count > size / LEAST_RECORD) return NOBODY;
    return read_records(texts, (reader){texts, texts + size}, head, into);
}

// -- record batches as a fetch brings them, one after another ------------------------------------------------------------
//
// offset 0 | length 8 | leader epoch 12 | format 16 | sum 17 | attributes 21 | newest offset - first 23 | first time 27 |
// newest time 35 | producer 43, 51, 53 | count 57 | records 61

enum { LENGTH_AT = 8, SUMMED_UP = 12, FORMAT_AT = 16, SUM_AT = 17, ATTRIBUTES_AT = 21, HEAD = 61, CODEC = 7, APPEND_TIME = 8 };

typedef struct {
    const u8 *records, *end;
    batch_head head;
    i64 next_offset;
    u32 sum, codec;
} fetched_batch;

static i64 number_at(const u8 *at, u32 bytes) {
    u64 bits = at[0] & 0x80 ? UINT64_MAX : 0;
    for (u32 place = 0; place < bytes; place++) bits = bits << 8 | at[place];
    return (i64)bits;
}

// False where it is cut off, of another format, of a transaction, a marker, or has attributes that are not known here (as of
// a compacted topic's delete horizon): each of them is read by itself.
static bool read_head(const u8 *at, const u8 *end, fetched_batch *found) {
    if (end - at < HEAD || at[FORMAT_AT] != 2) return false;
    i64 size = number_at(at + LENGTH_AT, 4);
    if (size < HEAD - SUMMED_UP || size > end - at - SUMMED_UP) return false;
    u64 attributes = (u64)number_at(at + ATTRIBUTES_AT, 2);
    if (attributes & ~(u64)(APPEND_TIME | CODEC)) return false;
    found->codec = attributes & CODEC;
    found->records = at + HEAD;
    found->end = at + SUMMED_UP + size;
    found->sum = (u32)number_at(at + SUM_AT, 4);
    found->head = (batch_head){
        .base_offset = number_at(at, 8),
        .first_timestamp = number_at(at + 27, 8),
        .max_timestamp = number_at(at + 35, 8),
        .count = number_at(at + 57, 4),
        .is_append_time = (attributes & APPEND_TIME) != 0,
    };
    i64 behind = number_at(at + 23, 4);
    return found->head.count >= 0 && behind >= 0 &&
           !__builtin_add_overflow(found->head.base_offset, behind + 1, &found->next_offset);
}

static bool read_plain_head(const u8 *at, const u8 *end, fetched_batch *found) {
    return read_head(at, end, found) && !found->codec && found->head.count <= (found->end - found->records) / LEAST_RECORD;
}

static bool is_sound(const u8 *at, const fetched_batch *batch) {
    return crc32c(at + ATTRIBUTES_AT, (u64)(batch->end - at - ATTRIBUTES_AT), false) == batch->sum;
}

// Writes the batch's records, which lie between two places counted from `base`, and moves on behind it; returns how many it
// has kept. NOBODY: unsure, nothing has moved.
static u32 take(const u8 *base, reader records, fetched_batch *batch, const u8 *fetched, fetch_progress *from,
                packed_record *into) {
    batch->head.from_offset = from->next_offset;
    u32 kept = read_records(base, records, &batch->head, into);
    if (kept == NOBODY) return NOBODY;
    from->next_offset = batch->next_offset;
    from->begin = (u64)(batch->end - fetched);
    return kept;
}

// How many records the next plain batches hold, of at least one batch if that is plain, of no further one beyond `most`;
// none where the place to begin at lies behind the fetch.
EXPORT u32 plain_count(const u8 *fetched, u64 size, const fetch_progress *from, u32 most) {
    fetched_batch batch;
    u64 count = 0;
    if (from->begin > size) return 0;
    for (const u8 *at = fetched + from->begin; read_plain_head(at, fetched + size, &batch); at = batch.end) {
        if (count && count + (u64)batch.head.count > most) break;
        count += (u64)batch.head.count;
    }
    return count > NOBODY - 1 ? 0 : (u32)count;
}

// Writes up to `room` records of the next plain batches, moves on behind the last one that it was sure of, and returns how
// many records those have kept; 0 where the place to begin at lies behind the fetch.
EXPORT u32 plain_records(const u8 *fetched, u64 size, fetch_progress *from, bool checks, u32 room, packed_record *into) {
    fetched_batch batch;
    u32 kept = 0;
    if (from->begin > size) return 0;
    while (read_plain_head(fetched + from->begin, fetched + size, &batch) && batch.head.count <= room) {
        if (checks && !is_sound(fetched + from->begin, &batch)) break;
        u32 found = take(fetched, (reader){batch.records, batch.end}, &batch, fetched, from, into + kept);
        if (found == NOBODY) break;
        kept += found;
        room -= (u32)batch.head.count;
    }
    return kept;
}

// Writes what is to be decompressed of the next compressed batches whose sums are right, up to `room` of them, and of no
// further one beyond `most` records; returns how many these are.
EXPORT u32 compressed_batches(const u8 *fetched, u64 size, const fetch_progress *from, bool checks, u32 most, u32 room,
                              compressed_batch *into) {
    fetched_batch batch;
    u32 found = 0;
    u64 count = 0;
    if (from->begin > size) return 0;
    const u8 *at = fetched + from->begin;
    for (; found < room && read_head(at, fetched + size, &batch) && batch.codec; at = batch.end) {
        if ((found && count + (u64)batch.head.count > most) || (checks && !is_sound(at, &batch))) break;
        u64 begin = (u64)(batch.records - fetched), end = (u64)(batch.end - fetched);
        into[found++] = (compressed_batch){begin, end, batch.codec, (u64)batch.head.count};
        count += (u64)batch.head.count;
    }
    return found;
}

// Writes up to `room` records of the first `batches` of those, whose decompressed texts stand one behind another in `texts`,
// each up to its place in `ends`; moves on and returns as `plain_records`.
EXPORT u32 compressed_records(const u8 *fetched, u64 size, fetch_progress *from, const u8 *texts, const u64 *ends, u32 batches,
                              u32 room, packed_record *into) {
    fetched_batch batch;
    u32 kept = 0;
    if (from->begin > size || !batches || ends[batches - 1] > INT32_MAX) return 0;
    const u8 *begin = texts;
    for (u32 number = 0; number < batches; begin = texts + ends[number++]) {
        const u8 *end = texts + ends[number];
        if (!read_head(fetched + from->begin, fetched + size, &batch) || begin > end || batch.head.count > room) break;
        if (batch.head.count > (end - begin) / LEAST_RECORD) break;
        u32 found = take(texts, (reader){begin, end}, &batch, fetched, from, into + kept);
        if (found == NOBODY) break;
        kept += found;
        room -= (u32)batch.head.count;
    }
    return kept;
}

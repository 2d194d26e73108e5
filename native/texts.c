// Ids of events: kept once in one array, told by where they stand. What nobody refers to any more goes when the array
// has doubled since the last time, so each byte is moved about once.
#include "core.h"
#include <stdlib.h>

// An entry is a byte of length, or LONGER and two, then the text; or UUID and 16 bytes. It begins at an even place, and has
// room for a mark and where it went, while texts move.
enum { MOVED, UUID = 254, LONGER = 255, EVEN = 2, SMALLEST = 1 + sizeof(text), UUID_BYTES = 16, FIRST_LIMIT = 1 << 20 };

static u8 *entry_of(const list *texts, text kept) { return ITEM(*texts, u8, (u64)kept * EVEN); }

// Packs 32 hexadecimal digits, in lower case, into 16 bytes; false if they are none. Eight letters at a time: a digit is
// known by what it is spelled as, so there is nothing to branch on.
bool pack_digits(const u8 *letters, u8 *packed) {
    const u64 each = 0x0101010101010101;
    u64 wrong = 0;
    for (u32 at = 0; at < 4; at++) {
        u64 text, digits, is_letter;
        memcpy(&text, letters + 8 * at, sizeof text);
        digits = (text & 15 * each) + 9 * ((text >> 6) & each); // 'a' is 0x61
        is_letter = ((digits & 15 * each) + 6 * each) >> 4 & each;
        wrong |= (digits + '0' * each + ('a' - '0' - 10) * is_letter) ^ text; // spelled again, it is the same
        digits = (digits << 4 | digits >> 8) & 0x00ff00ff00ff00ff;
        digits = (digits | digits >> 8) & 0x0000ffff0000ffff;
        u32 bytes = (u32)(digits | digits >> 16);
        memcpy(packed + 4 * at, &bytes, sizeof bytes);
    }
    return !wrong;
}

static bool is_hyphen(u32 place) { return place == 8 || place == 13 || place == 18 || place == 23; }

static bool pack_uuid(const u8 *bytes, u32 length, u8 *packed) { // false: it is none, or spelled in another way
    if (length != UUID_LENGTH || bytes[8] != '-' || bytes[13] != '-' || bytes[18] != '-' || bytes[23] != '-') return false;
    u8 letters[2 * UUID_BYTES];
    memcpy(letters, bytes, 8);
    memcpy(letters + 8, bytes + 9, 4);
    memcpy(letters + 12, bytes + 14, 4);
    memcpy(letters + 16, bytes + 19, 4);
    memcpy(letters + 20, bytes + 24, 12);
    return pack_digits(letters, packed);
}

static void unpack_uuid(const u8 *packed, u8 *bytes) {
    for (u32 place = 0; place < UUID_LENGTH; place += 2, packed++) {
        if (is_hyphen(place)) bytes[place++] = '-';
        bytes[place] = (u8)"0123456789abcdef"[*packed >> 4];
        bytes[place + 1] = (u8)"0123456789abcdef"[*packed & 15];
    }
}

static u8 *add_entry(shard *one, u32 size, text *kept) {
    if (!one->texts.count) memset(list_add(&one->texts, EVEN, 1), 0, EVEN); // no text stands at NO_TEXT
    if (one->texts.count / EVEN > UINT32_MAX) abort(); // 8 GB of ids in one shard
    *kept = (text)(one->texts.count / EVEN);
    return list_add(&one->texts, ((size < SMALLEST ? SMALLEST : size) + EVEN - 1) / EVEN * EVEN, 1);
}

text keep_text(shard *one, const u8 *bytes, u32 length) {
    text kept;
    u8 packed[UUID_BYTES];
    if (!length) return NO_TEXT;
    if (length > UINT16_MAX) abort(); // an id has at most 64 characters
    if (pack_uuid(bytes, length, packed)) {
        u8 *entry = add_entry(one, 1 + UUID_BYTES, &kept);
        *entry = UUID;
        memcpy(entry + 1, packed, UUID_BYTES);
        return kept;
    }
    u32 head = length < UUID ? 1 : 3;
    u16 stored = (u16)length;
    u8 *entry = add_entry(one, head + length, &kept);
    *entry = head == 1 ? (u8)length : LONGER;
    if (head > 1) memcpy(entry + 1, &stored, sizeof stored);
    memcpy(entry + head, bytes, length);
    return kept;
}

static span read_entry(const u8 *entry, u8 *room) {
    if (*entry == UUID) {
        unpack_uuid(entry + 1, room);
        return (span){room, UUID_LENGTH};
    }
    if (*entry < UUID) return (span){entry + 1, *entry};
    u16 length;
    memcpy(&length, entry + 1, sizeof length);
    return (span){entry + 3, length};
}

static u32 size_of(const u8 *entry) {
    u16 length = *entry;
    if (length == LONGER) memcpy(&length, entry + 1, sizeof length);
    return *entry == UUID ? 1 + UUID_BYTES : (*entry < UUID ? 1u : 3u) + length;
}

// A kept text; one that is not kept as such is written to `room`, UUID_LENGTH bytes.
span read_text_of(const shard *one, text kept, u8 *room) {
    return kept == NO_TEXT ? (span){room, 0} : read_entry(entry_of(&one->texts, kept), room);
}

i32 compare_texts(span a, span b) { // UTF-8 compares as its characters do
    i32 order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order ? order : (i32)a.length - (i32)b.length;
}

i32 compare_events(const shard *one, i64 at, text id, i64 other_at, text other_id) {
    if (at != other_at) return at < other_at ? -1 : 1;
    return id == other_id ? 0 : compare_texts(text_of(one, id), text_of(one, other_id));
}

// -- throwing away ---------------------------------------------------------------------------------------------------

static void move(shard *one, const list *old, text *kept) {
    if (*kept == NO_TEXT) return;
    u8 *entry = entry_of(old, *kept);
    if (*entry == MOVED) { // somebody else refers to it, too
        memcpy(kept, entry + 1, sizeof *kept);
        return;
    }
    u32 size = size_of(entry);
    memcpy(add_entry(one, size, kept), entry, size);
    *entry = MOVED;
    memcpy(entry + 1, kept, sizeof *kept);
}

// Throws away the texts that nobody refers to, once there are many bytes. The changes of a block must have been handed
// out: they refer to texts, too, and are not asked here.
void compact_texts(shard *one) {
    if (one->texts.count < (one->texts_limit ? one->texts_limit : FIRST_LIMIT)) return;
    list old = one->texts;
    one->texts = (list){0};
    for (u64 at = 0; at < one->touches.items.count; at++) move(one, &old, &TOUCH(one, at)->event_id);
    for (u64 at = 0; at < one->transactions.items.count; at++) move(one, &old, &TRANSACTION(one, at)->event_id);
    for (u64 at = 0; at < one->extras.items.count; at++) move(one, &old, &EXTRAS(one, at)->product);
    for (u64 at = 0; at < one->reversals.items.count; at++) {
        move(one, &old, &REVERSAL(one, at)->event_id);
        move(one, &old, &REVERSAL(one, at)->original_id);
    }
    for (u64 at = 0; at < one->originals.count; at++) move(one, &old, &ITEM(one->originals, original, at)->id);
    for (u64 at = 0; at < one->credits.items.count; at++) move(one, &old, &CREDIT(one, at)->touch_id);
    for (u64 at = 0; at < one->touch_ids.count; at++) move(one, &old, &ITEM(one->touch_ids, seen, at)->event_id);
    list_free(&old);
    one->texts_limit = one->texts.count * 2 + FIRST_LIMIT;
}

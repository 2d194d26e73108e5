// Ids of events: kept once in one array, told by where they stand. What nobody refers to any more goes when the array
// has doubled since the last time, so each byte is moved about once.
#include "core.h"
#include <stdlib.h>

// An entry is a byte of length, or LONGER and two, then the text; it begins at an even place. It has room for a mark and
// where it went, while texts move.
enum { MOVED, LONGER = 255, EVEN = 2, SMALLEST = 1 + sizeof(text), FIRST_LIMIT = 1 << 20 };

static u8 *entry_of(const list *texts, text kept) { return ITEM(*texts, u8, (u64)kept * EVEN); }

text keep_text(shard *one, const u8 *bytes, u32 length) {
    u32 head = length < LONGER ? 1 : 3, size = head + length < SMALLEST ? SMALLEST : head + length;
    if (!length) return NO_TEXT;
    if (length > UINT16_MAX) abort(); // an id has at most 64 characters
    if (!one->texts.count) memset(list_add(&one->texts, EVEN, 1), 0, EVEN); // no text stands at NO_TEXT
    if (one->texts.count / EVEN > UINT32_MAX) abort(); // 8 GB of ids in one shard
    text kept = (text)(one->texts.count / EVEN);
    u8 *entry = list_add(&one->texts, (size + EVEN - 1) / EVEN * EVEN, 1);
    u16 stored = (u16)length;
    *entry = head == 1 ? (u8)length : LONGER;
    if (head > 1) memcpy(entry + 1, &stored, sizeof stored);
    memcpy(entry + head, bytes, length);
    return kept;
}

static span read_entry(const u8 *entry) {
    u16 length = *entry;
    if (length < LONGER) return (span){entry + 1, length};
    memcpy(&length, entry + 1, sizeof length);
    return (span){entry + 3, length};
}

span text_of(const shard *one, text kept) {
    return kept == NO_TEXT ? (span){(const u8 *)"", 0} : read_entry(entry_of(&one->texts, kept));
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
    span old_text = read_entry(entry);
    *kept = keep_text(one, old_text.bytes, old_text.length);
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

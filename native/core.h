// The compiled core of one shard: what it keeps in memory, and what its files offer each other and Python.
// README.md beside this file draws the layout; pipeline/native/library.py declares the exported functions for ctypes.
//
// Numbers that come from events are signed, and overflow of a signed number stops the process, as an index beyond an
// array does (see pipeline/native/build.py): rather no number than a wrong one.
#ifndef ROI_CORE_H
#define ROI_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are written as they lie in memory");

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define EXPORT __attribute__((visibility("default")))
#define NOBODY 0xffffffffu // no customer has this number

// -- memory.c: arrays that grow, and numbers found by a hash ---------------------------------------------------------

typedef struct {
    void *items;
    u64 count, room; // in items
} list;

// Room for `more` items of a size behind the last one; the caller fills them. Stops the process where there is none.
void *list_add(list *items, u64 more, u64 size);
#define ITEM(items_, type, number) ((type *)(items_).items + (number))

// An open hash table of numbers. A slot holds the upper half of a key's hash and the number + 1; 0 is a free slot.
typedef struct {
    u64 *slots;
    u32 mask, used;
} table;

u64 hash_bytes(u64 seed, const void *bytes, u64 length); // keyed: whoever chooses ids cannot choose where they collide
void table_add(table *numbers, u64 hash, u32 number);    // the key must not be there yet

// -- customers.c: who is known, by id and by pseudonym ---------------------------------------------------------------

enum { PSEUDONYM = 16 };
enum { DORMANT, MET, ERASED }; // loaded and not seen since; known by its id; forgotten, its number is not used again

typedef struct {
    u64 id;               // where the id begins in `ids`, once met
    i32 last_day;         // the day of bit 0 in both sets of days
    u16 id_length, tier;
    u8 pseudonym[PSEUDONYM];
    u8 standing;          // DORMANT, MET or ERASED
    u8 engaged_before_horizon;
} customer;

// -- activity.c: login days ------------------------------------------------------------------------------------------

enum { DAU, WAU_CHANGE, MAU_CHANGE, GROSS_DAY, GROSS_MAU_CHANGE, REACTIVATED, DAY_WIDTH };

typedef struct { // what a day of one tier has gained since the last time it was handed out
    i64 measures[DAY_WIDTH];
    i32 day;
    u32 tier;
} day_change;

typedef struct { // a customer's login day that says something new
    i64 day;
    u8 pseudonym[PSEUDONYM];
    u16 tier;
    u8 engaged;
} login_day;

// One login of a batch, as the scanner or Python writes it: an array of them goes in.
typedef struct {
    i64 at;               // epoch milliseconds
    u64 id;               // where the customer's id begins in the batch's texts
    u32 id_length;
    u32 customer;         // its number, NOBODY for a stranger
    i32 day;              // business day of `at`
    u8 engaged, is_sound; // unsound: the judge has to look at the record
    u8 unused[2];
} login;

typedef struct {
    u8 length, text[255]; // as ClickHouse's Native format has a text
} tier_name;

typedef struct {
    u64 seed;
    u32 span, words;      // days remembered one by one, 64-bit words of a set of days
    u32 known;            // customers that are not ERASED
    list customers;       // customer
    list ids;             // u8: texts of ids, one after another
    list days;            // u64: per customer `words` of engaged days, then `words` of all login days
    list tiers;           // tier_name
    table by_id, by_pseudonym;
    list changes;         // day_change
    table change_of;      // day changes by tier and day
    list facts;           // login_day
    list columns[4];      // u8: facts as columns of ClickHouse's Native format: day, pseudonym, engaged, tier
} shard;

// -- instants.c ------------------------------------------------------------------------------------------------------

typedef struct { // the last minute that was read: nearly every event is of the same one
    char text[16];
    i64 milliseconds;
} minute;

// Reads the usual spellings of RFC 3339; false: somebody else has to look at it.
bool read_instant(minute *last, const u8 *text, u32 length, i64 *milliseconds);

#endif

// How many bytes each structure of a shard takes, for whoever asks where memory goes (bench/memory.py).
#include "core.h"

// in the order of SIZES in pipeline/native/library.py
enum { OF_CUSTOMERS, OF_IDS, OF_DAYS, OF_CUSTOMER_TABLES, OF_ACCOUNTS, OF_BLOCKS, OF_REACHES, OF_CONVERSIONS, OF_TOUCHES, OF_TRANSACTIONS,
       OF_REVERSALS, OF_CREDITS, OF_TEXTS, OF_TOUCH_IDS, OF_TOUCH_ID_TABLE, OF_EVENT_TABLE, OF_DUES, OF_CELLS, OF_ROWS };

static u64 list_bytes(const list *of, u64 size) { return of->count * size; }

static u64 table_bytes(const table *of) { return of->size * sizeof(u64); }

static u64 block_bytes(const numbers *of) { // malloc adds a word and rounds up to two
    const block *many = block_of(of);
    return many ? (sizeof *many + many->room * sizeof(u32) + 8 + 15) / 16 * 16 : 0;
}

static u64 bytes_of_blocks(const shard *one) {
    u64 bytes = 0;
    for (u64 at = 0; at < one->accounts.count; at++) {
        const account *had = ACCOUNT(one, at);
        bytes += block_bytes(&had->touches) + block_bytes(&had->transactions) + block_bytes(&had->reached);
        bytes += block_bytes(&had->converted) + block_bytes(&had->past);
    }
    for (u64 at = 0; at < one->conversions.items.count; at++) bytes += block_bytes(&CONVERSION(one, at)->transactions);
    return bytes;
}

static u64 bytes_of_cells(const cells *all) {
    u64 bytes = 0;
    for (u64 number = 0; number < all->families.count; number++) {
        const family *of = ITEM(all->families, family, number);
        bytes += list_bytes(&of->cells, sizeof(cell)) + table_bytes(&of->number_of) + list_bytes(&of->memo, sizeof(u32));
        bytes += list_bytes(&of->before, sizeof(measures)) + list_bytes(&of->changed, sizeof(u32));
    }
    return bytes;
}

static u64 bytes_of_rows(const shard *one) { // which a block takes with it; their room stays
    u64 bytes = one->changes.room + one->credit_changes.room + one->standings.room;
    bytes += table_bytes(&one->change_of) + table_bytes(&one->change_of_credit);
    for (u32 at = 0; at < SHEETS; at++)
        for (u32 column = 0; column < SHEET_COLUMNS; column++) bytes += one->sheets[at].columns[column].room;
    return bytes;
}

// The bytes of one kind of things, without the room of long lists that nothing has been written to: it takes no memory yet.
EXPORT u64 shard_size(const shard *one, u32 kind) {
    switch (kind) {
    case OF_CUSTOMERS: return list_bytes(&one->customers, sizeof(customer));
    case OF_IDS: return list_bytes(&one->ids, 1);
    case OF_DAYS: return list_bytes(&one->days, sizeof(u64)) + list_bytes(&one->engaged.items, one->words * sizeof(u64));
    case OF_CUSTOMER_TABLES: return table_bytes(&one->by_id) + table_bytes(&one->by_pseudonym);
    case OF_ACCOUNTS: return list_bytes(&one->accounts, sizeof(account));
    case OF_BLOCKS: return bytes_of_blocks(one);
    case OF_REACHES: return list_bytes(&one->reaches.items, sizeof(reach));
    case OF_CONVERSIONS: return list_bytes(&one->conversions.items, sizeof(conversion));
    case OF_TOUCHES: return list_bytes(&one->touches.items, sizeof(touch));
    case OF_TRANSACTIONS: return list_bytes(&one->transactions.items, sizeof(transaction)) + list_bytes(&one->extras.items, sizeof(extras));
    case OF_REVERSALS: return list_bytes(&one->reversals.items, sizeof(reversal));
    case OF_CREDITS: return list_bytes(&one->credits.items, sizeof(credit));
    case OF_TEXTS: return list_bytes(&one->texts, 1);
    case OF_TOUCH_IDS: return list_bytes(&one->touch_ids, sizeof(seen));
    case OF_TOUCH_ID_TABLE: return table_bytes(&one->touch_id_of);
    case OF_EVENT_TABLE: return table_bytes(&one->event_of);
    case OF_DUES: return list_bytes(&one->dues, sizeof(due));
    case OF_CELLS: return bytes_of_cells(one->cells);
    case OF_ROWS: return bytes_of_rows(one);
    default: return 0;
    }
}

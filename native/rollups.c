// What a block stores of cells: rows of those that have changed, minutes summed up in hours and hours in business days
// (pipeline/state/rollups.py), and chapters that end before their money is beyond 64 bits.
#include "core.h"
#include <stdio.h>

#define FULL ((sum)1 << 62)
_Static_assert((int)DAY_SHEET - (int)TIER_SHEET == (int)DAY_CELL - (int)TIER_CELL, "sheets in the order of families");

typedef struct { // in the order of the ledger
    sum values[CELL_WIDTH];
} stored;

static stored stored_of(const measures *all) {
    stored found = {{
        [TOUCHES] = all->touches,
        [REACHED] = all->reached,
        [CONVERSION_MILLIONTHS] = all->millionths,
        [CONVERTERS] = all->converters,
        [COST_MINOR] = all->cost_minor,
        [RETURN_MINOR] = all->return_minor,
        [AUM_MINOR] = all->aum_minor,
    }};
    return found;
}

// -- rows --------------------------------------------------------------------------------------------------------------

static void write_place(const shard *one, sheet *rows, u32 number, const cell *each, u32 part) {
    const name *id = &CAMPAIGN(one, each->campaign)->id;
    char text[12] = "";
    if (part) snprintf(text, sizeof text, "%u", part);
    // hours are ordered by time first: a few of them of all campaigns are to lie together
    add_name(&rows->columns[number == HOUR_CELL ? ID_COLUMN : CAMPAIGN_COLUMN], id);
    add_text(&rows->columns[number == HOUR_CELL ? OTHER_ID_COLUMN : ID_COLUMN], text, strlen(text));
    if (number == TIER_CELL) add_name(&rows->columns[LABEL_COLUMN], TIER_NAME(one, each->detail));
    if (number == VARIANT_CELL) add_name(&rows->columns[LABEL_COLUMN], &ARM(one, each->detail)->variant);
    if (number >= MINUTE_CELL) add_number(&rows->columns[AT_COLUMN], each->coordinate);
    if (number == COHORT_CELL) memcpy(list_add(&rows->columns[LAG_COLUMN], sizeof(u32), 1), &each->detail, sizeof(u32));
}

// How many rows a cell takes where a sheet is written in parts, so that a measure of each is within 64 bits.
static sum parts_of(const stored *all) {
    sum largest = 0;
    for (u32 measure = 0; measure < CELL_WIDTH; measure++) {
        sum size = all->values[measure] < 0 ? -all->values[measure] : all->values[measure];
        if (size > largest) largest = size;
    }
    return largest > FULL ? (largest + FULL - 1) / FULL : 1;
}

static sum share_of(sum whole, sum parts, u32 part) {
    sum share = whole / parts, rest = whole % parts;
    if (rest < 0) rest += parts, share--;
    return share + (part < rest);
}

// Rows that add up to the cell; a number tells those of one chapter apart, '' for the first.
static void write_cell(shard *one, u32 model, u32 number, const cell *each, bool is_in_parts) {
    sheet *rows = &one->sheets[TIER_SHEET + number];
    stored all = stored_of(&each->now);
    sum parts = is_in_parts ? parts_of(&all) : 1;
    for (u32 part = 0; part < parts; part++) {
        rows->count++;
        write_place(one, rows, number, each, part);
        add_name(&rows->columns[MODEL_COLUMN], ITEM(one->labels, name, model));
        add_number(&rows->columns[CHAPTER_COLUMN], (i64)each->chapter);
        i64 *values = list_add(&rows->columns[MEASURES_COLUMN], CELL_WIDTH * sizeof *values, 1);
        for (u32 measure = 0; measure < CELL_WIDTH; measure++) {
            sum whole = all.values[measure];
            values[measure] = (i64)(is_in_parts ? share_of(whole, parts, part) : whole);
        }
    }
}

// -- wider cells -------------------------------------------------------------------------------------------------------

// Adds to the hour of a minute, or the day of an hour, what it holds more than the last block had. `known` is the quarter of
// an hour that was asked for last, NULL for none: cells change nearly in order of time.
static void roll_up(shard *one, u32 model, u32 number, const cell *part, const measures *before, const quarter **known) {
    bool is_minute = number == MINUTE_CELL;
    i64 at = part->coordinate * (is_minute ? MINUTE_MS : SECOND_MS);
    if (!*known || (*known)->number != floor_divide(at, QUARTER_MS)) *known = quarter_of(one, at);
    const quarter *when = *known;
    family *wholes = FAMILY(one, model, is_minute ? HOUR_CELL : DAY_CELL);
    measures *whole = &changing_cell(one, wholes, part->campaign, 0, is_minute ? when->hour : when->day)->now;
    const measures *now = &part->now;
    whole->touches += now->touches - before->touches;
    whole->reached += now->reached - before->reached;
    whole->millionths += now->millionths - before->millionths;
    whole->converters += now->converters - before->converters;
    whole->cost_minor += now->cost_minor - before->cost_minor;
    whole->return_minor += now->return_minor - before->return_minor;
    whole->aum_minor += now->aum_minor - before->aum_minor;
}

// -- out ---------------------------------------------------------------------------------------------------------------

static bool is_full(sum money) { return money <= -FULL || money >= FULL; }

// What the cell holds has been handed out; where its money nears 64 bits it goes on at zero, in the next chapter.
static void settle(cell *each, u64 version) {
    each->is_changed = 0;
    each->used = version;
    if (!is_full(each->now.cost_minor) && !is_full(each->now.return_minor) && !is_full(each->now.aum_minor)) return;
    each->chapter = version + 1;
    memset(&each->now, 0, sizeof each->now);
}

static void drain(shard *one, u32 model, u32 number, u64 version, bool is_in_parts) {
    family *of = FAMILY(one, model, number);
    const quarter *known = NULL;
    for (u64 at = 0; at < of->changed.count; at++) {
        u32 changed = *ITEM(of->changed, u32, at);
        cell *each = ITEM(of->cells, cell, changed);
        write_cell(one, model, number, each, is_in_parts);
        if (of->is_summed_up) roll_up(one, model, number, each, ITEM(of->before, measures, at), &known);
        settle(each, version);
    }
    of->changed.count = of->before.count = 0;
}

static bool fits(sum money) { return money == (i64)money; }

static bool is_written_whole(const cell *each) {
    return fits(each->now.cost_minor) && fits(each->now.return_minor) && fits(each->now.aum_minor);
}

static bool has_beyond_64_bits(const shard *one, u32 number) {
    for (u32 model = 0; model < one->models; model++) {
        const family *of = FAMILY(one, model, number);
        for (u64 at = 0; at < of->changed.count; at++)
            if (!is_written_whole(ITEM(of->cells, cell, *ITEM(of->changed, u32, at)))) return true;
    }
    return false;
}

// Writes every cell changed since the last call into the sheets, as stored by the block of this version.
EXPORT void shard_drain_cells(shard *one, u64 version) {
    for (u32 number = 0; number < FAMILIES; number++) { // each family after those whose wider cells it holds
        bool is_in_parts = has_beyond_64_bits(one, number);
        for (u32 model = 0; model < one->models; model++) drain(one, model, number, version, is_in_parts);
    }
}

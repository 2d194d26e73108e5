// The numbers of campaigns: pipeline/state/cells.py and chapters.py once more. What events add is found and counted here,
// what a block stores of it is rollups.c.
#include "core.h"
#include <stdlib.h>

enum { MEMO = 16 };

cells *cells_new(void) {
    cells *all = calloc(1, sizeof(cells));
    if (!all) abort();
    return all;
}

void cells_add_model(cells *all) {
    family *fresh = list_add(&all->families, FAMILIES, sizeof(family));
    memset(fresh, 0, FAMILIES * sizeof *fresh);
    fresh[MINUTE_CELL].is_summed_up = fresh[HOUR_CELL].is_summed_up = true;
}

void cells_free(cells *all) {
    for (u64 number = 0; number < all->families.count; number++) {
        family *of = ITEM(all->families, family, number);
        list_free(&of->cells);
        table_free(&of->number_of);
        list_free(&of->memo);
        list_free(&of->before);
        list_free(&of->changed);
    }
    list_free(&all->families);
    free(all);
}

u64 cells_count(const cells *all) {
    u64 count = 0;
    for (u64 number = 0; number < all->families.count; number++)
        if (number % FAMILIES >= MINUTE_CELL) count += ITEM(all->families, family, number)->cells.count;
    return count;
}

// Gives cells that come to memory from now on this chapter.
EXPORT void shard_open_chapter(shard *one, u64 chapter) { one->cells->chapter = chapter; }

// -- finding a cell, marked to be stored -----------------------------------------------------------------------------

static u64 hash_of(const shard *one, u32 campaign, u32 detail, i64 coordinate) {
    struct { u32 campaign, detail; i64 coordinate; } key = {campaign, detail, coordinate};
    return hash_bytes(one->seed, &key, sizeof key);
}

static void remember_more(family *of, u32 campaign) {
    u64 more = ((u64)campaign + 1) * MEMO - of->memo.count;
    memset(list_add(&of->memo, more, sizeof(u32)), 0, more * sizeof(u32));
}

static u32 begin(shard *one, family *of, u32 campaign, u32 detail, i64 coordinate, u64 hash) {
    if (of->cells.count >= NOBODY) abort();
    cell *fresh = list_add(&of->cells, 1, sizeof(cell));
    u64 chapter = one->cells->chapter;
    *fresh = (cell){.coordinate = coordinate, .campaign = campaign, .detail = detail, .chapter = chapter, .used = chapter};
    u32 number = (u32)(of->cells.count - 1);
    table_add(&of->number_of, hash, number);
    return number;
}

static bool is_of(const cell *each, u32 campaign, u32 detail, i64 coordinate) {
    return each->coordinate == coordinate && each->campaign == campaign && each->detail == detail;
}

static u32 find(shard *one, family *of, u32 campaign, u32 detail, i64 coordinate) {
    u64 hash = hash_of(one, campaign, detail, coordinate);
    u32 number;
    for (search by = search_for(&of->number_of, hash); (number = next_number(&by)) != NOBODY;)
        if (is_of(ITEM(of->cells, cell, number), campaign, detail, coordinate)) return number;
    return begin(one, of, campaign, detail, coordinate, hash);
}

cell *changing_cell(shard *one, family *of, u32 campaign, u32 detail, i64 coordinate) {
    // what comes together has places of its own: minutes one after another, some tiers, the lags of one day's credits
    u64 place = (u64)campaign * MEMO + (((u64)coordinate + 2 * (u64)detail) & (MEMO - 1));
    if (place >= of->memo.count) remember_more(of, campaign);
    u32 *memo = ITEM(of->memo, u32, place);
    if (*memo >= of->cells.count || !is_of(ITEM(of->cells, cell, *memo), campaign, detail, coordinate))
        *memo = find(one, of, campaign, detail, coordinate);
    cell *found = ITEM(of->cells, cell, *memo);
    if (!found->is_changed) {
        found->is_changed = 1;
        *(u32 *)list_add(&of->changed, 1, sizeof(u32)) = *memo;
        if (of->is_summed_up) *(measures *)list_add(&of->before, 1, sizeof(measures)) = found->now;
    }
    return found;
}

static measures *tier_cell(shard *one, u32 model, u32 arm_number, u32 tier) {
    return &changing_cell(one, FAMILY(one, model, TIER_CELL), ARM(one, arm_number)->campaign, tier, 0)->now;
}

static measures *variant_cell(shard *one, u32 model, u32 arm_number) {
    return &changing_cell(one, FAMILY(one, model, VARIANT_CELL), ARM(one, arm_number)->campaign, arm_number, 0)->now;
}

static measures *minute_cell(shard *one, u32 model, u32 arm_number, i64 at) {
    i64 minute_number = floor_divide(at, MINUTE_MS);
    return &changing_cell(one, FAMILY(one, model, MINUTE_CELL), ARM(one, arm_number)->campaign, 0, minute_number)->now;
}

static measures *cohort_cell(shard *one, u32 model, u32 arm_number, i64 touched_at, i64 lag) {
    if (lag < 0 || lag > UINT32_MAX) abort(); // no touch is credited with what was before it
    i32 day = quarter_of(one, touched_at)->day;
    return &changing_cell(one, FAMILY(one, model, COHORT_CELL), ARM(one, arm_number)->campaign, (u32)lag, day)->now;
}

// -- what is counted. Exported so that tests can drive each one without a whole customer -------------------------------

static void add_touch(measures *all, i64 touches, i64 cost_minor, bool reaches) {
    all->touches += touches;
    all->cost_minor += cost_minor;
    all->reached += reaches;
}

// `touches` 0: not a creditable one. It is the customer's first of the variant, of the campaign, or neither.
EXPORT void count_touch(shard *one, u32 arm, u32 tier, i64 at, i64 touches, i64 cost_minor, bool reaches_arm, bool reaches) {
    add_touch(tier_cell(one, DECIDING, arm, tier), touches, cost_minor, reaches);
    add_touch(variant_cell(one, DECIDING, arm), touches, cost_minor, reaches_arm);
    add_touch(minute_cell(one, DECIDING, arm, at), touches, cost_minor, reaches);
    if (cost_minor || reaches) add_touch(cohort_cell(one, DECIDING, arm, at, 0), 0, cost_minor, reaches);
}

// Uncounts a customer's first touch by a campaign: an earlier one has come to light.
EXPORT void revert_reach(shard *one, u32 arm, u32 tier, i64 at) {
    tier_cell(one, DECIDING, arm, tier)->reached--;
    minute_cell(one, DECIDING, arm, at)->reached--;
    cohort_cell(one, DECIDING, arm, at, 0)->reached--;
}

static void add_credit(measures *all, i64 millionths, i64 return_minor, i64 aum_minor) {
    all->millionths += millionths;
    all->return_minor += return_minor;
    all->aum_minor += aum_minor;
}

// Event view at the transaction, cohort view at the touch: both of the deciding model alone.
EXPORT void book_credit(shard *one, u32 model, u32 arm, u32 tier, i64 at, i64 touched_at, i64 millionths, i64 return_minor,
                        i64 aum_minor) {
    add_credit(tier_cell(one, model, arm, tier), millionths, return_minor, aum_minor);
    add_credit(variant_cell(one, model, arm), millionths, return_minor, aum_minor);
    if (model != DECIDING) return;
    add_credit(minute_cell(one, model, arm, at), millionths, return_minor, aum_minor);
    i64 lag = floor_divide(at - touched_at, DAY_MS);
    add_credit(cohort_cell(one, model, arm, touched_at, lag), millionths, return_minor, aum_minor);
}

// Counts (or uncounts) a customer as converter of a variant.
EXPORT void count_arm_conversion(shard *one, u32 model, u32 arm, i64 sign) {
    variant_cell(one, model, arm)->converters += sign;
}

// Counts (or uncounts) a customer's first credited transaction of the arm's campaign.
EXPORT void count_conversion(shard *one, u32 model, u32 arm, u32 tier, i64 at, i64 sign) {
    tier_cell(one, model, arm, tier)->converters += sign;
    if (model == DECIDING) minute_cell(one, model, arm, at)->converters += sign;
}

// -- cells that nothing has changed for long --------------------------------------------------------------------------

static void forget_cells(const shard *one, family *of, u64 before_version) {
    u32 kept = 0, count = (u32)of->cells.count;
    table_free(&of->number_of);
    for (u64 at = 0; at < of->changed.count; at++) ITEM(of->cells, cell, *ITEM(of->changed, u32, at))->used = at; // until it is stored
    for (u32 number = 0; number < count; number++) {
        const cell *each = ITEM(of->cells, cell, number);
        if (each->used < before_version && !each->is_changed) continue;
        if (each->is_changed) *ITEM(of->changed, u32, each->used) = kept;
        table_add(&of->number_of, hash_of(one, each->campaign, each->detail, each->coordinate), kept);
        memmove(ITEM(of->cells, cell, kept++), each, sizeof *each);
    }
    of->cells.count = kept;
    list_shrink(&of->cells, sizeof(cell));
}

// Drops cells of minutes, cohorts, hours and days that no block since `before_version` has changed.
EXPORT void shard_forget_idle(shard *one, u64 before_version) {
    for (u32 model = 0; model < one->models; model++)
        for (u32 number = MINUTE_CELL; number < FAMILIES; number++) {
            family *of = FAMILY(one, model, number);
            bool is_any = false;
            for (u64 at = 0; at < of->cells.count && !is_any; at++) {
                const cell *each = ITEM(of->cells, cell, at);
                is_any = each->used < before_version && !each->is_changed;
            }
            if (is_any) forget_cells(one, of, before_version);
        }
}

// Which touches are candidates for a transaction, how its credit is shared, and what that is in money (contract section 4).
// pipeline/state/attribution.py and money.py have the same rules, in the same order; tests compare the two.
#include "core.h"
#include <math.h>
#include <stdlib.h>

enum { WHOLE = 1000000, BASIS = 10000 };
enum { LAST_TOUCH, FIRST_TOUCH, LINEAR, POSITION, TIME_DECAY };

EXPORT void shard_add_model(shard *one, u8 rule) {
    *(u8 *)list_add(&one->models_of, 1, 1) = rule;
    one->only_last_touch = one->models_of.count == 1 && rule == LAST_TOUCH;
}

bool matches(const shard *one, const campaign *rules, const transaction *given) {
    if (!(rules->kinds >> given->kind & 1) || given->amount_minor < rules->min_amount_minor) return false;
    if (rules->any_product) return true;
    span product = text_of(one, given->extras ? EXTRAS(one, given->extras)->product : NO_TEXT);
    for (u64 at = 0; at < rules->products.count; at++)
        if (is_name(ITEM(rules->products, name, at), product)) return true;
    return false;
}

// -- money -----------------------------------------------------------------------------------------------------------

static sum floored(sum dividend, sum divisor) { // the divisor is positive
    sum quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

i64 reversed_minor(const shard *one, const transaction *given) {
    return given->extras ? EXTRAS(one, given->extras)->reversed_minor : NOT_REVERSED;
}

i64 effective_minor(const shard *one, const transaction *given) {
    i64 known = reversed_minor(one, given), reversed = known == NOT_REVERSED ? 0 : known;
    return reversed >= given->amount_minor ? 0 : given->amount_minor - reversed;
}

static i64 scaled(const shard *one, const transaction *given, i64 minor) {
    if (reversed_minor(one, given) == NOT_REVERSED) return minor;
    return given->amount_minor ? (i64)floored((sum)minor * effective_minor(one, given), given->amount_minor) : 0;
}

static i64 return_of(const shard *one, const transaction *given, const campaign *rules) {
    i64 base = given->flags & REVENUE_GIVEN
                   ? given->revenue_minor
                   : (i64)floored((sum)given->amount_minor * rules->margins_bps[given->kind], BASIS);
    return scaled(one, given, base);
}

static i64 aum_of(const shard *one, const transaction *given) {
    i64 delta = given->flags & AUM_GIVEN       ? EXTRAS(one, given->extras)->aum_delta_minor
                : given->kind == DEPOSIT       ? given->amount_minor
                : given->kind == WITHDRAWAL    ? -given->amount_minor
                                               : 0;
    return delta >= 0 ? scaled(one, given, delta) : -scaled(one, given, -delta);
}

// -- sharing integers ------------------------------------------------------------------------------------------------

typedef bool (*comes_before)(const void *context, u32 a, u32 b);

static void *room(list *items, u64 count, u64 size) {
    items->count = 0;
    return list_add(items, count, size);
}

static bool is_larger_part(const void *context, u32 a, u32 b) { // larger fractions first, of equal ones the later
    const i64 *fractions = context;
    return fractions[a] != fractions[b] ? fractions[a] > fractions[b] : a > b;
}

static bool is_larger_fraction(const void *context, u32 a, u32 b) {
    const double *fractions = context;
    return fractions[a] != fractions[b] ? fractions[a] > fractions[b] : a > b;
}

// Gives one more to so many parts, those of the largest fractions first.
static void give_rest(shard *one, i64 *parts, u32 count, i64 rest, comes_before before, const void *fractions) {
    if (rest <= 0) return;
    u32 *order = room(&one->spare, 2 * (u64)count, sizeof(u32));
    for (u32 at = 0; at < count; at++) order[at] = at;
    sort_numbers(order, order + count, count, before, fractions);
    for (u32 at = 0; at < count && at < rest; at++) parts[order[at]]++;
}

// Splits an integer by weights that sum to `total`: largest remainder, ties to the later position (Hamilton's method).
static void share_out(shard *one, i64 whole, const i64 *weights, u32 count, i64 total, i64 *parts) {
    if (count == 1) {
        *parts = whole;
        return;
    }
    i64 rest = whole;
    i64 *fractions = room(&one->fractions, count, sizeof(i64));
    for (u32 at = 0; at < count; at++) {
        sum product = (sum)whole * weights[at], part = floored(product, total);
        parts[at] = (i64)part;
        fractions[at] = (i64)(product - part * total);
        rest -= parts[at];
    }
    give_rest(one, parts, count, rest, is_larger_part, fractions);
}

// -- models ----------------------------------------------------------------------------------------------------------

static void weigh_by_position(i64 *weights, u32 count) { // 40/20/40, in units that stay whole when the middle is split
    i64 between = (i64)count - 2;
    for (u32 at = 0; at < count; at++) weights[at] = at == 0 || at == count - 1 ? 2 * between : 1;
}

// Share by 2^(-age/half-life), in doubles summed in the order of touches, as the contract spells it out.
static void share_by_age(shard *one, i64 at, const u32 *touches, u32 count, i64 *parts) {
    static const volatile double base = 2.0; // a compiler may make exp2 of pow(2, x), whose last digit differs
    double *exact = room(&one->fractions, count, sizeof(double)), total = 0.0;
    for (u32 each = 0; each < count; each++) {
        exact[each] = pow(base, (double)(TOUCH(one, touches[each])->at - at) / one->half_life_ms);
        total += exact[each];
    }
    if (total == 0.0) { // every age is over a thousand half-lives: the youngest touch outweighs the rest
        for (u32 each = 0; each < count; each++) parts[each] = each == count - 1 ? WHOLE : 0;
        return;
    }
    i64 rest = WHOLE;
    for (u32 each = 0; each < count; each++) {
        exact[each] = WHOLE * exact[each] / total;
        parts[each] = (i64)exact[each];
        rest -= parts[each];
        exact[each] -= (double)parts[each];
    }
    give_rest(one, parts, count, rest, is_larger_fraction, exact);
}

static void share(shard *one, u8 rule, i64 at, const u32 *touches, u32 count, i64 *parts, i64 *weights) {
    if (rule == TIME_DECAY) {
        share_by_age(one, at, touches, count, parts);
        return;
    }
    bool is_even = rule == LINEAR || count <= 2;
    for (u32 each = 0; each < count; each++) weights[each] = 1;
    if (!is_even) weigh_by_position(weights, count);
    share_out(one, WHOLE, weights, count, is_even ? count : 5 * ((i64)count - 2), parts);
}

// -- candidates ------------------------------------------------------------------------------------------------------

static u32 first_not_before(const shard *one, const numbers *touches, u32 low, u32 high, i64 at) { // within one campaign
    BISECT(low, high, middle, TOUCH(one, NUMBERS(touches)[middle])->at < at)
    return low;
}

static u32 begin_of_campaign(const shard *one, const numbers *touches, u32 end) { // of the last touch before `end`
    u32 number = ARM(one, TOUCH(one, NUMBERS(touches)[end - 1])->arm)->campaign, low = 0, high = end - 1;
    BISECT(low, high, middle, ARM(one, TOUCH(one, NUMBERS(touches)[middle])->arm)->campaign < number)
    return low;
}

static bool is_earlier(const void *context, u32 a, u32 b) {
    const shard *one = context;
    const touch *left = TOUCH(one, a), *right = TOUCH(one, b);
    return compare_events(one, left->at, left->event_id, right->at, right->event_id) < 0;
}

// The last (or first) candidate alone: two searches per campaign, however many touches there are. NOBODY for none.
static u32 edge_candidate(const shard *one, const transaction *given, const numbers *touches, bool newest) {
    u32 best = NOBODY;
    for (u32 end = count_of(touches), begin; end; end = begin) {
        begin = begin_of_campaign(one, touches, end);
        const campaign *rules = CAMPAIGN(one, ARM(one, TOUCH(one, NUMBERS(touches)[begin])->arm)->campaign);
        if (!matches(one, rules, given)) continue;
        u32 at, found;
        if (newest) {
            at = first_not_before(one, touches, begin, end, given->at + 1);
            if (at-- == begin) continue;
            found = NUMBERS(touches)[at];
            if (given->at - TOUCH(one, found)->at > rules->window_ms) continue;
        } else {
            at = first_not_before(one, touches, begin, end, given->at - rules->window_ms);
            if (at == end) continue;
            found = NUMBERS(touches)[at];
            if (TOUCH(one, found)->at > given->at) continue;
        }
        if (best == NOBODY || (newest ? is_earlier(one, best, found) : !is_earlier(one, best, found))) best = found;
    }
    return best;
}

static bool has_smaller_id(const void *context, u32 a, u32 b) {
    const shard *one = context;
    return compare_texts(text_of(one, TOUCH(one, a)->event_id), text_of(one, TOUCH(one, b)->event_id)) < 0;
}

// A credit is known by two ids: of candidates that have one id the last alone takes part. They come and stay in order.
static u32 without_repeated_ids(shard *one, u32 *found, u32 count) {
    u32 *sorted = room(&one->spare, 2 * (u64)count, sizeof(u32)), kept = 0;
    memcpy(sorted, found, (u64)count * sizeof(u32));
    sort_numbers(sorted, sorted + count, count, has_smaller_id, one);
    for (u32 at = 0; at < count; at++) // those of one id stand side by side, still in order
        if (at + 1 == count || has_smaller_id(one, sorted[at], sorted[at + 1])) sorted[kept++] = sorted[at];
    if (kept == count) return count;
    sort_numbers(sorted, sorted + count, kept, is_earlier, one);
    memcpy(found, sorted, (u64)kept * sizeof(u32));
    return kept;
}

// The touches a transaction may share its credit over, oldest first, in `candidates`; returns how many.
static u32 find_candidates(shard *one, const transaction *given, const numbers *touches) {
    u32 *found = room(&one->candidates, count_of(touches), sizeof(u32)), count = 0, groups = 0;
    for (u32 end = count_of(touches), begin; end; end = begin) {
        begin = begin_of_campaign(one, touches, end);
        const campaign *rules = CAMPAIGN(one, ARM(one, TOUCH(one, NUMBERS(touches)[begin])->arm)->campaign);
        if (!matches(one, rules, given)) continue;
        u32 first = first_not_before(one, touches, begin, end, given->at - rules->window_ms);
        u32 last = first_not_before(one, touches, first, end, given->at + 1);
        if (first == last) continue;
        memcpy(found + count, NUMBERS(touches) + first, (u64)(last - first) * sizeof(u32));
        count += last - first;
        groups++;
    }
    if (count < 2) return count;
    if (groups > 1) sort_numbers(found, room(&one->spare, count, sizeof(u32)), count, is_earlier, one);
    return without_repeated_ids(one, found, count);
}

// -- pricing ---------------------------------------------------------------------------------------------------------

// Fills in what the last `count` of the offered credits are worth: of one transaction and model, by their millionths.
static void price(shard *one, const transaction *given, u64 first, u32 count) {
    credit *shares = ITEM(one->offered, credit, first);
    i64 assets = aum_of(one, given);
    bool are_equal = true;
    for (u32 at = 0; at < count; at++) {
        shares[at].return_minor = return_of(one, given, CAMPAIGN(one, ARM(one, shares[at].arm)->campaign));
        are_equal = are_equal && shares[at].return_minor == shares->return_minor;
    }
    if (count == 1) {
        shares->millionths = WHOLE;
        shares->aum_minor = assets;
        return;
    }
    i64 *weights = calloc(2 * (u64)count, sizeof(i64)), *parts = weights + count;
    if (!weights) abort();
    for (u32 at = 0; at < count; at++) weights[at] = shares[at].millionths;
    if (are_equal) {
        share_out(one, shares->return_minor, weights, count, WHOLE, parts);
        for (u32 at = 0; at < count; at++) shares[at].return_minor = parts[at];
    } else
        for (u32 at = 0; at < count; at++) shares[at].return_minor = (i64)floored((sum)shares[at].return_minor * weights[at], WHOLE);
    share_out(one, assets < 0 ? -assets : assets, weights, count, WHOLE, parts); // by its size, and the sign kept
    for (u32 at = 0; at < count; at++) shares[at].aum_minor = assets < 0 ? -parts[at] : parts[at];
    free(weights);
}

static void offer(shard *one, u32 number, u32 model, i64 millionths) {
    const touch *given = TOUCH(one, number);
    *(credit *)list_add(&one->offered, 1, sizeof(credit)) = (credit){.touched_at = given->at, .touch_id = given->event_id,
        .millionths = (u32)millionths, .arm = given->arm, .model = model, .next = NOBODY};
}

// What a transaction's credits are by its customer's touches, under every model, into `offered`.
void offer_credits(shard *one, const transaction *given, const numbers *touches) {
    u32 count = 0;
    i64 *parts = NULL;
    one->offered.count = 0;
    for (u32 model = 0; model < one->models; model++) {
        u8 rule = *ITEM(one->models_of, u8, model);
        u64 first = one->offered.count;
        if (rule <= FIRST_TOUCH) {
            u32 best = edge_candidate(one, given, touches, rule == LAST_TOUCH);
            if (best != NOBODY) offer(one, best, model, WHOLE);
        } else {
            if (!parts) {
                count = find_candidates(one, given, touches);
                parts = malloc((2 * (u64)count + 1) * sizeof(i64));
                if (!parts) abort();
            }
            const u32 *found = one->candidates.items;
            if (count) share(one, rule, given->at, found, count, parts, parts + count);
            for (u32 at = 0; at < count; at++)
                if (parts[at]) offer(one, found[at], model, parts[at]);
        }
        if (one->offered.count > first) price(one, given, first, (u32)(one->offered.count - first));
    }
    free(parts);
}

// A transaction's credits after a reversal, into `offered`: the same touches and shares, scaled money.
void offer_repriced(shard *one, const transaction *given) {
    one->offered.count = 0;
    for (u32 at = given->credits; at != NOBODY; at = CREDIT(one, at)->next) *(credit *)list_add(&one->offered, 1, sizeof(credit)) = *CREDIT(one, at);
    for (u64 first = 0, end; first < one->offered.count; first = end) {
        end = first;
        while (end < one->offered.count && ITEM(one->offered, credit, end)->model == ITEM(one->offered, credit, first)->model) end++;
        price(one, given, first, (u32)(end - first));
    }
}

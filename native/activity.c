// Login days: pipeline/state/activity.py once more, for many customers at little cost. Which days gain or lose what is
// decided here; the days' cells, with their chapters and versions, stay in Python and are told the changes.
#include "core.h"

enum { WEEK = 7, MONTH = 30, DORMANT_DAYS = 90 };

// -- sets of days: bit i of a set stands for the customer's last day - i ---------------------------------------------

static bool has_day(const u64 *days, u32 position) { return days[position / 64] >> position % 64 & 1; }

static void add_day(u64 *days, u32 position) { days[position / 64] |= 1ull << position % 64; }

static i32 oldest(const u64 *days, u32 words) { // the highest bit, -1 for none
    for (u32 word = words; word-- > 0;)
        if (days[word]) return (i32)(word * 64 + 63 - (u32)__builtin_clzll(days[word]));
    return -1;
}

// How many days before a day the nearest older one lies, 0 for none.
static i32 days_before(const u64 *days, u32 words, u32 position) {
    u64 rest = ~0ull << position % 64 << 1;
    for (u32 word = position / 64; word < words; word++, rest = ~0ull)
        if (days[word] & rest) return (i32)(word * 64 + (u32)__builtin_ctzll(days[word] & rest) - position);
    return 0;
}

// How many days after a day the nearest newer one lies, 0 for none.
static i32 days_after(const u64 *days, u32 position) {
    u64 rest = (1ull << position % 64) - 1;
    for (u32 word = position / 64 + 1; word-- > 0; rest = ~0ull)
        if (days[word] & rest) return (i32)(position - (word * 64 + 63 - (u32)__builtin_clzll(days[word] & rest)));
    return 0;
}

static void shift(u64 *days, u32 words, u32 span, u32 by) { // make every day older by some; drop those beyond the span
    u32 whole = by / 64, rest = by % 64;
    for (u32 word = words; word-- > 0;) {
        u64 high = word >= whole ? days[word - whole] << rest : 0;
        u64 low = rest && word > whole ? days[word - whole - 1] >> (64 - rest) : 0;
        days[word] = high | low;
        if (word * 64 + 64 > span) days[word] &= word * 64 >= span ? 0 : (1ull << (span - word * 64)) - 1;
    }
}

// -- a customer's two sets: one, while every login day is an engaged one ------------------------------------------------

static u64 *logins_of(const shard *one, u32 number) { return ITEM(one->days, u64, (u64)one->words * number); }

static u64 *engaged_of(const shard *one, const customer *who, u64 *logins) {
    return who->engaged ? ITEM(one->engaged.items, u64, (u64)one->words * who->engaged) : logins;
}

static void part(shard *one, customer *who, const u64 *logins) { // before a login day that is no engaged one
    if (who->engaged) return;
    who->engaged = pool_take(&one->engaged, one->words * sizeof(u64));
    memcpy(engaged_of(one, who, NULL), logins, one->words * sizeof(u64));
}

static void join_again(shard *one, customer *who, const u64 *logins) { // the days that are not engaged may have gone
    if (!who->engaged || memcmp(engaged_of(one, who, NULL), logins, one->words * sizeof(u64))) return;
    pool_give(&one->engaged, one->words * sizeof(u64), who->engaged);
    who->engaged = 0;
}

// Moves a customer's days on so that a day lies in them; returns its position, -1 where it lies too far back.
static i64 turn_to(shard *one, customer *who, u64 *logins, i32 day) {
    u64 *engaged = engaged_of(one, who, logins);
    if (oldest(logins, one->words) < 0) {
        who->last_day = day;
        return 0;
    }
    i64 ahead = (i64)day - who->last_day;
    if (ahead <= 0) return -ahead < (i64)one->words * 64 ? -ahead : -1;
    i32 first = oldest(engaged, one->words);
    if (first >= 0 && first + ahead >= one->span) who->engaged_before_horizon = 1;
    u32 by = ahead < (i64)one->words * 64 ? (u32)ahead : one->words * 64;
    shift(logins, one->words, one->span, by);
    if (who->engaged) shift(engaged, one->words, one->span, by);
    join_again(one, who, logins);
    who->last_day = day;
    return 0;
}

// -- what days gain --------------------------------------------------------------------------------------------------

static i64 *measures_of(shard *one, u32 tier, i32 day) {
    struct { u32 tier; i32 day; } key = {tier, day};
    u64 hash = hash_bytes(one->seed, &key, sizeof key);
    u32 number;
    for (search by = search_for(&one->change_of, hash); (number = next_number(&by)) != NOBODY;) {
        day_change *known = ITEM(one->changes, day_change, number);
        if (known->day == day && known->tier == tier) return known->measures;
    }
    day_change *fresh = list_add(&one->changes, 1, sizeof(day_change));
    memset(fresh, 0, sizeof *fresh);
    fresh->day = day;
    fresh->tier = tier;
    table_add(&one->change_of, hash, (u32)(one->changes.count - 1));
    return fresh->measures;
}

// A new day covers those days of its shadow that no other day of the customer does: one range, as +1 and -1.
static void cover(shard *one, u32 tier, i32 day, i32 before, i32 after, i32 span, u32 measure) {
    i32 first = !before || before >= span ? day : day - before + span;
    i32 behind = !after || after >= span ? day + span : day + after;
    if (first >= behind) return;
    measures_of(one, tier, first)[measure]++;
    measures_of(one, tier, behind)[measure]--;
}

static void engage(shard *one, const customer *who, const u64 *engaged, i32 day, u32 position) {
    i32 before = days_before(engaged, one->words, position), after = days_after(engaged, position);
    u32 tier = who->tier;
    measures_of(one, tier, day)[DAU]++;
    cover(one, tier, day, before, after, WEEK, WAU_CHANGE);
    cover(one, tier, day, before, after, MONTH, MAU_CHANGE);
    bool had_earlier = before || who->engaged_before_horizon;
    if (had_earlier && (!before || before > DORMANT_DAYS)) measures_of(one, tier, day)[REACTIVATED]++;
    if (after) { // the next engaged day had this customer's previous day before it, and now has this one
        bool was = had_earlier && (!before || before + after > DORMANT_DAYS);
        measures_of(one, tier, day + after)[REACTIVATED] += (after > DORMANT_DAYS) - was;
    }
}

// Counts a login: 1 where it says something new, 0 where not, -1 where it lies further back than days are remembered.
static i32 add_login(shard *one, customer *who, u64 *login_days, i32 day, bool engaged) {
    i64 found = turn_to(one, who, login_days, day);
    if (found < 0) return -1;
    u32 position = (u32)found;
    bool fresh = !has_day(login_days, position);
    if (fresh && !engaged) part(one, who, login_days);
    u64 *engaged_days = engaged_of(one, who, login_days);
    bool engages = engaged && !has_day(engaged_days, position);
    if (fresh) {
        i32 before = days_before(login_days, one->words, position), after = days_after(login_days, position);
        cover(one, who->tier, day, before, after, MONTH, GROSS_MAU_CHANGE);
        measures_of(one, who->tier, day)[GROSS_DAY]++;
        add_day(login_days, position);
    }
    if (engages) {
        engage(one, who, engaged_days, day, position);
        add_day(engaged_days, position);
        return 1;
    }
    return fresh;
}

static void note_login(shard *one, const customer *who, i32 day, bool engaged) {
    sheet *facts = &one->sheets[LOGIN_SHEET];
    facts->count++;
    add_number(&facts->columns[AT_COLUMN], day);
    add_hex(&facts->columns[ID_COLUMN], who->pseudonym, PSEUDONYM);
    add_name(&facts->columns[TIER_COLUMN], TIER_NAME(one, who->tier));
    add_byte(&facts->columns[FLAGS_COLUMN], engaged ? ENGAGED : 0);
}

// Counts a batch's logins, whose customers are known; false where one lies too far back: the shard is of no use then.
EXPORT bool shard_count_logins(shard *one, const login *logins, u32 count) {
    for (u32 row = 0; row < count; row++) {
        customer *who = CUSTOMER(one, logins[row].head.customer);
        u64 *login_days = logins_of(one, logins[row].head.customer);
        bool engaged = logins[row].head.engaged;
        if (logins[row].day == who->last_day && *(engaged ? engaged_of(one, who, login_days) : login_days) & 1)
            continue; // the commonest login of all: the day is known already
        i32 news = add_login(one, who, login_days, logins[row].day, engaged);
        if (news < 0) return false;
        if (!news) continue;
        note_login(one, who, logins[row].day, engaged);
    }
    return true;
}

// Remembers a stored login day without counting it again; false as above.
EXPORT bool shard_load_login(shard *one, u32 number, i32 day, bool engaged) {
    customer *who = CUSTOMER(one, number);
    u64 *login_days = logins_of(one, number);
    i64 position = turn_to(one, who, login_days, day);
    if (position < 0) return false;
    if (!engaged && !has_day(login_days, (u32)position)) part(one, who, login_days);
    add_day(login_days, (u32)position);
    if (engaged) add_day(engaged_of(one, who, login_days), (u32)position);
    return true;
}

// -- out -------------------------------------------------------------------------------------------------------------

// Hands out what days have gained since the last call; it stays valid until the next login is counted.
EXPORT u32 shard_take_changes(shard *one, const day_change **changes) {
    u32 count = (u32)one->changes.count;
    *changes = one->changes.items;
    one->changes.count = 0;
    forget_numbers(&one->change_of);
    return count;
}

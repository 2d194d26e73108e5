// CRC-32C, the sum that Kafka puts before a record batch (RFC 3720, appendix B.4): by the processor's own instruction where
// it has one, else eight bytes at a time by tables (Kounavis and Berry, "A systematic approach to building high performance
// software-based CRC generators", 2005).
#include "core.h"
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

enum { WORD = 8 };
static const u32 POLYNOMIAL = 0x82F63B78; // 0x1EDC6F41, its bits in the order in which they are sent
static u32 tables[WORD][256];

static void fill_tables(void) {
    for (u32 byte = 0; byte < 256; byte++) {
        u32 sum = byte;
        for (u32 bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
        tables[0][byte] = sum;
    }
    for (u32 byte = 0; byte < 256; byte++)
        for (u32 behind = 1; behind < WORD; behind++)
            tables[behind][byte] = tables[behind - 1][byte] >> 8 ^ tables[0][tables[behind - 1][byte] & 0xff];
}

static u32 by_tables(u32 sum, const u8 *at, u64 size) {
    if (!tables[0][1]) fill_tables();
    for (; size >= WORD; at += WORD, size -= WORD) {
        u32 next = 0;
        for (u32 place = 0; place < WORD; place++) {
            u8 byte = place < 4 ? (u8)(at[place] ^ (sum >> (8 * place) & 0xff)) : at[place];
            next ^= tables[WORD - 1 - place][byte];
        }
        sum = next;
    }
    for (; size; at++, size--) sum = sum >> 8 ^ tables[0][(sum ^ *at) & 0xff];
    return sum;
}

#if defined(__x86_64__)
static bool has_instruction(void) {
    static enum { UNKNOWN, NO, YES } known; // on a virtual machine each look costs as much as the sum of a record batch
    unsigned int ignored, features = 0;
    if (!known) known = __get_cpuid(1, &ignored, &ignored, &features, &ignored) && (features & bit_SSE4_2) ? YES : NO;
    return known == YES;
}

__attribute__((target("sse4.2"))) static u32 by_instruction(u32 sum, const u8 *at, u64 size) {
    u64 wide = sum, word;
    for (; size >= WORD; at += WORD, size -= WORD) {
        memcpy(&word, at, WORD);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    for (; size; at++, size--) wide = __builtin_ia32_crc32qi((u32)wide, *at);
    return (u32)wide;
}
#elif defined(__ARM_FEATURE_CRC32)
static bool has_instruction(void) { return true; }

static u32 by_instruction(u32 sum, const u8 *at, u64 size) {
    u64 word;
    for (; size >= WORD; at += WORD, size -= WORD) {
        memcpy(&word, at, WORD);
        sum = __crc32cd(sum, word);
    }
    for (; size; at++, size--) sum = __crc32cb(sum, *at);
    return sum;
}
#else
static bool has_instruction(void) { return false; }

static u32 by_instruction(u32 sum, const u8 *at, u64 size) { return by_tables(sum, at, size); }
#endif

// `plainly`: by tables, whatever the processor has.
EXPORT u32 crc32c(const u8 *texts, u64 size, bool plainly) {
    return ~(plainly || !has_instruction() ? by_tables : by_instruction)(~0u, texts, size);
}

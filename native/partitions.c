// Kafka's partitioner: whether keys lie where Kafka's own clients put them (pipeline/transport/partitioner.py).
#include "core.h"

enum { LONGEST_KEY = 256 }; // a longer one is refused for what it is, wherever it lies

static u32 murmur2(const u8 *key, u32 length) {
    const u32 factor = 0x5bd1e995;
    u32 digest = 0x9747b28c ^ length, rest = 0, word;
    for (; length >= 4; key += 4, length -= 4) {
        memcpy(&word, key, 4);
        word *= factor;
        word = (word ^ word >> 24) * factor;
        digest = digest * factor ^ word;
    }
    memcpy(&rest, key, length);
    if (length) digest = (digest ^ rest) * factor;
    digest = (digest ^ digest >> 13) * factor;
    return digest ^ digest >> 15;
}

// How many of a batch's records have a key that belongs to another partition; those without a key are not judged here.
EXPORT u32 batch_misplaced(const u8 *texts, const packed_record *records, u32 count, u32 partition, u32 partitions) {
    u32 strays = 0;
    for (u32 number = 0; number < count; number++) {
        const packed_record *record = records + number;
        if (record->key_length > LONGEST_KEY) continue; // NOBODY, that is null, too
        strays += (murmur2(texts + record->key_begin, record->key_length) & 0x7fffffff) % partitions != partition;
    }
    return strays;
}

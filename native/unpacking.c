// LZ4 frames of many record batches in one call, by the functions of the library that Python's package brings: a call from
// Python for each costs more than a frame of twenty events takes.
#include "core.h"

enum { LZ4 = 3 }; // Kafka's number of the codec

// LZ4F_resetDecompressionContext and LZ4F_decompress (lz4frame.h). The latter says 0 where a frame is whole, its sums right.
typedef void (*resetting)(void *context);
typedef size_t (*decompressing)(void *context, void *into, size_t *room, const void *from, size_t *length, const void *options);

// Writes what is in the first of these batches, one behind another, and each one's end into `ends`. It ends in front of one of
// another codec, that is not one whole frame, that tells more records than it has bytes for, or that `room` is too small for;
// returns how many there are before.
EXPORT u32 unpack_frames(void *context, resetting reset, decompressing decompress, const u8 *fetched,
                         const compressed_batch *batches, u32 count, u8 *into, u64 room, u64 *ends) {
    u64 at = 0;
    for (u32 number = 0; number < count; number++) {
        const compressed_batch *each = batches + number;
        if (each->codec != LZ4) return number;
        size_t written = room - at, read = each->end - each->begin;
        reset(context);
        if (decompress(context, into + at, &written, fetched + each->begin, &read, NULL)) return number;
        if (read != each->end - each->begin || each->count > written / LEAST_RECORD) return number;
        ends[number] = at += written;
    }
    return count;
}

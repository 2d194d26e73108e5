"""What is in compressed record batches, by Kafka's numbers of the codecs."""

from __future__ import annotations

import ctypes
import threading
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import lz4.frame
import numpy as np
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch

from pipeline.native.library import library
from pipeline.transport.packed import MOST_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_RECORD: Final = 7  # bytes, as in native/core.h: a head that counts more than there is room for is odd
ENOUGH_UNPACKED: Final = 1 << 26  # bytes, after which no further batch is unpacked: few bytes may hold very many
_USUAL_RATIO: Final = 16  # nearly no batch of events holds more times its bytes
_LEAST_ROOM: Final = 1 << 20
_BEGIN, _END, _COUNT = 0, 1, 3  # columns of struct compressed_batch (native/core.h)
_LZ4F_VERSION: Final = 100


class Unpacked(NamedTuple):
    """What is in the first of some batches.

    Attributes:
        texts: of these batches, one behind another.
        ends: where each ends in them.
        records: how many there are, as the batches' heads tell.
    """

    texts: bytes
    ends: list[int]
    records: int


def unpacked(fetched: bytes, heads: npt.NDArray[np.uint64]) -> Unpacked:
    """Return what is in the first of these batches, in front of one that is not plainly right, or once it is enough.

    Args:
        fetched: where they lie.
        heads: rows of struct compressed_batch.
    """
    frames = _frames()
    texts, ends = frames.unpack(fetched, heads) if frames else (b"", [])
    if len(ends) == len(heads):
        return Unpacked(texts, ends, int(heads[:, _COUNT].sum()))
    others = [texts]
    view, size = memoryview(fetched), len(texts)
    for begin, end, codec_number, count in heads[len(ends) :].tolist():
        text = decompressed(codec_number, view[begin:end]) if size < ENOUGH_UNPACKED else None
        if text is None or count > len(text) // LEAST_RECORD or size + len(text) >= MOST_BYTES:
            break
        others.append(text)
        size += len(text)
        ends.append(size)
    return Unpacked(b"".join(others), ends, int(heads[: len(ends), _COUNT].sum()))


def decompressed(codec_number: int, payload: memoryview) -> bytes | None:
    """Return what Kafka's codec of this number has packed; None: only aiokafka can tell what is wrong with it."""
    decode = _DECODERS.get(codec_number)
    if decode is None:
        return None
    try:
        return bytes(decode(payload))
    except Exception:  # noqa: BLE001 - whatever a codec raises: aiokafka meets it again, and answers as ever
        return None


def _lz4_decode(payload: memoryview) -> bytes:
    """Unpack one frame, three times as fast as aiokafka does for a few events; it is left what is odd."""
    try:
        texts, length = lz4.frame.decompress(payload, return_bytes_read=True)
    except RuntimeError:
        length = None
    return bytes(texts if length == len(payload) else codec.lz4_decode(payload))


_DECODERS: Final[dict[int, Any]] = {
    DefaultRecordBatch.CODEC_NONE: bytes,
    DefaultRecordBatch.CODEC_GZIP: codec.gzip_decode,
    DefaultRecordBatch.CODEC_SNAPPY: codec.snappy_decode,
    DefaultRecordBatch.CODEC_LZ4: _lz4_decode,
    DefaultRecordBatch.CODEC_ZSTD: codec.zstd_decode,
}


class _Frames:
    """Unpacks LZ4 frames in the compiled core; of one thread, whose buffers it keeps."""

    def __init__(self, functions: Any) -> None:
        context = ctypes.c_void_p()
        if functions.LZ4F_createDecompressionContext(ctypes.byref(context), _LZ4F_VERSION):
            raise MemoryError("no room for a context of LZ4")
        self._given = (
            context,
            ctypes.cast(functions.LZ4F_resetDecompressionContext, ctypes.c_void_p),
            ctypes.cast(functions.LZ4F_decompress, ctypes.c_void_p),
        )
        self._room = np.empty(_LEAST_ROOM, np.uint8)
        weakref.finalize(self, functions.LZ4F_freeDecompressionContext, context)

    def unpack(self, fetched: bytes, heads: npt.NDArray[np.uint64]) -> tuple[bytes, list[int]]:
        """Return what is in the first batches, and where each ends in it; it may end in front of any."""
        packed_bytes = int((heads[:, _END] - heads[:, _BEGIN]).sum())
        wanted = min(_USUAL_RATIO * packed_bytes, ENOUGH_UNPACKED)
        if wanted > len(self._room):
            self._room = np.empty(wanted, np.uint8)
        room, ends = self._room, np.empty(len(heads), np.uint64)
        count = library().unpack_frames(
            *self._given, fetched, heads.ctypes.data, len(heads), room.ctypes.data, len(room), ends.ctypes.data
        )
        kept = ends[:count].tolist()
        return room[: kept[-1]].tobytes() if kept else b"", kept


class _OfThread(threading.local):
    frames: _Frames | None = None


_of_thread: Final = _OfThread()


def _frames() -> _Frames | None:
    functions = _lz4_functions()
    if functions is not None and _of_thread.frames is None:
        _of_thread.frames = _Frames(functions)
    return _of_thread.frames


@cache
def _lz4_functions() -> Any:
    """Return the library in Python's package; None where it does not show its functions: it promises nothing."""
    try:
        found = ctypes.CDLL(lz4.frame._frame.__file__)  # noqa: SLF001 - the package names its library nowhere else
        found.LZ4F_createDecompressionContext.restype = ctypes.c_size_t
        found.LZ4F_createDecompressionContext.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        found.LZ4F_freeDecompressionContext.restype = ctypes.c_size_t
        found.LZ4F_freeDecompressionContext.argtypes = [ctypes.c_void_p]
        _ = found.LZ4F_resetDecompressionContext, found.LZ4F_decompress
    except (AttributeError, OSError):
        return None
    return found

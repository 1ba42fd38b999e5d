"""Only whole, regular files are read, and what is packed proves its end and its checksum."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from warehouse.sources.decode.compression import unpacked
from warehouse.sources.decode.staging_copy import RATIO_COUNTS_FROM, spooled, unpack
from warehouse.sources.reader_protocol import RejectedFile

TEXT = b"a,b\n" + b"1,2\n" * 5000 + os.urandom(20_000).hex().encode()


def pieces(packed: bytes, size: int) -> Iterator[bytes]:
    return (packed[start : start + size] for start in range(0, len(packed), size))


def reason(packed: bytes) -> str:
    with pytest.raises(RejectedFile) as rejected:
        list(unpacked(pieces(packed, 1000)))
    return rejected.value.reason


GZIP = gzip.compress(TEXT)
ZSTANDARD = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)


@pytest.mark.parametrize("packed", [GZIP, ZSTANDARD])
@pytest.mark.parametrize("size", [7, 4096, 1 << 20])
def test_members_are_read_to_the_end_of_the_last_one(packed: bytes, size: int) -> None:
    assert b"".join(unpacked(pieces(packed, size))) == TEXT
    assert b"".join(unpacked(pieces(packed + packed, size))) == TEXT + TEXT
    assert b"".join(unpacked(pieces(packed + b"\0" * 1000 + packed + b"\0", size))) == TEXT + TEXT


def test_what_is_not_packed_passes_unchanged() -> None:
    assert b"".join(unpacked(pieces(TEXT, 1000))) == TEXT


@pytest.mark.parametrize("packed", [GZIP, ZSTANDARD])
def test_damage_is_told_from_a_cut(packed: bytes) -> None:
    assert reason(packed[:-3]) == "truncated"
    assert reason(packed[: len(packed) * 6 // 10]) == "truncated"
    assert reason(packed + packed[:100]) == "truncated"
    assert reason(packed + b"garbage") == "unreadable"
    assert reason(b"") == "empty_file"


def test_a_wrong_checksum_is_seen_in_either_packing() -> None:
    crc = bytearray(GZIP)
    crc[-8] ^= 0x55
    assert reason(bytes(crc)) == "checksum"
    hash_of_frame = bytearray(ZSTANDARD)
    hash_of_frame[-1] ^= 0x55
    assert reason(bytes(hash_of_frame)) == "checksum"


def test_a_file_is_hashed_as_delivered_and_unpacked_into_a_private_copy(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_bytes(GZIP)  # by content, whatever the name says
    found = spooled(tmp_path, "inbox/a.csv")
    assert (found.bytes, found.sha256) == (len(GZIP), hashlib.sha256(GZIP).hexdigest())
    copy = unpack(found, tmp_path / "copy")
    assert copy.read_bytes() == TEXT
    assert copy.stat().st_mode & 0o777 == 0o600


def test_links_pipes_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_bytes(TEXT)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "link.csv").symlink_to("../outside.csv")
    (tmp_path / "inbox" / "folder.csv").mkdir()
    (tmp_path / "shortcut").symlink_to("inbox")
    os.mkfifo(tmp_path / "inbox" / "pipe.csv")
    for file in ("inbox/link.csv", "inbox/folder.csv", "inbox/pipe.csv", "shortcut/link.csv"):
        with pytest.raises(RejectedFile) as rejected:
            spooled(tmp_path, file)
        assert rejected.value.reason == "not_regular"


def test_a_file_that_is_not_what_was_hashed_is_unstable(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    found = spooled(tmp_path, "a.csv")
    path.write_bytes(TEXT + b"3,4\n")
    with pytest.raises(RejectedFile) as rejected:
        unpack(found, tmp_path / "copy")
    assert rejected.value.reason == "unstable"
    path.unlink()
    with pytest.raises(RejectedFile) as gone:
        spooled(tmp_path, "a.csv")
    assert gone.value.reason == "unstable"


def test_a_bomb_is_refused_once_it_is_past_256_mebibytes_and_200_to_1(tmp_path: Path) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"0" * (1 << 20)
    packed = b"".join(squeeze.compress(zeros) for _ in range(RATIO_COUNTS_FROM // len(zeros) + 1)) + squeeze.flush()
    (tmp_path / "bomb.csv.gz").write_bytes(packed)
    with pytest.raises(RejectedFile) as rejected:
        unpack(spooled(tmp_path, "bomb.csv.gz"), tmp_path / "copy")
    assert rejected.value.reason == "limit"

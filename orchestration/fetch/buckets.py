"""Objects of a bucket (s3://, gs://, az://): what is new or changed is brought whole, resumed where it broke off.

Credentials come from where the provider's own tools take them: the environment or the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import ObjectStore, from_url

from orchestration.fetch.staged import FetchError, Staging, Version, target
from warehouse.landing.inbox import accompanies, matches

if TYPE_CHECKING:
    from obstore import GetOptions

SCHEMES: Final = ("s3://", "gs://", "az://")
ROUNDS: Final = 3
_CHUNK: Final = 8 << 20
_LONGEST: Final = 300


def fetch_bucket(url: str, files: str, staging: Staging) -> tuple[dict[str, Version], int]:
    """Bring the objects below `url` that match the pattern `files` and are not there yet.

    Returns:
        The versions to deliver, all of them whole, and how many objects stand there unchanged.

    Raises:
        FetchError: when the bucket cannot be read, or changes each time it is read.
    """
    try:
        store = from_url(url.rstrip("/") + "/")
        for _ in range(ROUNDS):
            listed = dict(_listed(store, files))
            new = {key: version for key, version in listed.items() if not staging.is_delivered(key, version)}
            brought = [_is_brought(store, key, version, staging) for key, version in sorted(new.items())]
            if all(brought):
                return new, len(listed) - len(new)
    except (BaseError, OSError, ValueError) as error:
        raise FetchError(
            f"{url} cannot be read: {_reason(error)}; what has come so far is kept, fetch again"
        ) from error
    raise FetchError(f"{url} changed each of {ROUNDS} times that it was read; nothing of it is delivered, fetch again")


def _listed(store: ObjectStore, files: str) -> Iterator[tuple[str, Version]]:
    """The objects that the source would read, with what proves them, by key."""
    for objects in obstore.list(store):
        for metadata in objects:
            file = target(files, metadata["path"])
            if file is not None and (matches(files, file) or accompanies(files, file)):
                etag = metadata["e_tag"]
                yield (
                    metadata["path"],
                    Version(
                        file, metadata["size"], etag or metadata["last_modified"].isoformat(), has_etag=etag is not None
                    ),
                )


def _is_brought(store: ObjectStore, key: str, version: Version, staging: Staging) -> bool:
    """Whether the version is whole now; not, if the object has changed since it was listed."""
    path = staging.path(key, version)
    begin = path.stat().st_size if path.exists() else 0
    if begin > version.bytes:
        path.unlink()
        begin = 0
    if begin == version.bytes:
        path.touch(mode=0o600)
        return True
    try:
        read = obstore.get(store, key, options=_options(begin, version))
        if read.meta["size"] != version.bytes:
            return False
        with path.open("ab") as staged:
            for chunk in read.stream(min_chunk_size=_CHUNK):
                staged.write(chunk)
    except (PreconditionError, FileNotFoundError):
        return False
    return staging.is_whole(key, version)


def _options(begin: int, version: Version) -> GetOptions:
    """What is left of this very version; a store without etags is asked for what has not changed since."""
    options: GetOptions = {"range": {"offset": begin}}
    if version.has_etag:
        options["if_match"] = version.etag
    return options


def _reason(error: Exception) -> str:
    """The first line of what the store says, without the query of an address, which may hold a signature."""
    line = str(error).partition("\n")[0]
    return " ".join(word.partition("?")[0] for word in line.split())[:_LONGEST]

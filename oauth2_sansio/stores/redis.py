"""Stores in Redis, or in what speaks like it: for fleets."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .arguments import check_expected, check_lease, check_name
from .event_loops import require_asyncio
from .extras import Extra, load
from .framing import damaged
from .protocol import StoredRecord

if TYPE_CHECKING:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster

# Each script touches one key, so a cluster can run it, and each is done as a whole. Time is the
# server's. A version is the time in microseconds, or the next number: so none comes again, also
# where the server has lost what it knew. A deleted record leaves its version behind for a day.
_LOAD = "return redis.call('HMGET', KEYS[1], 'version', 'content')"
_REPLACE = """
local stored = redis.call('HMGET', KEYS[1], 'version', 'content')
local current = '0'
if stored[2] then current = stored[1] end
if stored[2] and (tonumber(current or '') or 0) < 1 then
    return redis.error_reply('DAMAGED the record has no version')
end
if current ~= ARGV[1] then return false end
local time = redis.call('TIME')
local version = math.max(tonumber(stored[1] or '0') + 1, time[1] * 1000000 + time[2])
version = string.format('%.0f', version)
redis.call('HSET', KEYS[1], 'version', version, 'content', ARGV[2])
redis.call('PERSIST', KEYS[1])
return version
"""
_DELETE = """
local stored = redis.call('HMGET', KEYS[1], 'version', 'content')
if not stored[2] or stored[1] ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'content')
redis.call('EXPIRE', KEYS[1], 86400)
return 1
"""
_LEASE = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return redis.call('PTTL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return false
"""


class RedisStore:
    """Keep records in Redis, for any number of machines.

    client: a `redis.Redis` or `redis.RedisCluster` of yours, without `decode_responses`, or the URL
        of a server. Give a client of yours time-outs, so that nothing hangs.
    prefix: what the names of all keys begin with.
    timeout: for how many seconds to wait for a server that was given by its URL.

    It takes the extra `redis`. Threads may share one object, also over a fork.
    Raises `LocalProtocolError` where the extra is missing.
    """

    __slots__ = ("_client", "_errors", "_names", "_owned")

    def __init__(
        self,
        client: Redis | RedisCluster | str,
        *,
        prefix: str = "oauth2_sansio:",
        timeout: float = 10.0,
    ) -> None:
        redis = load("redis", Extra.REDIS)
        self._errors = redis.RedisError
        self._owned = isinstance(client, str)
        self._names = _Names(prefix)
        self._client: Any = (
            redis.Redis.from_url(client, **_settings(redis, timeout)) if self._owned else client
        )
        _check_decoding(self._client)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._names.prefix!r})"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        return _read_record(self._run(_LOAD, self._names.record(key)))

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_expected(expected)
        return _read_version(self._run(_REPLACE, self._names.record(key), expected, content))

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_expected(expected, lowest=1)
        return bool(self._run(_DELETE, self._names.record(key), expected))

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        lease = self._run(_LEASE, self._names.lease(key), owner, _milliseconds(seconds))
        return _read_remaining(lease)

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        self._run(_RELEASE, self._names.lease(key), owner)

    def close(self) -> None:
        """Close the client, if it was made here."""
        if self._owned:
            self._client.close()

    def _run(self, script: str, name: str, *arguments: str | bytes | int) -> Any:
        with _failing(self._errors):
            return self._client.eval(script, 1, name, *arguments)


class AsyncRedisStore:
    """Keep records in Redis, for tasks of asyncio: see `RedisStore`.

    client: a client of `redis.asyncio` of yours, which serves one event loop, or the URL of a
        server: then each call connects anew, and any number of event loops may share one object.

    Under trio take `StoreInThreads(RedisStore(...))`.
    """

    __slots__ = ("_connect", "_errors", "_names")

    def __init__(
        self,
        client: AsyncRedis | AsyncRedisCluster | str,
        *,
        prefix: str = "oauth2_sansio:",
        timeout: float = 10.0,
    ) -> None:
        redis = load("redis.asyncio", Extra.REDIS)
        self._errors = redis.RedisError
        self._names = _Names(prefix)
        self._connect: Callable[[], AbstractAsyncContextManager[Any]]
        if isinstance(client, str):
            self._connect = partial(redis.Redis.from_url, client, **_settings(redis, timeout))
            _check_decoding(self._connect())
        else:
            self._connect = partial(nullcontext, client)
            _check_decoding(client)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._names.prefix!r})"

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        return _read_record(await self._run(_LOAD, self._names.record(key)))

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_expected(expected)
        return _read_version(await self._run(_REPLACE, self._names.record(key), expected, content))

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_expected(expected, lowest=1)
        return bool(await self._run(_DELETE, self._names.record(key), expected))

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        lease = await self._run(_LEASE, self._names.lease(key), owner, _milliseconds(seconds))
        return _read_remaining(lease)

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        await self._run(_RELEASE, self._names.lease(key), owner)

    async def aclose(self) -> None:
        """Do nothing: nothing of its own is open."""

    async def _run(self, script: str, name: str, *arguments: str | bytes | int) -> Any:
        require_asyncio("RedisStore")
        with _failing(self._errors):
            async with self._connect() as client:
                return await client.eval(script, 1, name, *arguments)


@dataclass(frozen=True, slots=True)
class _Names:
    prefix: str

    def record(self, key: str) -> str:
        check_name("key", key)
        return f"{self.prefix}record:{key}"

    def lease(self, key: str) -> str:
        return f"{self.prefix}lease:{key}"


def _settings(redis: ModuleType, timeout: float) -> dict[str, Any]:
    """Return what a client of ours is made with: bounded in time, and without repetitions.

    Who repeats a replacement whose answer was lost would be told that another one was faster.
    """
    retries = load(f"{redis.__name__}.retry", Extra.REDIS)
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": retries.Retry(load("redis.backoff", Extra.REDIS).NoBackoff(), 0),
    }


def _check_decoding(client: Any) -> None:
    if client.get_encoder().decode_responses:
        raise ValueError("client must not decode responses: what is stored are bytes")


@contextmanager
def _failing(errors: type[Exception]) -> Generator[None]:
    try:
        yield
    except (errors, OSError) as error:
        # The text of these is the server's or names its address: it may quote what was sent.
        raise StoreError(
            f"Redis failed ({type(error).__name__})",
            cause=error,
            advice="see error.cause, and whether the server runs",
        ) from None


def _read_record(answer: Any) -> StoredRecord | None:
    version, content = answer
    if content is None:
        return None
    if version is None or not version.isdigit() or not int(version):
        raise damaged("a record in Redis", "its version is no number")
    return StoredRecord(content, int(version))


def _read_version(answer: Any) -> int | None:
    return None if answer is None else int(answer)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _read_remaining(answer: Any) -> float | None:
    if answer is None:
        return None
    if answer < 0:
        raise damaged("a lease in Redis", "it has no end")
    return float(answer) / 1000

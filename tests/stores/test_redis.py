"""The stores in Redis: whose client, what the names are, and what they say of trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio

from oauth2_sansio import StoreError
from oauth2_sansio.stores import AsyncRedisStore, RedisStore, TokenStore

from .kinds import Kind, Place, open_store
from .servers import closed_port, redis_server, silent_server

kinds = pytest.mark.parametrize(
    "kind", [Kind.REDIS, Kind.REDIS_ASYNCIO], ids=lambda kind: kind.name
)


@pytest.fixture
def client(redis_url: str) -> Any:
    client: Any = redis.Redis.from_url(redis_url)
    return client


def calls(store: TokenStore, key: str) -> dict[str, Callable[[], object]]:
    return {
        "load": lambda: store.load(key),
        "replace": lambda: store.replace(key, b"tOp-sEcret", expected=0),
        "delete": lambda: store.delete(key, expected=1),
        "lease": lambda: store.lease(key, "a", 60),
        "release": lambda: store.release(key, "a"),
    }


def test_what_is_where(redis_url: str, client: Any, key: str) -> None:
    store = RedisStore(redis_url, prefix="my app:")
    version = store.replace(key, b"\xff", expected=0)
    store.lease(key, "a", 60)
    assert client.hgetall(f"my app:record:{key}") == {
        b"version": str(version).encode(),
        b"content": b"\xff",
    }
    assert client.ttl(f"my app:record:{key}") == -1
    assert client.get(f"my app:lease:{key}") == b"a"
    assert repr(store) == "RedisStore(prefix='my app:')"
    assert repr(AsyncRedisStore(redis_url)) == "AsyncRedisStore(prefix='oauth2_sansio:')"


def test_a_deletion_leaves_the_version_for_a_day(redis_url: str, client: Any, key: str) -> None:
    store = RedisStore(redis_url)
    version = store.replace(key, b"one", expected=0)
    assert version is not None
    assert store.delete(key, expected=version)
    name = f"oauth2_sansio:record:{key}"
    assert client.hkeys(name) == [b"version"]
    assert 86000 < client.ttl(name) <= 86400
    again = store.replace(key, b"two", expected=0)
    assert again is not None
    assert again > version
    assert client.ttl(name) == -1


def test_a_version_is_no_later_one_where_the_clock_was_set_back(
    redis_url: str, client: Any, key: str
) -> None:
    store = RedisStore(redis_url)
    ahead = 2**52
    client.hset(f"oauth2_sansio:record:{key}", mapping={"version": ahead, "content": b"one"})
    assert store.replace(key, b"two", expected=ahead) == ahead + 1


def test_a_version_does_not_come_again_where_the_server_has_lost_all(
    redis_url: str, client: Any, key: str
) -> None:
    store = RedisStore(redis_url)
    version = store.replace(key, b"one", expected=0)
    assert version is not None
    client.delete(f"oauth2_sansio:record:{key}")
    again = store.replace(key, b"two", expected=0)
    assert again is not None
    assert again > version


def test_a_client_of_yours_stays_open(redis_url: str, client: Any, key: str) -> None:
    store = RedisStore(client, prefix="shared:")
    store.replace(key, b"one", expected=0)
    store.close()
    assert client.exists(f"shared:record:{key}") == 1

    async def main() -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as own:
            shared = AsyncRedisStore(own, prefix="shared:")
            found = await shared.load(key)
            await shared.aclose()
            assert found is not None
            assert found.content == b"one"
            assert await shared.lease(key, "a", 60) is None

    asyncio.run(main())


def test_a_client_that_decodes_is_refused(redis_url: str) -> None:
    decoding: Any = redis.Redis.from_url(redis_url, decode_responses=True)
    for make in (
        lambda: RedisStore(decoding),
        lambda: RedisStore(f"{redis_url}?decode_responses=True"),
        lambda: AsyncRedisStore(f"{redis_url}?decode_responses=True"),
        lambda: AsyncRedisStore(redis.asyncio.Redis.from_url(redis_url, decode_responses=True)),
    ):
        with pytest.raises(ValueError, match="must not decode responses"):
            make()


def test_a_cancelled_call_leaves_the_store_usable(redis_url: str, key: str) -> None:
    async def main() -> None:
        store = AsyncRedisStore(redis_url)
        await store.replace(key, b"one", expected=0)
        for turns in range(12):
            task = asyncio.create_task(store.load(key))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        found = await store.load(key)
        assert found is not None
        assert found.content == b"one"

    asyncio.run(main())


@kinds
def test_a_server_that_is_down_is_told(kind: Kind) -> None:
    with closed_port() as port:
        store = open_store(Place(kind, "", f"redis://:tOp-sEcret@127.0.0.1:{port}/0"))
        for call in calls(store, "k").values():
            with pytest.raises(StoreError, match=r"Redis failed \(ConnectionError\)") as raised:
                call()
            assert isinstance(raised.value.cause, redis.ConnectionError)
            assert "tOp" not in f"{raised.value} {store!r}"
        store.close()


def test_a_server_that_says_nothing_is_given_up(key: str) -> None:
    with silent_server() as port:
        url = f"redis://127.0.0.1:{port}/0"
        with pytest.raises(StoreError, match=r"Redis failed \(TimeoutError\)"):
            RedisStore(url, timeout=0.05).replace(key, b"one", expected=0)
        with pytest.raises(StoreError, match=r"Redis failed \(TimeoutError\)"):
            asyncio.run(AsyncRedisStore(url, timeout=0.05).replace(key, b"one", expected=0))


@kinds
def test_a_server_that_is_full_is_told_and_nothing_is_lost(
    store: TokenStore, client: Any, key: str
) -> None:
    version = store.replace(key, b"one", expected=0)
    assert version is not None
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreError, match=r"Redis failed \((OutOfMemory|Response)Error\)"):
            store.replace(key, b"tOp-sEcret", expected=version)
    finally:
        client.config_set("maxmemory", 0)
    found = store.load(key)
    assert found is not None
    assert found.content == b"one"


@kinds
@pytest.mark.parametrize(
    "foreign",
    [
        lambda client, name: client.set(name, "tOp-sEcret"),
        lambda client, name: client.hset(name, mapping={"content": "tOp-sEcret"}),
        lambda client, name: client.hset(name, mapping={"content": "tOp-sEcret", "version": "x"}),
        lambda client, name: client.hset(name, mapping={"content": "tOp-sEcret", "version": "0"}),
    ],
)
def test_a_foreign_record_is_told_and_kept(
    store: TokenStore, client: Any, key: str, foreign: Callable[[Any, str], object]
) -> None:
    name = f"oauth2_sansio:record:{key}"
    foreign(client, name)
    before = client.dump(name)
    with pytest.raises(StoreError) as raised:
        store.load(key)
    assert "tOp" not in str(raised.value)
    for expected in (0, 1):
        try:
            assert store.replace(key, b"new", expected=expected) is None
        except StoreError as error:
            assert "tOp" not in str(error)
    assert client.dump(name) == before


@kinds
def test_a_lease_without_an_end_is_told(store: TokenStore, client: Any, key: str) -> None:
    client.set(f"oauth2_sansio:lease:{key}", "foreign")
    with pytest.raises(StoreError, match="it has no end"):
        store.lease(key, "a", 60)
    client.set(f"oauth2_sansio:lease:{key}", "foreign", px=60_000)
    assert store.lease(key, "a", 60) is not None


def test_the_time_is_the_servers(
    store_of_redis: RedisStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_of_redis.lease(key, "a", 60) is None
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert store_of_redis.lease(key, "b", 60) is not None


@pytest.fixture
def store_of_redis(redis_url: str) -> RedisStore:
    return RedisStore(redis_url)


def test_a_cluster_is_a_client_of_yours(key: str) -> None:
    with redis_server("--cluster-enabled", "yes") as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        with redis.Redis(port=port) as node:
            admin: Any = node
            admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in admin.execute_command("CLUSTER", "INFO"):
                pass
        with redis.RedisCluster(host="127.0.0.1", port=port) as cluster:
            store = RedisStore(cluster)
            version = store.replace(key, b"one", expected=0)
            assert version is not None
            assert store.lease(key, "a", 60) is None
            assert store.lease(key, "b", 60) is not None
            found = store.load(key)
            assert found is not None
            assert found.content == b"one"
            assert store.delete(key, expected=version)

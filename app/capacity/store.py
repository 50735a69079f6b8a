"""What replicas share: one Redis or Valkey, asked with a deadline and never waited for.

    available ──── no answer within the deadline, a broken connection, a refused write ────▶ away
        ▲                                                                                     │
        └── a probe may write again, and every member has told it what it held meanwhile ◀────┘

Whoever asks while the store is away is told so at once (`StoreAway`) and goes on with what is known here.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Protocol, Self, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import NoScriptError, RedisError

from app import clock
from app.capacity.bulletin import Bulletin, Listener
from app.capacity.scripts import Script
from app.errors import BridgeError, ConfigError
from app.log import log

T = TypeVar("T")
Argument = str | bytes | int
Greet = Callable[[AbstractConnection], Awaitable[None]]

WITHIN_S = 0.15  # seconds for any answer: what a caller does not notice
CONNECTIONS = 8  # for commands, beside one for what is published; each is busy for about a millisecond
WATCH_S = 1.0  # seconds between two looks while all is well
PROBE_S = 0.5  # seconds between two looks while it is away: it is used again well within two
CONNECT_S = 1.0  # seconds for a look, which nobody waits for: it may have to open a TLS connection
SCHEMA = 1  # part of every key: what another version cannot read, it does not see
DEADLINE: ContextVar[float] = ContextVar("DEADLINE", default=float("inf"))  # seconds of the event loop
RUN_ID = re.compile(rb"run_id:(\w+)")
SECRET = re.compile(r"(?<=://)([^/@:]*):[^/]*@")


class StoreAway(BridgeError):
    """The store does not answer now, or cannot be written."""


class Member(Protocol):
    """A part of this process that keeps something in the store."""

    def went_away(self) -> None:
        """From now on nothing can be asked; must not block or raise."""

    async def came_back(self) -> None:
        """It can be reached again; assert what is held, with `returning`, before anybody else asks.

        Raises:
            StoreAway: it is gone again.
        """


class Store:
    """The one holder of connections; entered once for the life of the process.

    Args:
        url: `redis://`, `rediss://` (TLS) or `unix://`, with user and password.
        prefix: begins every key and channel, so that another application may share the server.
        within_s: seconds that an answer may take.

    Raises:
        ConfigError: the address cannot be used.
    """

    def __init__(self, url: str, *, prefix: str = "hotline", within_s: float = WITHIN_S) -> None:
        self.available = False
        self.away_since = float("-inf")
        """Seconds of the event loop; when it was last lost."""
        self.run_id = ""
        """Which server this is: another one after a restart or a fail-over."""
        self._tag = f"{prefix}:{{{SCHEMA}}}"  # one hash tag: scripts may touch several keys
        self._redis = Redis(connection_pool=_pool(url, CONNECTIONS, within_s, self._greet))
        self._within_s = within_s
        self._members: list[Member] = []
        self._bulletin = Bulletin(Redis(connection_pool=_pool(url, 1, CONNECT_S)))
        self._wake = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        self.available = await self._look()
        if not self.available:
            self.away_since = clock.now()
            log.error("store.away", fault="not reached at the start")
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(self._watch()), self._group.create_task(self._bulletin.run())]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
        self.available = False
        for redis in (self._redis, self._bulletin.redis):
            with suppress(RedisError, OSError):
                await redis.aclose(close_connection_pool=True)

    def key(self, *names: str) -> str:
        """The full name of a key or a channel."""
        return ":".join((self._tag, *names))

    def join(self, member: Member) -> None:
        """Tell `member` of every departure and return from now on."""
        self._members.append(member)

    def leave(self, member: Member) -> None:
        self._members.remove(member)

    def listen(self, channel: str, listener: Listener) -> None:
        """Hand what is published on `channel` to `listener`; words may be lost whenever the store is away."""
        self._bulletin.add(channel, listener)

    def unlisten(self, channel: str) -> None:
        self._bulletin.remove(channel)

    async def run(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        returning: bool = False,
    ) -> Any:
        """What the script answers; it is loaded where it is not known.

        Raises:
            StoreAway: there is no answer. It may have been run all the same.
        """
        return await self._ask(lambda: self._evaluate(script, keys, args), returning=returning)

    async def ask(self, *command: Argument) -> Any:
        """What one command answers.

        Raises:
            StoreAway: as above.
        """
        return await self._ask(lambda: _execute(self._redis, *command))

    async def tell(self, commands: Sequence[Sequence[Argument]]) -> None:
        """Send several commands in one go; their answers are of no interest.

        Raises:
            StoreAway: as above.
        """

        async def send() -> None:
            pipeline = self._redis.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            await pipeline.execute()

        await self._ask(send)

    @contextmanager
    def patience(self) -> Iterator[None]:
        """All that is asked inside, by this task, has together the time that one answer may take."""
        token = DEADLINE.set(clock.now() + self._within_s)
        try:
            yield
        finally:
            DEADLINE.reset(token)

    async def _ask(self, work: Callable[[], Awaitable[T]], *, returning: bool = False) -> T:
        if not (self.available or returning):
            raise StoreAway("the store is away")
        left_s = DEADLINE.get() - clock.now()
        if left_s <= 0:
            raise StoreAway("the answers before took all the time there was")
        try:
            async with asyncio.timeout(min(self._within_s, left_s)):
                return await work()
        except TimeoutError:
            if left_s < self._within_s:  # no proof that it is away
                raise StoreAway("no answer in what was left of the time") from None
            fault = f"no answer within {round(1000 * self._within_s)} ms"
        except (RedisError, OSError) as error:
            fault = f"{type(error).__name__}: {error}"
        self._lost(fault)
        raise StoreAway(fault)

    async def _evaluate(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return await _execute(self._redis, "EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await _execute(self._redis, "EVAL", script.source, len(keys), *keys, *args)

    def _lost(self, fault: str) -> None:
        self._wake.set()
        if not self.available:
            return
        self.available = False
        self.away_since = clock.now()
        log.error("store.away", fault=fault)
        for member in self._members:
            member.went_away()

    async def _watch(self) -> None:
        while True:
            if self.available:
                with suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_S):
                        await self._wake.wait()
            self._wake.clear()
            known = self.run_id
            if not await self._look():
                self._lost("not reached")
                await asyncio.sleep(PROBE_S)
                continue
            if self.run_id != known:
                self._lost("another server answers")
            if not self.available and await self._return():
                log.info("store.back", away_s=round(clock.now() - self.away_since, 3))

    async def _return(self) -> bool:
        """Every member asserts what it holds; only then others may ask."""
        try:
            for member in self._members:
                await member.came_back()
        except StoreAway:
            await asyncio.sleep(PROBE_S)
            return False
        self.available = True
        self._bulletin.renew()
        return True

    async def _look(self) -> bool:
        """Whether it can be written: a replica, a full or a loading server is as good as none."""
        try:
            async with asyncio.timeout(CONNECT_S):
                self.run_id = await self._server()
            async with asyncio.timeout(self._within_s):  # connected by now: as quick as it has to be
                await _execute(self._redis, "SET", self.key("probe"), "1", "PX", 1000)
        except (TimeoutError, RedisError, OSError):
            return False
        return True

    async def _server(self) -> str:
        told = await _execute(self._redis, "INFO", "server")
        return str(told.get("run_id", "")) if isinstance(told, dict) else ""

    async def _greet(self, connection: AbstractConnection) -> None:
        """A connection that broke is opened again without a word: nothing passes before we know to whom."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        met = RUN_ID.search(await connection.read_response())
        if self.available and (met is None or met[1].decode() != self.run_id):
            raise Broken("another server answers")


def _execute(redis: Redis, *command: Argument) -> Awaitable[Any]:
    answer: Awaitable[Any] = redis.execute_command(*command)  # type: ignore[no-untyped-call]
    return answer


def masked(url: str) -> str:
    """The address as it may be shown."""
    return SECRET.sub(r"\1:***@", url)


def _pool(url: str, most: int, wait_s: float, greet: Greet | None = None) -> BlockingConnectionPool:
    try:
        return BlockingConnectionPool.from_url(
            url,
            max_connections=most,
            timeout=wait_s,  # who finds all busy waits in turn; the plain pool would raise
            socket_timeout=None,  # every question has its own deadline, and published words have none
            socket_connect_timeout=CONNECT_S,
            redis_connect_func=greet,
            retry=Retry(NoBackoff(), 0),  # trying again is decided here, once
            protocol=2,
        )
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{masked(url)} is not the address of a store: {masked(str(error))}") from None

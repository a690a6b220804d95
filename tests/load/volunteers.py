"""Volunteers who fetch items and answer them by HTTP, as the page does; all in one thread.

They know nothing of the site but its addresses. What they were shown and what they answered stands
in a `Log`, to be compared with the database afterwards.
"""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

# So many items are held; with so many left the page asks for more.
HELD: Final = 16
AT_ONCE: Final = 12
REFILL_AT: Final = 11
# Whoever leaves comes back after so long.
AWAY_S: Final = 2.0
# All have come after this share of the time.
ARRIVING: Final = 0.25


@dataclass(frozen=True)
class Habits:
    """What volunteers do; shares are of their answers."""

    pause_s: float = 1.0
    pictures: float = 0.2
    replays: float = 0.03
    changes: float = 0.03
    skips: float = 0.02
    leaves: float = 0.01


@dataclass(frozen=True)
class Account:
    """Somebody who has signed in already."""

    session: str
    csrf: str


@dataclass(frozen=True)
class Asked:
    """One request: what for, how long it took, and how it was answered."""

    what: str
    began: float
    seconds: float
    status: int


@dataclass(frozen=True)
class Sent:
    """A vote that the site has taken."""

    volunteer: int
    item: int
    client_uuid: str
    answer: str
    ticked: list[int] | None
    supersedes: str | None


@dataclass
class Log:
    """All that has happened to the volunteers."""

    asked: list[Asked] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    # When an item was asked for and handed out: (began, volunteer, item).
    served: list[tuple[float, int, int]] = field(default_factory=list)
    # Items that came although their volunteer had answered, skipped or still held them.
    repeated: list[tuple[int, int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    reconnections: int = 0


class Reply:
    """What came back."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One kept-alive connection with its cookies, opened again when the server has closed it."""

    def __init__(self, host: str, port: int, log: Log, cookies: dict[str, str]) -> None:
        self._host, self._port, self._log = host, port, log
        self.cookies = cookies
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, what: str, method: str, path: str, body: Any = None) -> Reply:
        """Send a request; one that got no answer on a used connection is sent once more."""
        began = time.time()
        request = self._request(method, path, body)
        is_used = self._streams is not None
        try:
            reply = await self._exchange(request)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.close()
            if not is_used:
                self._log.faults.append(f"{method} {path}: {error!r}")
                reply = Reply(0, {}, b"")
            else:
                self._log.reconnections += 1
                return await self.send(what, method, path, body)
        self._log.asked.append(Asked(what, began, time.time() - began, reply.status))
        if not 200 <= reply.status < 400:
            said = reply.body[:200].decode(errors="replace")
            self._log.faults.append(f"{method} {path}: {reply.status} {said}")
        return reply

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    def _request(self, method: str, path: str, body: Any) -> bytes:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {
            "Host": f"{self._host}:{self._port}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Content-Length": str(len(sent)),
        }
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        if "csrftoken" in self.cookies:
            headers["X-CSRFToken"] = self.cookies["csrftoken"]
        lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {v}" for key, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + sent

    async def _exchange(self, request: bytes) -> Reply:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers: dict[str, str] = {}
        for line in filter(None, head[1:]):
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
            else:
                headers[name.lower()] = value
        length = int(headers.get("content-length", "0"))
        reply = Reply(status, headers, await reader.readexactly(length))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return reply


class Volunteer:
    """One browser: holds items, shows one after the other, answers most of them."""

    def __init__(
        self,
        number: int,
        address: str,
        slug: str,
        tree: Any,
        habits: Habits,
        log: Log,
        until: float,
        most: int | None,
    ) -> None:
        host, _, port = address.rpartition(":")
        self._number, self._slug, self._tree, self._habits = number, slug, tree, habits
        self._log, self._until, self._most = log, until, most
        self._chance = random.Random(number)
        self._connection = Connection(host, int(port), log, {})
        self._held: list[dict[str, Any]] = []
        self._answered: set[int] = set()
        self._skipped: set[int] = set()
        self._last: dict[str, Any] | None = None
        self.end = ""

    def sign_in(self, account: Account) -> None:
        self._connection.cookies.update(sessionid=account.session, csrftoken=account.csrf)

    async def work(self) -> None:
        """Answer until the time is over, nothing is left, or as many items as wanted are done."""
        if self._most is None:
            await self._pause((self._until - time.time()) * ARRIVING)
        await self._connection.send("page", "GET", f"/campaigns/{self._slug}/classify/")
        while time.time() < self._until and not self.end and len(self._answered) != self._most:
            await self._one()
        self._connection.close()

    async def _one(self) -> None:
        if len(self._held) <= REFILL_AT:
            await self._fetch()
        if not self._held:
            return
        item = self._held.pop(0)
        if self._chance.random() < self._habits.pictures:
            await self._look(item)
        await self._pause(self._habits.pause_s)
        if time.time() >= self._until:
            return  # nobody hurries at the end
        if self._happens(self._habits.skips):
            self._skipped.add(item["id"])
            await self._connection.send("skip", "POST", f"/api/items/{item['id']}/skip/")
            return
        await self._vote(item, twice=self._happens(self._habits.replays))
        if self._happens(self._habits.changes):
            await self._change()
        if self._happens(self._habits.leaves):
            await self._leave()

    async def _fetch(self) -> None:
        held = [item["id"] for item in self._held]
        began = time.time()
        asked = {"count": min(AT_ONCE, HELD - len(held)), "exclude": held}
        reply = await self._connection.send(
            "next", "POST", f"/api/campaigns/{self._slug}/next/", asked
        )
        if reply.status != 200:
            await asyncio.sleep(1)
            return
        answer = reply.json()
        for item in answer["items"]:
            self._note(began, item["id"], held)
        self._held += answer["items"]
        if not self._held:
            self.end = answer["state"]

    def _note(self, began: float, item: int, held: Sequence[int]) -> None:
        self._log.served.append((began, self._number, item))
        for where, known in (
            ("answered", self._answered),
            ("skipped", self._skipped),
            ("held", held),
        ):
            if item in known:
                self._log.repeated.append((self._number, item, where))

    async def _look(self, item: dict[str, Any]) -> None:
        picture = self._chance.choice([item["main"], *item["members"]])
        address = picture.get("pixels_url") or picture["url"]
        await self._connection.send("pixels", "GET", address)

    async def _vote(
        self, item: dict[str, Any], *, twice: bool = False, supersedes: str | None = None
    ) -> None:
        vote = {
            "client_uuid": str(uuid.UUID(int=self._chance.getrandbits(128), version=4)),
            "item": item["id"],
            "question_version": item["question_version"],
            **self._answer(item),
            "seconds": self._habits.pause_s,
            "answered_at": datetime.now(UTC).isoformat(),
        }
        if supersedes:
            vote["supersedes"] = supersedes
        replies = await self._post(vote, twice=twice)
        taken = [reply for reply in replies if reply.status in {200, 201}]
        if not taken:
            return
        self._answered.add(item["id"])
        said = taken[0].json()
        ticked = vote["grid"]["ticked"] if "grid" in vote else None
        self._log.sent.append(
            Sent(self._number, item["id"], vote["client_uuid"], said["answer"], ticked, supersedes)
        )
        # Whoever has been told what a known one is may not change the answer to it.
        is_final = said["gold"] is not None
        self._last = None if is_final else {"item": item, "client_uuid": vote["client_uuid"]}
        self._check_replies(vote, replies)

    async def _post(self, vote: dict[str, Any], *, twice: bool) -> list[Reply]:
        """Send a vote; a second copy goes by a connection of its own at the same time."""
        first = self._connection.send("vote", "POST", "/api/votes/", vote)
        if not twice:
            return [await first]
        host, port = self._connection._host, self._connection._port
        other = Connection(host, port, self._log, self._connection.cookies)
        replies = await asyncio.gather(first, other.send("replay", "POST", "/api/votes/", vote))
        other.close()
        return list(replies)

    def _check_replies(self, vote: dict[str, Any], replies: Sequence[Reply]) -> None:
        """A vote is new once; its copy is the same vote."""
        statuses = sorted(reply.status for reply in replies)
        if statuses not in ([201], [200, 201]):
            self._log.faults.append(f"vote {vote['client_uuid']} was answered with {statuses}")
        elif len({reply.json()["id"] for reply in replies}) != 1:
            self._log.faults.append(f"vote {vote['client_uuid']} became several votes")

    def _answer(self, item: dict[str, Any]) -> dict[str, Any]:
        if item["kind"] == "grid":
            if self._happens(0.05):
                return {"grid": {"verdict": "too_mixed", "ticked": []}}
            members = [member["subject_id"] for member in item["members"]]
            ticked = [member for member in members if self._happens(0.15)]
            return {"grid": {"verdict": "sorted", "ticked": ticked}}
        path: list[str] = []
        question = self._tree["root"]
        while question:
            answer = self._choose(question, item)
            path.append(answer["key"])
            question = answer.get("next")
        return {"path": path}

    def _choose(self, question: str, item: dict[str, Any]) -> Any:
        """Most say the same of an item."""
        single = {"outlier", "subject", "audit"}
        alike = single if item["kind"] in single else {item["kind"]}
        offered = [
            answer
            for answer in self._tree["questions"][question]["answers"]
            if "kinds" not in answer or alike & set(answer["kinds"])
        ]
        return (
            self._chance.choice(offered)
            if self._happens(0.2)
            else offered[item["id"] % len(offered)]
        )

    async def _change(self) -> None:
        if self._last is not None:
            await self._vote(self._last["item"], supersedes=self._last["client_uuid"])

    async def _leave(self) -> None:
        """Close the tab with all that it holds, and come back by another connection."""
        self._connection.close()
        self._held = []
        await asyncio.sleep(min(AWAY_S, max(0.0, self._until - time.time())))

    async def _pause(self, mean_s: float) -> None:
        if mean_s > 0:
            longest = max(0.0, self._until - time.time())
            await asyncio.sleep(min(self._chance.uniform(0, 2 * mean_s), longest))

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share


def crowd_run(**plan: Any) -> Log:
    """Do `crowd_work` in a thread of its own, for there may be a loop in this one already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(crowd_work(**plan))).result()


async def crowd_work(
    *,
    address: str,
    slug: str,
    n_volunteers: int,
    seconds: float,
    habits: Habits,
    accounts: Sequence[Account] = (),
    most: int | None = None,
) -> Log:
    """Let all work at once, the first ones with accounts, until each has answered `most` items.

    Without `most` they come one by one and answer as long as there is time.
    """
    host, _, port = address.rpartition(":")
    log = Log()
    about = Connection(host, int(port), log, {})
    reply = await about.send("campaign", "GET", f"/api/campaigns/{slug}/")
    about.close()
    tree = reply.json()["question"]["tree"]
    until = time.time() + seconds
    volunteers = [
        Volunteer(number, address, slug, tree, habits, log, until, most)
        for number in range(n_volunteers)
    ]
    for volunteer, account in zip(volunteers, accounts, strict=False):
        volunteer.sign_in(account)
    await asyncio.gather(*(volunteer.work() for volunteer in volunteers))
    return log

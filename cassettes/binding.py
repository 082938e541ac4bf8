"""Late binding: which recorded thread stands behind the id that a client was handed.

Threads that were created by equal calls cannot be told apart when a client creates one: the id that it gets is a *name*. At
first the thread that was recorded with this id stands behind it. The first call that this thread cannot serve as recorded,
and another can, tells them apart: then the other stands behind the name, and their ids change places, in what is asked and
in what is answered.

- A name is *open* while its calls are remembered (MOST_CALLS, MOST_BYTES; MOST_OPEN names). Then it is bound for good.
- A call *strays* in a thread when it is served, but not as recorded: a write that passes over another, a read from another
  side of the writes. (A poll more than recorded, held on its own side, does not stray.) A thread *fits* a name when it
  serves all its calls; the fewer stray, the better.
- A name leaves its thread only when a call would stray there or is not served, for the best fit that strays less: threads
  that nobody has before those of other open names, then in order of recording. An open name whose thread is taken gets
  another that fits it no worse (an augmenting path, so one is found wherever one exists). There is none: all stays.
- Who moves takes its calls along: the thread is begun anew and those calls are made in it, and the ids of its recorded
  answers are paired with those handed out, call by call, by kind and order.

So positions never move back for a name: it stands where its own calls lead from the start of the thread behind it. Calls
in the order of the recording never stray, so that nothing is ever renamed for them. All depends on the calls alone.

No body is kept for that. A call that was served is, as far as it counts, the recorded one that served it, with the client's
ids in the places of the recorded ones: it is read again when it is needed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from .ambiguities import Ambiguities, Call, Creation
from .ids import prefix_of
from .positions import Served, Session
from .renaming import Permutation, Renaming, words
from .scopes import thread_of
from .summary import CREATES

MOST_OPEN = 100
"""Open names of a session; of more, the oldest is bound."""
MOST_CALLS = 64
"""Calls that are remembered of an open name."""
MOST_BYTES = 32 * 1024
"""Bytes that remembering the calls of an open name may cost; of a session, eight times as many."""
MOST_WORK = 2000
"""Recorded calls that are compared for one call, one of more than 4 KiB counted for as many as its size says."""
_COST = 256
"""Bytes that a remembered call, or an open name, is taken to cost besides ids."""
_ID_COST = 128
"""Bytes that an id remembered with a call is taken to cost."""

Moved = Callable[[list[tuple[Served, Served]]], None]
"""Told of the calls that stand for other recorded ones from now on: what each was answered with, and its new answer."""


@dataclass(slots=True)
class _Made:
    """A call of an open name: what served it, the recorded ids in it that the client wrote otherwise, each with the client's,
    and the ids that the client got (None: not yet looked)."""

    served: Served
    variant: int
    said: dict[bytes, bytes] | None = None
    given: tuple[bytes, ...] | None = None

    @property
    def size(self) -> int:
        return _COST + _ID_COST * (len(self.said or ()) + len(self.given or ()))


@dataclass(slots=True)
class _Name:
    """An open name. `creations`: the threads that may stand behind it, by scope; `strays`: its calls that stray in `scope`."""

    name: bytes
    scope: int
    creations: dict[int, Creation]
    made: list[_Made]
    strays: int = 0
    size: int = 2 * _COST


@dataclass(slots=True)
class _Trial:
    """A name in another thread: where its calls are served there, and which of that thread's ids stand for the client's."""

    name: _Name
    scope: int
    session: Session
    recorded: dict[bytes, bytes]
    served: list[Served]
    said: list[dict[bytes, bytes] | None]
    strays: int = 0
    aligned: int = 0


class Binder:
    """Late binding in one session. Serves every call of it."""

    def __init__(self, session: Session, ambiguities: Ambiguities, *, moved: Moved | None = None) -> None:
        """`moved` is told, at once, of calls that were answered already and stand for other recorded ones now."""
        self._session = session
        self._moved = moved
        self._shared = ambiguities
        self._open: dict[bytes, _Name] = {}
        self._bound: set[int] = set()
        self._permutation = Permutation()
        self.names = Renaming()
        """What recorded ids are written as in answers."""
        self._recorded = Renaming()
        self._work = 0
        self.active = False
        """Whether any thread was handed out for which another may stand."""

    def serve(self, call: Call, key: int) -> Served | None:
        """What the recording answers to a call with this key, or None: a miss. Moves the session on."""
        if not self.active:
            return self._plainly(call, key)
        asked = self.recorded(call)
        if asked is not call and asked.data is not None and asked != call:
            key = self._shared.key_of(asked)
        name = self._open.get(thread_of(call.target) or b"")
        if name is None:
            return self._plainly(asked, key)
        served = self._session.look(key, variant=call.variant)
        strays = name.strays + (served is None or _strays(self._session, served))
        moved = None
        if (served is None or strays > name.strays) and call.data is not None:
            moved = self._move(name, call, strays if served is not None else None)
            if moved is not None:
                served, strays = moved.served[-1], moved.strays
        if served is not None:
            self._session.move(served)
            name.strays = strays
            said = moved.said[-1] if moved is not None else self._said(call) if asked is not call else None
            self._remember(name, _Made(served, call.variant, said), whole=call.data is not None)
        self._weigh()
        self._session.count(served)
        return served

    def recorded(self, call: Call) -> Call:
        """The call with the ids of the recording."""
        return call.spelled(self._recorded.images.get) if self._recorded else call

    def target(self, target: bytes) -> bytes:
        """A request's target with the ids of the recording."""
        return self._recorded.apply(target)

    def _plainly(self, asked: Call, key: int) -> Served | None:
        served = self._session.serve(key, variant=asked.variant)
        if served is not None and served.row.summary.flags & CREATES:
            self.created(asked, key, served)
        return served

    def created(self, asked: Call, key: int, served: Served) -> None:
        """A creation was served: open the name that it hands out, if it is not the only one."""
        creations = self._shared.creations(key, asked.variant)
        creation = creations.get(served.row.summary.scope)
        if creation is None or creation.served.row.offset != served.row.offset:
            return
        self.active = True
        name = self._permutation.name(creation.thread)
        self._open[name] = _Name(name, served.row.summary.scope, creations, [_Made(served, asked.variant)])
        if len(self._open) > MOST_OPEN:
            self._bind(next(iter(self._open.values())))
        self._weigh()

    def _said(self, call: Call) -> dict[bytes, bytes]:
        """The recorded ids that stand for others in a call, each with the one that the client wrote."""
        images = self._recorded.images
        return {images[word]: word for word in words(call.target) | words(call.data or b"") if word in images}

    def _remember(self, name: _Name, made: _Made, *, whole: bool) -> None:
        """Keep a call of a name; one whose body was not `whole` cannot be made again, and binds the name."""
        name.made.append(made)
        name.size += made.size
        if not whole or len(name.made) >= MOST_CALLS:
            self._bind(name)

    def _weigh(self) -> None:
        """Bind what has become too large to remember, the oldest names first where that is the session."""
        for name in [name for name in self._open.values() if name.size > MOST_BYTES]:
            self._bind(name)
        size = sum(name.size for name in self._open.values())
        while size > 8 * MOST_BYTES:
            oldest = next(iter(self._open.values()))
            size -= oldest.size
            self._bind(oldest)

    def _bind(self, name: _Name) -> None:
        self._bound.add(name.scope)
        del self._open[name.name]
        self.active = bool(self._open or self._recorded)

    def _move(self, name: _Name, call: Call, strays: int | None) -> _Trial | None:
        """Put the thread behind `name` that fits it and this call best, if one strays less than `strays` (None: any)."""
        self._work = MOST_WORK
        fits: list[_Trial] = []
        for scope in self._others(name):
            trial = self._try(name, scope, call)
            if trial is None or (strays is not None and trial.strays >= strays):
                continue
            if trial.strays <= name.strays and self._place(trial):
                return trial
            fits.append(trial)
        fits.sort(key=lambda trial: trial.strays)
        for trial in fits:
            if trial.strays > name.strays and self._place(trial):
                return trial
        return None

    def _others(self, name: _Name) -> Iterator[int]:
        """Threads that may stand behind a name besides the one that does: those that nobody has, then those of other names.

        Those that are bound, and those that a client has called by an id that it was not handed, are left alone.
        """
        held = {other.scope for other in self._open.values()}
        free = [scope for scope in name.creations if scope not in held and scope not in self._bound]
        yield from (scope for scope in free if self._session.position(scope) < 0)
        yield from (scope for scope in name.creations if scope in held and scope != name.scope)

    def _place(self, trial: _Trial) -> bool:
        """Do as the trial says, if everybody else who has to move can."""
        moves = [trial]
        holder = self._holder(trial.scope)
        if holder is not None:
            further = self._displace(holder, {trial.scope}, trial.name)
            if further is None:
                return False
            moves += further
        return self._settle(moves)

    def _displace(self, name: _Name, seen: set[int], first: _Name) -> list[_Trial] | None:
        """The moves that give another thread to `name`, or None. The thread of `first` has become free."""
        for scope in (first.scope, *self._others(name)):
            if scope in seen or scope not in name.creations:
                continue
            trial = self._try(name, scope)
            if trial is None or trial.strays > name.strays:
                continue
            seen.add(scope)
            holder = self._holder(scope)
            if holder is None or holder is first:
                return [trial]
            further = self._displace(holder, seen, first)
            if further is not None:
                return [trial, *further]
        return None

    def _holder(self, scope: int) -> _Name | None:
        return next((name for name in self._open.values() if name.scope == scope), None)

    def _try(self, name: _Name, scope: int, call: Call | None = None) -> _Trial | None:
        """The calls of a name, and one more, in another thread; None when one is not served there."""
        if self._work < 0:
            return None
        creation = name.creations[scope]
        session = Session(self._shared.tape)
        session.move(creation.served)
        trial = _Trial(name, scope, session, {name.name: creation.thread}, [creation.served], [None])
        calls = map(self._recall, name.made[1:])
        for number, asked in enumerate(calls if call is None else chain(calls, (call,)), 1):
            self._work -= 1 + (len(asked.data or b"") >> 12)
            if self._work < 0:
                return None
            if self._mentions(name, asked, number):
                self._align(trial, number)
            said: dict[bytes, bytes] = {}
            key = self._shared.key_of(asked.spelled(partial(self._image, trial.recorded, said)))
            served = session.look(key, variant=asked.variant)
            if served is None or served.row.summary.scope != scope:
                return None
            trial.strays += _strays(session, served)
            session.move(served)
            trial.served.append(served)
            trial.said.append(said or None)
        return trial

    def _recall(self, made: _Made) -> Call:
        """A remembered call in the client's words, up to what does not count."""
        call = self._shared.call(made.served.row)._replace(variant=made.variant)
        return call.spelled(made.said.get) if made.said else call

    def _image(self, recorded: dict[bytes, bytes], said: dict[bytes, bytes], word: bytes) -> bytes | None:
        """What a word of the client stands for in a trial; `said` is told of each that stands for another."""
        image = recorded.get(word) or self._recorded.images.get(word)
        if image is not None and image != word:
            said[image] = word
        return image

    def _given(self, name: _Name, made: _Made) -> tuple[bytes, ...]:
        """The ids that the client got from a call."""
        if made.given is None:
            made.given = tuple(map(self._permutation.name, self._shared.ids(made.served.row)))
            name.size += _ID_COST * len(made.given)
        return made.given

    def _mentions(self, name: _Name, call: Call, before: int) -> bool:
        """Whether a call names an id, besides the thread's, that the client got from the calls before."""
        said = (words(call.target) | words(call.data or b"")) - {name.name}
        return bool(said) and any(not said.isdisjoint(self._given(name, made)) for made in name.made[:before])

    def _align(self, trial: _Trial, count: int) -> None:
        """Pair the ids of the first `count` recorded answers with those that the client got."""
        taken = set(trial.recorded.values())
        while trial.aligned < count:
            given = self._given(trial.name, trial.name.made[trial.aligned])
            ids = self._shared.ids(trial.served[trial.aligned].row)
            fresh: dict[bytes, list[bytes]] = {}
            for recorded in ids:
                if recorded not in taken:
                    fresh.setdefault(prefix_of(recorded), []).append(recorded)
                    taken.add(recorded)
            for name in given:
                queue = fresh.get(prefix_of(name))
                if name not in trial.recorded and queue:
                    trial.recorded[name] = queue.pop(0)
            trial.aligned += 1

    def _settle(self, moves: list[_Trial]) -> bool:
        """Make the moves, all at once."""
        for trial in moves:
            self._align(trial, len(trial.name.made))
        if not self._permutation.has_room(sum(len(trial.recorded) for trial in moves)):
            return False
        for scope in {scope for trial in moves for scope in (trial.scope, trial.name.scope)}:
            self._session.release(scope)
        pairs: list[tuple[Served, Served]] = []
        for trial in moves:
            name = trial.name
            name.scope, name.strays = trial.scope, trial.strays
            for made, served, said in zip(name.made, trial.served, trial.said, strict=False):
                pairs.append((made.served, served))
                name.size += _ID_COST * (len(said or ()) - len(made.said or ()))
                made.served, made.said = served, said
                self._session.move(served)
            for client, recorded in trial.recorded.items():
                self._permutation.install(recorded, client)
        self.names, self._recorded = self._permutation.renamings()
        if self._moved is not None:
            self._moved(pairs)
        return True


def _strays(session: Session, served: Served) -> bool:
    """Whether serving this here is not as it was recorded: it passes over a write, or is of another side of the writes."""
    writes = session.tape.line(served.row.summary.scope).writes
    position = session.position(served.row.summary.scope)
    if served.row.summary.writes:
        return bisect_right(writes, position) != bisect_left(writes, served.place)
    return bisect_right(writes, position) != bisect_right(writes, served.place)

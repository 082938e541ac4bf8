"""What a key does in a pane, done at once: what is typed behind it in the same breath goes where the key has led to.

Textual hands a key from widget to widget, each with a queue of its own, before it looks for what the key does: the rest of
`/status:failed`, typed by a program, would overtake the `/`. Here the table of the keys is asked first. What is typed behind the
key that ends a prompt is held until the prompt was dealt with, or it would become part of what was typed. Part of the app.
"""

from collections.abc import Iterable, Mapping, Sequence

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from .keys import EVERYWHERE, KEYS, LIST, PANEL, PROMPT, Key, remapped
from .list_pane import ListPane
from .pane import Pane
from .prompt import Line

MOST_HELD = 4_096
"""Keys that are held; more are no typing."""
_ENDING = ("leave", "take")
"""The keys of a prompt that can end it, by their names."""


class Keyboard(App[None]):
    """A part of `app.Inspector`. `keys` is the table with the keys that a person gave."""

    KEY_PLACES: Sequence[str] = (EVERYWHERE,)
    """Where the keys work that work in every pane."""

    keys: Sequence[Key]

    def begin_keys(self, keymap: Mapping[str, str]) -> None:
        self.keys = remapped(keymap)
        self._behind: list[events.Event] | None = None
        self._meant = {place: self._meant_in(place) for place in (LIST, PANEL)}

    def remap(self) -> None:
        """Give Textual the keys that are others than the table's, and those alone: it goes through them at each key."""
        self.set_keymap({key.id: key.keys for key in self.keys if key not in KEYS})

    def _meant_in(self, place: str) -> dict[str, Key]:
        """The keys of a pane by their names in Textual; its own go before those of everywhere."""
        places = (*self.KEY_PLACES, place)
        found = sorted((key for key in self.keys if key.place in places), key=lambda key: places.index(key.place))
        return {one: key for key in found for one in key.keys.split(",")}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: the themes and what Textual has, and every key of everywhere by what it does."""
        yield from super().get_system_commands(screen)
        for key in self.keys:
            if key.place == EVERYWHERE and not key.action.startswith(("command_palette", "quit")):
                yield SystemCommand(
                    key.name.replace("-", " ").capitalize(),
                    key.says,
                    lambda a=key.action: self.call_later(self.run_action, a),
                )

    async def on_event(self, event: events.Event) -> None:
        typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        if typed and self._behind is not None:
            if len(self._behind) < MOST_HELD:
                self._behind.append(event)
            return
        if typed and isinstance(self.focused, Line) and self._ends(event):
            self._behind = []
        if isinstance(event, events.Key) and not event.is_forwarded and isinstance(pane := self.focused, Pane):
            key = self._meant[LIST if isinstance(pane, ListPane) else PANEL].get(event.key)
            if key is not None:
                await self.run_action(key.action, pane if key.place in {LIST, PANEL} else self)
                return
        await super().on_event(event)

    def _ends(self, event: events.Event) -> bool:
        """Whether a key ends what is typed, be it only to be told that it is none."""
        ending = (key.keys.split(",") for key in self.keys if key.place == PROMPT and key.name in _ENDING)
        return isinstance(event, events.Key) and any(event.key in keys for keys in ending)

    async def let_keys_go(self) -> None:
        """What was typed is dealt with: the keys behind it act now, where the focus is."""
        held, self._behind = self._behind or (), None
        for event in held:
            await self.on_event(event)

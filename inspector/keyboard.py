"""What a key does in a pane, done at once: what is typed behind it in the same breath goes where the key has led to.

Textual hands a key from widget to widget, each with a queue of its own, before it looks for what the key does: the rest of
`/status:failed`, typed by a program, would overtake the `/`. Here the table of the keys is asked first. Part of the app.
"""

from collections.abc import Iterable, Mapping, Sequence

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from .keys import EVERYWHERE, KEYS, LIST, PANEL, Key, remapped
from .list_pane import ListPane
from .pane import Pane


class Keyboard(App[None]):
    """A part of `app.Inspector`. `keys` is the table with the keys that a person gave."""

    KEY_PLACES: Sequence[str] = (EVERYWHERE,)
    """Where the keys work that work in every pane."""

    keys: Sequence[Key]

    def begin_keys(self, keymap: Mapping[str, str]) -> None:
        self.keys = remapped(keymap)
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
        if isinstance(event, events.Key) and not event.is_forwarded and isinstance(pane := self.focused, Pane):
            key = self._meant[LIST if isinstance(pane, ListPane) else PANEL].get(event.key)
            if key is not None:
                await self.run_action(key.action, pane if key.place in {LIST, PANEL} else self)
                return
        await super().on_event(event)

"""A headless Chromium, spoken to by its debugging protocol: pages are opened, looked at, and worked with by real keys.

`tests/e2e/system-packages.sh` installs one. Nothing of it is needed by respool itself.
"""

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip


def browser_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page. `requests` are the addresses that it asked for; `complaints` what its console and its policy said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            told = await asyncio.wait_for(self._socket.receive_json(), PATIENCE)
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["params"]["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(told["params"]["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.complaints.append("a dialog: " + told["params"]["message"])

    async def open(self, path: Path, place: str = "", *, scripts: bool = True) -> None:
        await self.visit(path.as_uri() + place, scripts=scripts)

    async def visit(self, address: str, *, scripts: bool = True) -> None:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.ask(f"{domain}.enable")
        await self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        await self.ask("Page.navigate", url=address)
        while await self.run("document.readyState") != "complete":
            await asyncio.sleep(0.02)

    async def run(self, script: str) -> Any:
        told = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not (value := await self.run(script)):
                await asyncio.sleep(0.02)
            return value

    async def press(self, *keys: str) -> None:
        for key in keys:
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def look(self, width: int, height: int, *, dark: bool = False, media: str = "screen") -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    async def picture(self) -> bytes:
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """A page of a browser that was never used before."""
    path = browser_path()
    assert path is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            path, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            await process.wait()


async def _port(file: Path) -> str:
    async with asyncio.timeout(PATIENCE):
        while not file.exists() or not file.read_text().strip():
            await asyncio.sleep(0.02)
    return os.fsdecode(file.read_text().splitlines()[0])

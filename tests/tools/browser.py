# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A real browser, without a window: chromium, told what to do over two pipes (its DevTools protocol)."""

import base64
import json
import os
import shutil
import subprocess
import tempfile

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """Opens a file when the `with` block is entered."""

    def __init__(self, path, width=1220, height=760):
        self.url = path.absolute().as_uri()
        self.size = width, height
        self.number = 0
        self.session = None
        self.buffer = b""
        self.errors = []    # exceptions of the page's scripts, and what it asked the network for

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(prefix="borescope-browser-", ignore_cleanup_errors=True)
        in_read, self.to = os.pipe()
        self.back, out_write = os.pipe()

        def pipes():
            """DevTools reads file 3 and writes file 4."""
            high = os.dup(in_read), os.dup(out_write)
            while min(high) <= 4:
                high = tuple(os.dup(fd) if fd <= 4 else fd for fd in high)
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={self.home.name}", f"--window-size={self.size[0]},{self.size[1]}",
             "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=pipes)
        os.close(in_read)
        os.close(out_write)
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Network":
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=self.url)
        self.wait("Page.loadEventFired")
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        self.home.cleanup()

    def receive(self):
        """The next message."""
        while b"\0" not in self.buffer:
            got = os.read(self.back, 1 << 20)
            assert got, "the browser has ended"
            self.buffer += got
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(message["params"]["exceptionDetails"])
        if message.get("method") == "Network.requestWillBeSent" and message["params"]["request"]["url"] != self.url:
            self.errors.append(message["params"]["request"]["url"])
        return message

    def wait(self, method):
        """Until the browser says this."""
        while self.receive().get("method") != method:
            pass

    def call(self, method, **params):
        """Has it do something, and returns what came of it."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.number:
            pass
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def eval(self, expression):
        """The value of a piece of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, x, y):
        """Presses the mouse's button there, as a user does."""
        for kind in "mousePressed", "mouseReleased":
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, text=""):
        """A key, by its name; `text` is what it types."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text):
        """Types a text."""
        for char in text:
            self.press(char, char)

    def screenshot(self, path):
        """What is seen, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

"""A headless Chromium that is driven over its DevTools protocol as a person would: opens pages, types, presses keys, and
reads what the page shows. Knows no Jupyter."""

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request

import websocket

from ssh_machine import Place, until

PROGRAM = shutil.which("chromium")


class Chromium:
    def __init__(self):
        self.place = Place()
        self.log = self.place.path / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--remote-debugging-port=0", "--remote-allow-origins=*", "--disable-features=LocalNetworkAccessChecks", f"--user-data-dir={self.place.path}/profile",
                 "about:blank"],
                stdout=log, stderr=log, env={**os.environ, "HOME": str(self.place.path)})
        port_file = self.place.path / "profile/DevToolsActivePort"
        until(port_file.exists, f"Chromium: {self.log.read_text()}")
        self.port = until(port_file.read_text, "a port").split()[0]
        page = until(self.page, "a page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.number = 0
        self.call("Page.enable")

    def page(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=10) as answer:
            return next((target for target in json.load(answer) if target["type"] == "page"), None)

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, f"{method}: {message}"
                return message["result"]

    def open(self, url):
        self.call("Page.navigate", url=url)

    def open_as(self, url, html):
        """A page of that address without asking its server."""
        self.call("Fetch.enable", patterns=[{"urlPattern": url}])
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": "Page.navigate", "params": {"url": url}}))
        while (message := json.loads(self.socket.recv())).get("method") != "Fetch.requestPaused":
            pass
        body = base64.b64encode(html.encode()).decode()
        self.call("Fetch.fulfillRequest", requestId=message["params"]["requestId"], responseCode=200, body=body,
                  responseHeaders=[{"name": "Content-Type", "value": "text/html"}])
        self.call("Fetch.disable")

    def value(self, expression):
        """None where the page can't tell yet. A promise is waited for."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return None if "exceptionDetails" in result else result["result"].get("value")

    def wait_for(self, expression, seconds=40):
        """A page that is being rebuilt by its scripts answers what it likes for a while."""
        end = time.monotonic() + seconds
        while not (value := self.value(expression)):
            text = self.value("document.title + '\\n' + (document.body ? document.body.innerText : '')")
            assert time.monotonic() < end, f"the page never had {expression}:\n{text}"
            time.sleep(0.1)
        return value

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press_shift_enter(self):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(20)
        self.place.remove()

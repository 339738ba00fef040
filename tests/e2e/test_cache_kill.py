"""kill -9 of the server while clients create, replace and delete caches: what was acknowledged is there, and whole."""

import random
import threading
import time

import httpx
from rockllama import PATIENCE, sized, wait_until

WRITERS = 3


class Writer:
    """Changes caches of its own. What was acknowledged, and what was under way when the server died."""

    def __init__(self, server, number):
        self.server = server
        self.names = [f"cache-{number}-{i}" for i in range(3)]
        self.chance = random.Random(number)
        self.texts = dict.fromkeys(self.names)  # None = there is no such cache
        self.posted = {name: {None} for name in self.names}
        self.under_way = None  # (name, what it would be then)
        self.done = 0
        self.faults = []

    def start(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with httpx.Client(base_url=self.server.url, timeout=60 * PATIENCE) as http:
            try:
                while not self.faults:
                    self.change(http, self.chance.choice(self.names))
                    self.done += 1
            except httpx.TransportError:
                pass  # the server was killed

    def change(self, http, name):
        kind = self.chance.choice(["create"] * 4 + ["delete", "delete", "states"])
        if kind == "create":
            text = f"You are assistant {self.chance.random()}. " + "Be kind. " * self.chance.randrange(2, 60)
            self.posted[name].add(text)
            body = {"cache_name": name, "prompt": text, "format": "chat"}
            self.ask(name, text, http.build_request("POST", "/v1/cache/demo", json=body), http)
        elif kind == "delete":
            self.ask(name, None, http.build_request("DELETE", f"/v1/cache/demo/{name}"), http)
        else:
            url = f"/v1/cache/demo/{name}?binary_only=true"
            self.ask(name, self.texts[name], http.build_request("DELETE", url), http)

    def ask(self, name, text, request, http):
        self.under_way = (name, text)
        response = http.send(request)
        if response.status_code != 200 and not (response.status_code == 404 and self.texts[name] is None):
            self.faults.append(f"{request.method} {request.url}: {response.status_code} {response.text}")
        self.texts[name] = text if response.status_code == 200 else None
        self.under_way = None

    def check(self, listed):
        """Whichever of the two it is: from now on it is that."""
        assert not self.faults, self.faults
        for name in self.names:
            allowed = {self.texts[name]}
            if self.under_way and self.under_way[0] == name:
                allowed.add(self.under_way[1])
            there = self.server.cache(name)["content"] if name in listed else None
            assert there in self.posted[name], f"{name} was never posted like this: {there!r}"
            assert there in allowed, f"{name} holds {there!r}, not one of {allowed}"
            self.texts[name] = there
        self.under_way = None


def all_ready(info):
    return all(state["status"] == "ready" for state in info["binary"])


def check_caches(server, writers):
    folder = server.caches / "demo"
    assert not [file.name for file in folder.glob("*~new*")]
    listed = {info["cache_name"]: info for info in server.get("/v1/cache/demo").json()["data"]}
    cut_off = {writer.under_way[0] for writer in writers if writer.under_way}
    for writer in writers:
        writer.check(listed)
    for name, info in listed.items():
        # A removal that was cut off may have cost the state; its use makes it again.
        assert all_ready(info) or name in cut_off and all(state["reason"] for state in info["binary"]), info
        usage = server.chat("hello", use_cache=name)["usage"]
        assert usage["cache_hit"] or usage["cache"]["reason"], usage
        assert usage["cache"]["name"] == name
        wait_until(lambda: all_ready(server.cache(name)), what=f"the state of {name}")


def test_a_server_that_is_killed_loses_no_cache_that_it_acknowledged(scripted):
    server = scripted("answer yes\n", settings={"models": {"preload": ["demo"]}}).start()
    writers = [Writer(server, number) for number in range(WRITERS)]
    chance = random.Random(1)
    for _ in range(sized(2, 6, 40)):
        for writer in writers:
            writer.done = 0
            writer.start()
        wait_until(lambda: any(writer.done for writer in writers), what="the first change")
        time.sleep(chance.uniform(0, 0.3))
        server.kill()
        for writer in writers:
            writer.thread.join()
        server.start()
        check_caches(server, writers)

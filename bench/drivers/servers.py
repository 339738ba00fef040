"""Starts and ends the servers that are measured, ours and llama.cpp's, on loopback and in folders that go with them."""

import asyncio
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from client import HttpError, call

READY_S = 300
STOP_S = 30


def _die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _children(pid):
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return sorted({int(child) for text in lists for child in text.split()})


def _status_kib(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


class ServerProcess:
    """A server in a folder of its own; may be started again after stop()."""

    def __init__(self, name, folder, ready_path):
        self.name = name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.process = None
        self.port = 0
        self._ready_path = ready_path

    def command(self):
        raise NotImplementedError

    async def start(self):
        self.port = _free_port()
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=_die_with_parent)
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                await call(self.port, "GET", self._ready_path)
                return self
            except (OSError, HttpError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.name} did not become ready:\n{(self.folder / 'server.log').read_text()[-4000:]}")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def discard(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def restart(self):
        self.stop()
        return await self.start()

    def memory_mib(self, name="VmRSS"):
        """Of all its processes together, as /proc/PID/status has it: VmRSS, VmHWM, RssAnon."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_status_kib(pid, name) for pid in pids) / 1024


class Rockllama(ServerProcess):
    """Ours, with the one model `bench`: a GGUF file, or a script for the scripted engine."""

    def __init__(self, program, folder, model, settings):
        super().__init__("rockllama", folder, "/ready")
        self._program = str(program.resolve())
        own = {"models": {"folder": str(self.folder / "models"), "preload": ["bench"], "allow_scripted": True},
               "cache": {"folder": str(self.folder / "cache")}, "server": {"log_level": "warning"}}
        for section, values in settings.items():
            own.setdefault(section, {}).update(values)
        (self.folder / "rockllama.json").write_text(json.dumps(own))
        model_folder = self.folder / "models" / "bench"
        model_folder.mkdir(parents=True)
        for name, source in model.items():
            target = model_folder / name
            if isinstance(source, Path):
                target.symlink_to(source)
            else:
                target.write_text(source)

    def command(self):
        return [self._program, "serve", "--config", str(self.folder / "rockllama.json"), "--host", "127.0.0.1",
                "--port", str(self.port)]


class LlamaServer(ServerProcess):
    """llama.cpp's; keeps saved slots in its folder."""

    def __init__(self, program, folder, model, parallel, cells, threads):
        super().__init__("llama-server", folder, "/health")
        self._command = [str(program.resolve()), "-m", str(model), "--host", "127.0.0.1", "-np", str(parallel), "-c", str(cells),
                         "-t", str(threads), "-fa", "on", "--no-webui", "--slot-save-path", str(self.folder)]

    def command(self):
        return [*self._command, "--port", str(self.port)]


def exit_in_order():
    """Has SIGTERM end this program as an exception does: servers are stopped and their folders removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def threads():
    return len(os.sched_getaffinity(0))

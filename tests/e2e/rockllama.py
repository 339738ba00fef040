"""Runs the real server for a test: its folder, its process, its clients. Nothing that is started outlives the test."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import openai

BINARY = Path(os.environ["ROCKLLAMA_BIN"])
MODEL_FILE = Path(os.environ["ROCKLLAMA_TEST_MODEL"])
VOCABULARIES = Path(os.environ["ROCKLLAMA_VOCABULARIES"])
SIZE = os.environ.get("ROCKLLAMA_E2E_SIZE", "normal")  # small (sanitizers), normal, full
PATIENCE = 8 if SIZE == "small" else 1  # a sanitized server is slower; limits here only catch what never comes

# What a sanitizer writes when it finds something.
SANITIZER = re.compile(r"(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[^\n]*")

CHATML = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def sized(small, normal, full=None):
    return {"small": small, "normal": normal, "full": normal if full is None else full}[SIZE]


def wait_until(condition, seconds=20.0, what="the condition"):
    """The first true value of condition(); fails after the time."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come in {seconds * PATIENCE:.0f} s")


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children(pid):
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return []
    return sorted({int(child) for text in lists for child in text.split()})


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    """One `rockllama serve` in a folder of its own. May be started again after stop() or kill()."""

    started = []  # those whose folder is still there

    def __init__(self, folder, settings=None, system_prompt=None, environment=None):
        self.folder = Path(folder)
        self.models = self.folder / "models"
        self.caches = self.folder / "cache"
        self.models.mkdir(parents=True, exist_ok=True)
        (self.folder / "config").mkdir(exist_ok=True)
        self.settings = settings or {}
        if system_prompt is not None:
            (self.folder / "config/system.txt").write_text(system_prompt)
        self.environment = environment or {}
        self.process = None
        self.port = None
        self.starts = 0
        self._http = None

    # Models

    def add_model(self, name="demo", overrides=None, file=MODEL_FILE):
        folder = self.models / name
        folder.mkdir()
        (folder / "model.gguf").symlink_to(file)
        if overrides:
            (folder / "model.json").write_text(json.dumps(overrides))
        return self

    def add_script(self, name, script, overrides=None):
        folder = self.models / name
        folder.mkdir()
        (folder / "model.script").write_text(script)
        (folder / "tokenizer.gguf").symlink_to(VOCABULARIES / "ggml-vocab-gpt-2.gguf")
        (folder / "chat_template.jinja").write_text(CHATML)
        if overrides:
            (folder / "model.json").write_text(json.dumps(overrides))
        return self

    # Process

    def launch(self, *arguments):
        """Starts the process and does not wait for anything."""
        (self.folder / "config/rockllama.json").write_text(json.dumps(self.settings))
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ROCKLLAMA_")}
        environment = {key: value for key, value in {**inherited, **self.environment}.items() if value is not None}
        self.starts += 1
        if self not in Server.started:
            Server.started.append(self)
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--port", "0", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=environment, preexec_fn=die_with_parent)
        return self

    def start(self, *arguments, ready=True):
        self.launch(*arguments)
        self.port = int(wait_until(self._announced_port, what="the address in the output"))
        self._http = httpx.Client(base_url=self.url, timeout=60 * PATIENCE)
        if ready:
            wait_until(lambda: self.get("/ready").status_code == 200, 60, "/ready")
        return self

    def _announced_port(self):
        found = re.search(r"listens on http://[^:\s]+:(\d+)", self.log())
        if not found and self.process.poll() is not None:
            raise AssertionError(f"rockllama ended with {self.process.returncode}:\n{self.log()}")
        return found and found.group(1)

    def stop(self):
        """SIGTERM, and checks that it ends well; fine when it does not run."""
        if self.process is None or self.process.returncode is not None:
            return
        workers = self.workers()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30 * PATIENCE)
        finally:
            self.kill()
        wait_until(lambda: not any(map(alive, workers)), 5, "the end of the workers")
        self.check_log()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log()[-4000:]}"

    def kill(self):
        """SIGKILL to the server alone; its workers must notice."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._http is not None:
            self._http.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.discard()

    def discard(self):
        """The end of the test, however it went."""
        self.kill()
        if self in Server.started:
            Server.started.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, *arguments):
        self.stop()
        return self.start(*arguments)

    def check_log(self):
        found = SANITIZER.search(self.log())
        assert found is None, self.log()[max(0, found.start() - 200):found.start() + 6000]

    def workers(self):
        def command(pid):
            try:
                return Path(f"/proc/{pid}/cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return ""
        return [pid for pid in children(self.process.pid) if "/rockllama-worker\0" in command(pid)]

    @property
    def log_file(self):
        return self.folder / f"server-{self.starts}.log"

    def log(self):
        return self.log_file.read_text(errors="replace")

    # Clients

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path):
        return self._http.get(path)

    def post(self, path, body):
        return self._http.post(path, json=body)

    def delete(self, path):
        return self._http.delete(path)

    def openai(self, **options):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", timeout=60 * PATIENCE, max_retries=0, **options)

    def async_openai(self):
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none", timeout=60 * PATIENCE, max_retries=0)

    # Short forms of what most tests do

    def chat(self, text, model="demo", status=200, system=None, **fields):
        """The JSON of a chat answer; greedy and short unless the fields say otherwise."""
        messages = [{"role": "user", "content": text}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        body = {"model": model, "messages": messages, "max_tokens": 12, "temperature": 0, **fields}
        response = self.post("/v1/chat/completions", body)
        assert response.status_code == status, response.text
        return response.json()

    def complete(self, prompt, model="demo", status=200, **fields):
        response = self.post("/v1/completions",
                             {"model": model, "prompt": prompt, "max_tokens": 12, "temperature": 0, **fields})
        assert response.status_code == status, response.text
        return response.json()

    def create_cache(self, name, prompt, model="demo", status=200, **fields):
        response = self.post(f"/v1/cache/{model}", {"cache_name": name, "prompt": prompt, **fields})
        assert response.status_code == status, response.text
        return response.json()

    def cache(self, name, model="demo"):
        return self.get(f"/v1/cache/{model}/{name}").json()

    def state_file(self, name, model="demo"):
        return self.caches / model / f"{name}.llama_cache"


def said(answer):
    choice = answer["choices"][0]
    return choice["message"]["content"] if "message" in choice else choice["text"]


def events(response):
    """The data of each server-sent event of an open httpx response, as text."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line[len("data: "):]

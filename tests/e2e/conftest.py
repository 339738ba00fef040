import os

import pytest
from prompts import GUIDE
from rockllama import SIZE, Server


def pytest_configure(config):
    config.addinivalue_line("markers", "surface: of the API's surface, which unit tests show to the sanitizers")
    config.addinivalue_line("markers", "whole_model: needs its knowledge; the small size runs on two of its layers")
    config.addinivalue_line("markers", "emulated: runs under qemu, too, on the build for aarch64")


def pytest_collection_modifyitems(items):
    if SIZE == "small":
        for item in items:
            if item.get_closest_marker("whole_model"):
                item.add_marker(pytest.mark.skip(reason="two layers know nothing"))
            if item.get_closest_marker("surface") and "ROCKLLAMA_E2E_ALL" not in os.environ:
                item.add_marker(pytest.mark.skip(reason="CI runs these without a sanitizer"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Adds the ends of the servers' logs to what a failed test shows."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for server in Server.started:
            report.sections.append((str(server.log_file), server.log()[-6000:]))


@pytest.fixture
def make_server(tmp_path):
    """Makes servers in folders of their own; each is stopped, and its end checked, after the test."""
    servers = []

    def make(**options):
        servers.append(Server(tmp_path / f"server{len(servers)}", **options))
        return servers[-1]

    yield make
    try:
        for server in servers:
            server.stop()
            if server.starts:
                server.check_log()
    finally:
        for server in servers:
            server.discard()


@pytest.fixture
def scripted(make_server):
    """A server with the scripted model `demo`."""
    def make(script, settings=None, models=None, **options):
        settings = {**(settings or {})}
        settings["models"] = {"allow_scripted": True, **settings.get("models", {})}
        server = make_server(settings=settings, **options).add_script("demo", script)
        for name, text in (models or {}).items():
            server.add_script(name, text)
        return server

    return make


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One server with the real model for all tests that leave it as they found it; `guide` is a cache of GUIDE."""
    settings = {"models": {"preload": ["demo"]}}
    with Server(tmp_path_factory.mktemp("shared"), settings=settings).add_model() as server:
        server.start()
        server.create_cache("guide", GUIDE)
        yield server

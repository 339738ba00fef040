"""HTTPS with a certificate of our own."""

import re
import socket
import ssl
import subprocess

import httpx
import openai
import pytest
from rockllama import wait_until

pytestmark = pytest.mark.surface
QUESTION = [{"role": "user", "content": "hi"}]


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=board", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
                    folder / "certificate.pem"], check=True, capture_output=True)
    return {"tls_certificate_file": str(folder / "certificate.pem"), "tls_key_file": str(folder / "key.pem")}


@pytest.fixture
def secure(scripted, tmp_path):
    server = scripted("answer hello\n", settings={"server": make_certificate(tmp_path)}).launch()
    found = wait_until(lambda: re.search(r"listens on (https://127.0.0.1:(\d+)) ", server.log()), what="the address")
    server.secure_url, server.port = found.group(1), int(found.group(2))
    server.context = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    return server


def test_the_official_client_chats_over_https(secure):
    with httpx.Client(verify=secure.context) as http:
        client = openai.OpenAI(base_url=f"{secure.secure_url}/v1", api_key="none", http_client=http)
        for _ in range(3):
            answer = client.chat.completions.create(model="demo", messages=QUESTION)
            assert answer.choices[0].message.content == "hello"
        chunks = client.chat.completions.create(model="demo", messages=QUESTION, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hello"
        long = [{"role": "user", "content": "hi " * 400_000}]
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="demo", messages=long)
        assert refused.value.code == "context_length_exceeded"


def test_who_speaks_no_tls_disturbs_nobody(secure):
    with socket.create_connection(("127.0.0.1", secure.port)) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\n\r\n")
        plain.settimeout(20)
        try:
            assert b"HTTP/1.1" not in plain.recv(1000)
        except ConnectionResetError:
            pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{secure.secure_url}/health")  # does not know the certificate
    assert httpx.get(f"{secure.secure_url}/health", verify=secure.context).status_code == 200


@pytest.mark.parametrize("missing", ["tls_certificate_file", "tls_key_file"])
def test_a_certificate_that_cannot_be_used_stops_the_start(make_server, tmp_path, missing):
    files = make_certificate(tmp_path)
    (tmp_path / "odd.pem").write_text("odd")
    server = make_server(settings={"server": {**files, missing: str(tmp_path / "odd.pem")}}).launch()
    assert server.process.wait(20) == 1
    assert "the TLS " + ("certificate" if missing == "tls_certificate_file" else "key") in server.log()

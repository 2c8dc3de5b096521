"""The serve stage under load, under abuse, and what of a prompt is in its files: nothing."""
import glob
import json
import math
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from pipeline_harness import SLOW, make_all, need, stop, test, wait_until

CANARY = "zq7kanarienvogel"
LOAD = int(os.environ.get("M31R_LOAD_REQUESTS", "300"))


class Server:
    """The program, listening."""

    def __init__(self, place, *more, **changes):
        place.config("serve", **changes)
        self.place = place
        self.process = place.start("serve", "--config", "serve.yaml", "--checkpoint", "model.bin",
                                   "--tokenizer", "tokenizer.json", "--port-file", "port", *more)
        port = place.file("port")
        wait_until(lambda: os.path.exists(port) or self.process.poll() is not None, "the port")
        assert self.process.poll() is None, "the server has ended"
        with open(port) as f:
            self.port = int(f.read())
        os.unlink(port)
        self.run = place.last("serve")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, body, path="/generate"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(self.url(path), data, timeout=SLOW) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def requests(self):
        return self.run.records("request_complete")

    def end(self):
        """Stops it and gives back what is then recorded."""
        assert stop(self.process) == 0, "a stop that was asked for is a good end"
        self.run = self.place.last("serve")
        assert self.run.metadata["state"] == "finished", self.run.metadata["state"]
        return self.run.one("serving_complete")


def bytes_of(folder):
    for path in glob.glob(os.path.join(folder, "**", "*"), recursive=True, include_hidden=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                yield path, f.read()


@test
def serve_answers_whole_and_in_a_stream_and_counts_both(place):
    train = make_all(place)
    server = Server(place)
    with urllib.request.urlopen(server.url("/health"), timeout=SLOW) as answer:
        health = json.load(answer)
    assert health["status"] == "ok" and health["run_id"] == server.run.id, health
    wish = {"prompt": "pub fn main() {", "max_tokens": 12, "seed": 3}
    status, text = server.post(wish)
    whole = json.loads(text)
    assert status == 200 and whole["tokens_generated"] <= 12, text
    status, text = server.post({**wish, "stream": True})
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200 and len(lines) == whole["tokens_generated"], text
    assert "".join(line["text"] for line in lines) == whole["text"], (lines, whole)
    wrong = [server.post(body)[0] for body in
             (b"{", b"[]", {"prompt": 1}, {"prompt": "a", "max_tokens": 10**9},
              {"prompt": "a", "temperature": -1}, {"prompt": "a", "seed": "x"},
              {"prompt": "a", "stream": 1}, b"\xff\xfe", b"")]
    assert wrong == [400] * 9, wrong
    assert server.post({}, "/nothing")[0] == 404 and server.post({}, "/health")[0] == 405
    end = server.end()
    records = server.requests()
    assert [r["request"] for r in records] == list(range(1, 15)), "each request has its number"
    assert (end["requests"], end["errors"]) == (14, 11), end
    assert end["tokens_generated"] == 2 * whole["tokens_generated"], end
    assert records[1]["first_token_ms"] <= records[1]["latency_ms"]
    assert train.id in server.run.metadata["parents"]
    assert place.m31r("verify", server.run.id).returncode == 0


def load(server, n, connections, max_tokens=3):
    """Runs ab; returns what it says: requests, failures, and quantiles in ms."""
    body = server.place.write("body.json", json.dumps(
        {"prompt": f"// {CANARY}\nfn main() {{", "max_tokens": max_tokens}))
    done = subprocess.run(["ab", "-q", "-k", "-n", str(n), "-c", str(connections), "-e", "q.csv",
                           "-s", str(int(SLOW)), "-p", body, "-T", "application/json",
                           server.url("/generate")],
                          cwd=server.place.path, capture_output=True, text=True,
                          timeout=20 * SLOW + n / 10)
    assert done.returncode == 0, done.stdout + done.stderr
    count = int(re.search(r"Complete requests:\s+(\d+)", done.stdout)[1])
    refused = re.search(r"Non-2xx responses:\s+(\d+)", done.stdout)
    with open(server.place.file("q.csv")) as f:
        quantiles = dict(line.split(",") for line in f.read().splitlines()[1:])
    return count, int(refused[1]) if refused else 0, {k: float(v) for k, v in quantiles.items()}


def expect_quantiles_and_no_prompt(server, end):
    """The summary's quantiles are those of the records within 1 %; no prompt is in any file."""
    latencies = sorted(r["latency_ms"] for r in server.requests())
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
        exact = latencies[max(0, math.ceil(share * len(latencies)) - 1)]
        assert abs(end[f"latency_{name}_ms"] - exact) <= 0.0101 * exact, (name, exact, end)
    for folder in (server.run.path, server.place.file("logs")):
        for path, data in bytes_of(folder):
            assert CANARY.encode() not in data, f"a prompt is in {path}"
    assert server.place.m31r("verify", server.run.id).returncode == 0


@test
def serve_under_load_counts_what_the_load_tool_counts(place):
    need("ab")
    make_all(place)
    server = Server(place)
    count, refused, theirs = load(server, LOAD, 4)
    end = server.end()
    records = server.requests()
    assert len(records) == count == LOAD == end["requests"], (len(records), count, end)
    assert sum(r["status"] != 200 for r in records) == refused
    expect_quantiles_and_no_prompt(server, end)
    # The client's time holds more: its own scheduling and the way there and back.
    ours = sorted(r["latency_ms"] for r in records)
    middle = ours[len(ours) // 2]
    assert middle <= theirs["50"] * 1.02 + 0.5, (middle, theirs["50"])


@test
def serve_writes_prompts_only_when_that_is_asked_for(place):
    make_all(place)
    for changes, wanted in ((dict(level="DEBUG"), False),
                            (dict(level="DEBUG\n  log_prompts: true"), True)):
        server = Server(place, **changes)
        assert server.post({"prompt": CANARY, "max_tokens": 2})[0] == 200
        server.end()
        found = any(CANARY.encode() in data for _, data in bytes_of(server.run.path))
        assert found == wanted, (changes, found)


def socket_send(server, data):
    s = socket.create_connection(("127.0.0.1", server.port), SLOW)
    s.sendall(data)
    return s


@test
def serve_outlives_large_broken_and_vanishing_clients(place):
    make_all(place)
    server = Server(place, max_request_bytes=4096, slots=1, max_tokens=100000, request_seconds=60)
    head = b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    s = socket_send(server, head % 100_000_000)
    assert b" 413 " in s.recv(4096), "100 MB are refused before they are sent"
    s.close()
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    s = socket_send(server, head.split(b"Content")[0] + b"Transfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(2000):
            s.sendall(chunk)
        s.sendall(b"0\r\n\r\n")
        assert b" 413 " in s.recv(4096)
    except OSError:
        pass
    s.close()
    socket_send(server, head % 50 + b'{"prompt"').close()
    body = json.dumps({"prompt": "fn a", "max_tokens": 100000, "stream": True}).encode()
    s = socket_send(server, head % len(body) + body)
    assert b" 200 " in s.recv(64)
    s.close()
    socket_send(server, b"\x00\xff not http\r\n\r\n").close()
    wait_until(lambda: len([r for r in server.requests() if r.get("error") == "disconnected"]) == 2,
               "the records of both")
    assert server.post({"prompt": "a", "max_tokens": 2})[0] == 200, "its slot is free again"
    end = server.end()
    errors = [r.get("error") for r in server.requests()]
    assert errors.count("too_large") == 2, errors
    assert end["peak_memory_mb"] < 500, end
    assert place.m31r("verify", server.run.id).returncode == 0


@test
def serve_refuses_what_it_cannot_take_on_and_ends_long_texts(place):
    make_all(place)
    server = Server(place, slots=1, queue=0, max_tokens=1000000, request_seconds=2)
    body = {"prompt": "a", "max_tokens": 1000000}
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.post(body)))
    thread.start()
    statuses = set()
    # Whichever comes second is refused; that can be the long one.
    wait_until(lambda: statuses.add(server.post({"prompt": "b", "max_tokens": 1})[0]) or
               503 in statuses or answers, "a refusal")
    thread.join()
    status, text = answers[0]
    assert 503 in statuses or status == 503, (statuses, status)
    finish = json.loads(text).get("finish") if status == 200 else None
    assert (status, finish) in ((200, "deadline"), (200, "end_of_text"), (503, None)), text[-99:]
    end = server.end()
    assert end["errors"] >= 1
    assert {"queue_full"} <= {r.get("error") for r in server.requests()}


@test
def serve_stops_after_the_answers_that_are_under_way(place):
    make_all(place)
    server = Server(place, max_tokens=1000000, request_seconds=3)
    answers = []
    body = {"prompt": "a", "max_tokens": 400}
    thread = threading.Thread(target=lambda: answers.append(server.post(body)))
    thread.start()
    time.sleep(0.1)
    end = server.end()
    thread.join()
    assert len(answers) == 1 and answers[0][0] == 200, answers
    assert end["requests"] == 1, end


@test
def serve_refuses_a_checkpoint_with_one_flipped_byte(place):
    make_all(place)
    with open(place.file("model.bin"), "rb") as f:
        data = bytearray(f.read())
    data[len(data) // 2] ^= 1
    place.write("flipped.bin", bytes(data))
    place.config("serve")
    done = place.run("serve", "--config", "serve.yaml", "--checkpoint", "flipped.bin",
                     "--tokenizer", "tokenizer.json")
    assert done.returncode == 1
    reason, detail = place.last("serve").failure()
    assert reason == "checkpoint_corrupt" and "checksum" in detail, (reason, detail)


def leave_no_canary(server):
    places = [server.place.file("experiments"), server.place.file("logs"), server.place.file(".cache")]
    files = [item for folder in places for item in bytes_of(folder)]
    for ring in glob.glob(f"/dev/shm/m31r-{os.getuid()}/{server.run.id}*"):
        with open(ring, "rb") as f:
            files.append((ring, f.read()))
    assert len(files) > 10, "hardly anything was looked at"
    held = [path for path, data in files if CANARY.encode() in data]
    assert not held, f"what was asked lies in {held}"


@test
def serve_killed_keeps_the_requests_that_it_has_answered(place):
    make_all(place)
    server = Server(place)
    for _ in range(3):
        assert server.post({"prompt": f"// {CANARY}", "max_tokens": 1})[0] == 200
    assert server.post({"prompt": "a", "max_tokens": CANARY}, f"/{CANARY}?q={CANARY}")[0] != 200
    socket_send(server, f"POST /generate HTTP/1.1\r\nAuthorization: Bearer {CANARY}\r\nContent-Length: 5\r\n\r\n".encode()
                + CANARY.encode()).recv(4096)
    wait_until(lambda: len(server.requests()) == 5, "the records of the requests")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    assert [r["request"] for r in server.requests()][:3] == [1, 2, 3]
    assert not server.run.records("run_end")
    leave_no_canary(server)
    assert place.m31r("recover", "--all", "--yes").returncode == 0
    leave_no_canary(server)

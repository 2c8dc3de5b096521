"""A terminal stays a terminal: pseudo-terminals on our side stand for the user's."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from run_harness import COMMAND, PYTHON, keeper_of, state, test, wait_until


class Terminal:
    """A shell-like session leader on a pseudo-terminal, with the command in the foreground."""

    def __init__(self, p, argv, rows=33, columns=101, close=()):
        self.output = b""
        pid, self.master = pty.fork()
        if pid == 0:
            os.chdir(p.path)
            for fd in close:
                os.dup2(os.open("/dev/null", os.O_RDWR), fd)
            os.execvpe(argv[0], argv, dict(p.env, TERM="xterm"))
        self.pid = pid
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.master)

    def read(self, seconds=0.05):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                return False
        return True

    def expect(self, text, seconds=20):
        limit = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < limit, (text, self.output)
            self.read()

    def wait(self, seconds=30):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05) and select.select([self.master], [], [], 0.05)[0]:
                    pass
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(("no end", self.output))

    def type(self, data):
        os.write(self.master, data)


ISATTY = ("import os,sys\nprint('tty', [os.isatty(i) for i in range(3)], os.get_terminal_size(), flush=True)\n")


@test
def terminal_stays_a_terminal_with_its_size(p):
    t = Terminal(p, p.options() + [PYTHON, "-c", "import time; time.sleep(0.3)\n" + ISATTY])
    assert t.wait() == 0, t.output
    assert b"tty [True, True, True] os.terminal_size(columns=101, lines=33)" in t.output, t.output
    last = t.output.decode().rstrip().split("\n")[-1]
    assert last.startswith('{"event":"run_end"'), t.output
    assert b'"msg":' not in t.output.replace(b'"event":"run_end"', b""), "no JSON records on a terminal"
    assert termios.tcgetattr(t.master) == t.before, "the terminal is as it was"


@test
def typed_keys_reach_the_program(p):
    program = ("import sys,tty,termios\nprint('name?', flush=True)\nn=input()\nprint('hello', n, flush=True)\n"
               "tty.setraw(0)\nk=sys.stdin.buffer.raw.read(1)\ntermios.tcdrain(1)\nprint('key', k, flush=True)\n")
    t = Terminal(p, p.options() + [PYTHON, "-u", "-c", program])
    t.expect(b"name?")
    time.sleep(0.2)
    t.type(b"ferris\r")
    t.expect(b"hello ferris")
    time.sleep(0.3)
    t.type(b"\x03")
    t.expect(b"key b'\\x03'")
    assert t.wait() == 0
    assert "hello ferris" in p.texts(), p.texts()


@test
def window_size_is_followed(p):
    program = ("import os,signal,time\nsignal.signal(signal.SIGWINCH, lambda *a: print('now', os.get_terminal_size(), flush=True))\n"
               "print('ready', flush=True)\nfor i in range(40): time.sleep(0.1)\n")
    t = Terminal(p, p.options() + [PYTHON, "-c", program])
    t.expect(b"ready")
    time.sleep(0.3)
    fcntl.ioctl(t.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
    t.expect(b"columns=150, lines=50")
    t.type(b"\x03")
    t.wait()


@test
def ctrl_c_interrupts_the_program(p):
    t = Terminal(p, p.options() + ["sleep", "30"])
    wait_until(lambda: p.runs() and os.path.exists(os.path.join(p.run_dir(), "train.observer.log")), "the run")
    time.sleep(0.5)
    t.type(b"\x03")
    assert t.wait() == -signal.SIGINT, t.output
    assert p.metadata()["state"] == "interrupted"
    assert termios.tcgetattr(t.master) == t.before


@test
def ctrl_z_stops_and_continues(p):
    program = "import time\nprint('ready', flush=True)\nfor i in range(30): time.sleep(0.1)\nprint('end', flush=True)\n"
    command = " ".join("'%s'" % a.replace("'", "'\\''") for a in p.options() + [PYTHON, "-c", program])
    script = f"set -m\n{command}\necho back $?\nsleep 0.3\nfg >/dev/null\necho ended $?\n"
    with open(os.path.join(p.path, "script"), "w") as f:
        f.write(script)
    t = Terminal(p, ["bash", "--norc", "-i", "script"])
    t.expect(b"ready")
    time.sleep(0.3)
    t.type(b"\x1a")
    t.expect(b"back 148")
    t.expect(b"ended 0")
    t.wait()
    assert b"end\r\n" in t.output, t.output
    assert p.metadata()["state"] == "finished"
    assert p.events("program_stopped") and p.events("program_continued")


@test
def closed_terminal_does_not_end_the_program(p):
    program = "import time\nfor i in range(20): print('line', i, flush=True); time.sleep(0.1)\nopen('made','w')\n"
    t = Terminal(p, p.options() + [PYTHON, "-c", program])
    t.expect(b"line 3")
    os.close(t.master)
    wait_until(lambda: os.path.exists(os.path.join(p.path, "made")), "the program's end")
    os.waitpid(t.pid, 0)
    wait_until(lambda: p.metadata()["state"] == "finished", "the record's end")
    assert [x for x in p.texts() if x.startswith("line")] == [f"line {i}" for i in range(20)], p.texts()


@test
def closed_terminal_with_output_in_a_pipe(p):
    """stdin is the terminal, stdout is not: the program stays in the terminal's session and must survive its end."""
    program = "import time\nfor i in range(15): print('line', i, flush=True); time.sleep(0.1)\nopen('made','w')\n"
    t = Terminal(p, p.options() + [PYTHON, "-c", program], close=(1, 2))
    wait_until(lambda: p.runs() and "line 2" in p.texts(), "line 2")
    os.close(t.master)
    wait_until(lambda: os.path.exists(os.path.join(p.path, "made")), "the program's end")
    os.waitpid(t.pid, 0)
    wait_until(lambda: p.metadata()["state"] == "finished", "the record's end")


@test
def terminal_is_restored_when_the_front_is_killed(p):
    t = Terminal(p, p.options() + ["sleep", "3"])
    wait_until(lambda: termios.tcgetattr(t.master)[3] & termios.ICANON == 0, "raw mode")
    keeper = keeper_of(t.pid)
    fd = os.open(os.ttyname(t.master) if False else os.ptsname(t.master) if hasattr(os, "ptsname") else
                 os.readlink(f"/proc/{t.pid}/fd/0"), os.O_RDWR | os.O_NOCTTY)
    os.kill(t.pid, signal.SIGKILL)
    os.waitpid(t.pid, 0)
    wait_until(lambda: termios.tcgetattr(fd)[3] & termios.ICANON != 0, "the terminal as it was")
    os.close(fd)
    wait_until(lambda: p.metadata()["state"] == "finished" and state(keeper) in ("", "Z"), "the end")


@test
def stderr_terminal_and_stdout_pipe(p):
    master, slave = pty.openpty()
    q = subprocess.Popen(p.options() + [PYTHON, "-c", "import os;print([os.isatty(i) for i in (1,2)]);os.write(2,b'to err\\n')"],
                         cwd=p.path, env=p.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave)
    out, _ = q.communicate(timeout=30)
    os.close(slave)
    text = b""
    while select.select([master], [], [], 0.2)[0]:
        try:
            text += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    assert q.returncode == 0
    assert p.texts() == ["[False, True]"] and p.texts("stderr") == ["to err"]
    assert text.startswith(b"to err\r\n") and b"run_end" in text, text
    assert b'"line":"to err"' in out, out


@test
def progress_is_a_bar_that_other_text_takes_off(p):
    joiner = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")
    t = Terminal(p, p.options() + [joiner, "progress", "100"])
    assert t.wait() == 0, t.output
    bars = [x for x in t.output.split(b"\r\x1b[K") if x.startswith(b"[")]
    assert len(bars) >= 2 and b"100%  100/100" in bars[-1], t.output
    assert b"\r\x1b[Khalf way\r\n" in t.output, t.output
    assert b"msg=progress" not in t.output, t.output
    end = t.output.rindex(b"\r\x1b[K")
    assert t.output[end:].startswith(b"\r\x1b[K{\"event\":\"run_end\"") or b"run_end" in t.output[end:], t.output
    assert b"[###" not in t.output[end:], "the bar is taken off before the last line"
    records = [x for x in p.lane("progress") if x["msg"] == "progress"]
    assert records[-1]["done"] == 100 and records[-1]["total"] == 100, records


@test
def progress_on_a_dumb_terminal_is_lines(p):
    joiner = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")
    t = Terminal(p, ["env", "TERM=dumb"] + p.options() + [joiner, "progress", "20"])
    assert t.wait() == 0, t.output
    assert b"\x1b" not in t.output and b"msg=progress" in t.output, t.output


def is_open(pid, name):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").endswith(name) for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def verify_held_for_a_second_while_it_hashes(p):
    t = Terminal(p, [COMMAND, "verify", "@", "--seal", "--no-cache"])
    limit = time.monotonic() + 5
    while not is_open(t.pid, "payload.bin") and time.monotonic() < limit:
        time.sleep(0.002)
    os.kill(t.pid, signal.SIGSTOP)
    time.sleep(1.1)
    os.kill(t.pid, signal.SIGCONT)
    assert t.wait() == 0, t.output
    return t.output


@test
def verify_that_hashes_for_a_second_says_how_far_it_is(p):
    p.run("sh", "-c", "truncate -s 512M $M31R_RUN_DIR/payload.bin", check=True)
    for _ in range(5):  # it may have hashed all of it before it was held
        output = verify_held_for_a_second_while_it_hashes(p)
        if b"hashing" in output:
            break
    word = output[output.index(b"\r\x1b[Khashing "):output.rindex(b"\r\x1b[K")]
    assert b" of 512" in word and b" %" in word, output
    assert b"hashing" not in output[output.rindex(b"\r\x1b[K"):], output

#!/usr/bin/env python3
"""sluice fetch, from a server at 127.0.0.1 that does all that servers do. Nothing else is ever asked.

usage: fetch_test.py SLUICE [argument of unittest]...     SLUICE is the program that was built
Exit codes: 0 all well, 1 something is wrong, 77 nothing can be tested here.
"""
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zipfile

sys.dont_write_bytecode = True  # nothing is to lie beside the sources
from web import Proxy, Web

SLUICE = ""
PATIENCE = int(os.environ.get("SLUICE_TEST_PATIENCE", 120))  # seconds for one command: machines may be slow, and busy
OF_THE_SET = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
              "t10k-labels-idx1-ubyte.gz")
ODD = OF_THE_SET[0]
MADE_UP = {}  # the files of a small set

# What would lead elsewhere.
OF_THE_WEB = re.compile("(SLUICE_|CURL_|SSL_CERT_|.*_proxy$)", re.IGNORECASE)


def environment(**more):
    return {name: value for name, value in os.environ.items() if not OF_THE_WEB.match(name)} | more


def setUpModule():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([SLUICE, "synth", folder, "--train", "1500", "--test", "100"], check=True, capture_output=True)
        MADE_UP.update({name: pathlib.Path(folder, name).read_bytes() for name in OF_THE_SET})


class Fetching(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.web = Web(folder.name, dict(MADE_UP))
        self.addCleanup(self.web.close)
        self.to = self.folder / "data"
        self.odd, self.part = self.to / ODD, self.to / (ODD + ".part")
        self.trust = {"SSL_CERT_FILE": self.web.certificate}

    def command(self, *folders, name="mnist", flags=(), digests=True):
        words = [SLUICE, "fetch", name, str(self.to)]
        for folder in folders:
            words += ["--mirror", folder if ":" in folder else self.web.url(folder)]
        if digests:
            for file, data in self.web.files.items():
                words += ["--sha256", f"{file}={hashlib.sha256(data).hexdigest()}"]
        return words + [str(flag) for flag in flags]

    def fetch(self, *folders, before=(), env=None, **more):
        """By the mirrors that these folders of the server are."""
        self.web.requests.clear()
        return subprocess.run([*before, *self.command(*folders, **more)], env=environment(**self.trust, **(env or {})),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def is_whole(self, done):
        self.assertEqual(done.returncode, 0, done)
        for name in OF_THE_SET:
            self.assertEqual((self.to / name).read_bytes(), MADE_UP[name], name)
        self.assertEqual(sorted(os.listdir(self.to)), sorted(OF_THE_SET), done)

    def fails(self, code, done, *parts):
        """With one line, no file and nothing half."""
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, "")
        errors = [line for line in done.stderr.splitlines() if line.startswith("sluice: ") and "warning" not in line]
        self.assertEqual(len(errors), 1, done)
        for part in parts:
            self.assertIn(part, errors[0])
        self.assertFalse(self.odd.exists())

    def asked(self):
        """For the file of which a folder does as it likes: where, and from which byte on."""
        return [(one.folder, one.range) for one in self.web.requests if one.name == ODD]

    def leaves_half(self):
        """Of the file, as a run leaves it whose server broke off."""
        half = len(MADE_UP[ODD]) // 2
        self.to.mkdir(exist_ok=True)
        self.part.write_bytes(MADE_UP[ODD][:half])
        return half


class Files(Fetching):
    def test_a_set_is_fetched_and_trained_on(self):
        done = self.fetch("ok")
        self.is_whole(done)
        self.assertEqual(done.stdout.splitlines()[-1], f"sluice train --data {self.to}")
        self.assertIn(f"{self.odd}: fetched, {len(MADE_UP[ODD])} bytes, SHA-256 as stated by --sha256\n", done.stdout)
        self.assertRegex(done.stderr, rf"^file={ODD} bytes={len(MADE_UP[ODD])} resumed_at=0 seconds=[\d.]+ "
                                      rf"from={re.escape(self.web.url('ok'))}{ODD}\n")
        trained = subprocess.run([*done.stdout.splitlines()[-1].replace("sluice", SLUICE, 1).split(), "--epochs", "1"],
                                 env=environment(), capture_output=True, text=True, check=False)
        self.assertEqual(trained.returncode, 0, trained)

    def test_the_command_that_is_said_is_one_for_a_shell(self):
        self.to = self.folder / "my data; it's $HOME"
        command = self.fetch("ok").stdout.splitlines()[-1]
        self.assertEqual(shlex.split(command), ["sluice", "train", "--data", str(self.to)])

    def test_what_is_there_is_not_asked_for_again(self):
        self.is_whole(self.fetch("ok"))
        self.odd.unlink()
        done = self.fetch("ok", flags=("--json", "--quiet"))
        self.is_whole(done)
        self.assertEqual([one.name for one in self.web.requests], [ODD])
        self.assertEqual(done.stderr, "")
        files = json.loads(done.stdout)["files"]
        self.assertEqual([one["what"] for one in files], ["fetched", "is there", "is there", "is there"])
        self.assertEqual(files[0]["from"], self.web.url("ok") + ODD)
        self.is_whole(self.fetch("ok"))
        self.assertEqual(self.web.requests, [])

    def test_another_file_of_the_name_is_replaced_only_by_force(self):
        self.to.mkdir()
        self.odd.write_text("precious")
        done = self.fetch("ok")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("--force", done.stderr)
        self.assertEqual(self.web.requests, [])
        self.assertEqual(os.listdir(self.to), [ODD])
        self.assertEqual(self.odd.read_text(), "precious")
        self.is_whole(self.fetch("ok", flags=("--force",)))

    def test_the_digest_that_was_published_is_what_counts_without_another(self):
        done = self.fetch("ok", digests=False)
        self.fails(3, done, f"has {len(MADE_UP[ODD])} bytes, expected 9912422")
        self.web.zeros = 9912422  # as many as it should have
        done = self.fetch("zeros", digests=False)
        self.fails(3, done, "SHA-256 is ", "expected 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 "
                                           "(as stated by TensorFlow Datasets,")
        self.assertFalse(self.to.exists())

    def test_the_list_has_all_that_is_known_and_asks_nobody(self):
        done = subprocess.run([SLUICE, "fetch", "--list", "--json"], env=environment(https_proxy="http://127.0.0.1:1"),
                              capture_output=True, text=True, check=True)
        sets = {one["name"]: one for one in json.loads(done.stdout)["sets"]}
        self.assertEqual(list(sets), ["fashion-mnist", "mnist", "kmnist", "qmnist", "emnist", "cifar-10"])
        words = subprocess.run([SLUICE, "fetch", "--list"], env=environment(), capture_output=True, text=True, check=True)
        offered = subprocess.run([SLUICE, "completions", "fish"], env=environment(), capture_output=True, text=True, check=True)
        for one in sets.values():
            self.assertIn(one["name"], offered.stdout.replace("'", " ").split())  # by a shell
            self.assertTrue(all(mirror.startswith("https://") and mirror.endswith("/") for mirror in one["mirrors"]))
            for file in one["files"]:
                self.assertRegex(file["sha256"], "^[0-9a-f]{64}$")
                self.assertRegex(words.stdout, rf"{file['name']} +{file['bytes']} bytes  sha256 {file['sha256']}")

    def test_wrong_use_is_an_error_in_words(self):
        for words, part in ((["fetch"], "NAME is required, one of fashion-mnist, mnist,"),
                            (["fetch", "fashon-mnist"], "did you mean 'fashion-mnist'?"),
                            (["fetch", "mnist", "--mirror", "http://user:secret@127.0.0.1/"], "begins with https://"),
                            (["fetch", "mnist", "--mirror", "https://user:secret@:x/"], "is no URL"),
                            (["fetch", "mnist", "--sha256", "a=b"], "--sha256: 'a=b' is not NAME=DIGEST"),
                            (["fetch", "mnist", "--sha256", "a=" + "0" * 64], "--sha256: a: no file of mnist"),
                            (["fetch", "--list", "--force"], "--force: has no effect with --list")):
            done = subprocess.run([SLUICE, *words], env=environment(), cwd=self.folder, capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done)
            self.assertIn(part, done.stderr)
            self.assertNotIn("secret", done.stderr)
        self.assertFalse((self.folder / "mnist").exists())

    def test_a_folder_that_cannot_be_is_an_error(self):
        (self.folder / "file").write_text("x")
        for to in ("file", "file/below", "/proc/self/new"):
            words = [str(self.folder / to) if word == str(self.to) else word for word in self.command("ok")]
            done = subprocess.run(words, env=environment(**self.trust), capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done)
            self.assertIn(to, done.stderr)
        self.to.mkdir()
        self.part.mkdir()
        done = self.fetch("ok")
        self.fails(2, done, str(self.part))
        self.assertEqual(self.web.requests, [])

    def test_a_folder_into_which_nothing_came_goes_again(self):
        self.to = self.folder / "new" / "data"
        self.fails(1, self.fetch("missing"))
        self.assertFalse((self.folder / "new").exists())

    def test_the_folder_is_that_of_the_name_where_none_is_named(self):
        words = self.command("ok")
        words.remove(str(self.to))
        subprocess.run(words, env=environment(**self.trust), cwd=self.folder, capture_output=True, check=True)
        self.assertEqual(sorted(os.listdir(self.folder / "mnist")), sorted(OF_THE_SET))


class Mirrors(Fetching):
    def test_the_next_one_is_tried_and_it_is_said_why(self):
        for folder, why in (("missing", "answers 404"), ("unavailable", "answers 503"),
                            ("page", "sends a page (text/html)"), ("other", "SHA-256 is"),
                            ("endless", "sends more than the 19824844 bytes"), ("endless_redirect", "sends without end"),
                            ("redirected_to_http", "leads to an address that is not https"),
                            ("circle", "is redirected more than 5 times")):
            with self.subTest(folder):
                shutil.rmtree(self.to, ignore_errors=True)
                done = self.fetch(folder, "ok")
                self.is_whole(done)
                self.assertIn(f"sluice: warning: {self.web.url(folder)}{ODD}: {why}", done.stderr)
                self.assertIn(f": trying {self.web.url('ok')}{ODD}\n", done.stderr)
                self.assertEqual(self.asked()[-1], ("ok", None), "nothing of it was of use")

    def test_none_that_has_it_is_an_error_that_says_why_of_each(self):
        done = self.fetch("missing", "page")
        self.fails(1, done, f"{self.web.url('missing')}{ODD}: answers 404; {self.web.url('page')}{ODD}: sends a page")
        self.assertEqual(self.asked(), [("missing", None), ("page", None)], "each once")
        self.fails(3, self.fetch("page", "other"), "sends a page", "SHA-256 is")
        self.assertFalse(self.to.exists())

    def test_one_that_nobody_answers_at_is_passed_over(self):
        closed = "https://127.0.0.1:1/"
        self.is_whole(self.fetch(closed, "ok"))
        shutil.rmtree(self.to)
        done = self.fetch("silent", "ok", flags=("--timeout", 1))
        self.is_whole(done)
        self.assertRegex(done.stderr, "silent/.*: (Operation too slow|Connection timed out|.*time)")

    def test_redirects_by_https_are_followed(self):
        done = self.fetch("redirected")
        self.is_whole(done)
        self.assertEqual(self.asked(), [("redirected", None), ("ok", None)])

    def test_nothing_that_is_secret_is_said(self):
        url = self.web.url("missing").replace("//", "//user:pass-word@") + "?token=hidden#part"
        for flags in ((), ("--json",)):
            done = self.fetch(url, "ok", flags=flags)
            self.is_whole(done)
            self.assertNotRegex(done.stdout + done.stderr, "pass-word|hidden|user|#part")
            asked = next(one for one in self.web.requests if one.folder == "missing")
            self.assertEqual((asked.authorization, asked.query), ("Basic dXNlcjpwYXNzLXdvcmQ=", "token=hidden"))
            shutil.rmtree(self.to)
        done = self.fetch("redirected", "missing")
        self.assertNotIn("of-the-redirect", done.stdout + done.stderr)

    def test_certificates_are_those_of_curl(self):
        self.trust = {}
        self.fails(1, self.fetch("ok"), "certificate", "ca-certificates", "SSL_CERT_FILE")
        self.trust = {"CURL_CA_BUNDLE": self.web.certificate, "SSL_CERT_FILE": "/nowhere"}
        self.is_whole(self.fetch("ok"))

    def test_a_proxy_is_asked_as_curl_would(self):
        proxy = Proxy()
        self.addCleanup(proxy.close)
        through = {"https_proxy": f"http://user:pass-word@127.0.0.1:{proxy.port}"}
        done = self.fetch("ok", env=through | {"NO_PROXY": "127.0.0.1"})
        self.is_whole(done)
        self.assertEqual(proxy.asked, [])
        shutil.rmtree(self.to)
        done = self.fetch("ok", env=through)
        self.is_whole(done)
        self.assertIn(f"127.0.0.1:{self.web.port}", proxy.asked)
        self.assertNotIn("pass-word", done.stdout + done.stderr)
        shutil.rmtree(self.to)
        done = self.fetch("ok", env={"https_proxy": "http://user:pass-word@127.0.0.1:1"})
        self.assertEqual(done.returncode, 1, done)
        self.assertNotIn("pass-word", done.stdout + done.stderr)
        # One that is no address: what libcurl says of it has all of it.
        for odd in ("http://user:pass-word/x@127.0.0.1:1", "http://user:pass-word#x@127.0.0.1:1",
                    "odd://user:pass-word@127.0.0.1:1"):
            done = self.fetch("ok", env={"https_proxy": odd})
            self.assertEqual(done.returncode, 1, done)
            self.assertNotIn("pass-word", done.stdout + done.stderr)


class Parts(Fetching):
    def test_the_rest_alone_is_asked_for(self):
        half = self.leaves_half()
        done = self.fetch("ok")
        self.is_whole(done)
        self.assertEqual(self.asked(), [("ok", f"bytes={half}-")])
        sent = next(one.sent for one in self.web.requests if one.name == ODD)
        self.assertEqual(sent, len(MADE_UP[ODD]) - half)
        self.assertIn(f"resumed_at={half} ", done.stderr)

    def test_a_part_that_is_whole_is_not_asked_for_again(self):
        self.to.mkdir()
        self.part.write_bytes(MADE_UP[ODD])  # as one that was killed while it was verified leaves it; of no known size
        self.is_whole(self.fetch("ok"))
        self.assertEqual(self.asked(), [])

    def test_a_connection_that_breaks_off_is_gone_on_with(self):
        done = self.fetch("cuts_off", "ok")
        self.is_whole(done)
        self.assertEqual(self.asked(), [("cuts_off", None), ("ok", f"bytes={len(MADE_UP[ODD]) // 2}-")])

    def test_what_has_come_stays_where_no_mirror_has_all(self):
        done = self.fetch("cuts_off")
        self.fails(1, done, "and the same command goes on from there")
        asked, came = len(self.asked()), self.part.stat().st_size
        self.assertTrue(1 < asked <= 5, self.asked())  # again, since each time brought more
        self.assertGreater(came, len(MADE_UP[ODD]) // 2)
        self.assertEqual(self.part.read_bytes(), MADE_UP[ODD][:came])
        self.is_whole(self.fetch("ok"))
        self.assertEqual(self.asked(), [("ok", f"bytes={came}-")])

    def test_a_server_that_knows_no_ranges_sends_all_of_it_again(self):
        half = self.leaves_half()
        self.is_whole(self.fetch("knows_no_ranges"))
        self.assertEqual(self.asked(), [("knows_no_ranges", f"bytes={half}-")])

    def test_a_part_of_another_file_is_begun_anew(self):
        for name, begin in (("another version", bytes(1000)), ("a longer one", bytes(len(MADE_UP[ODD]) + 1000))):
            with self.subTest(name):
                shutil.rmtree(self.to, ignore_errors=True)
                self.to.mkdir()
                self.part.write_bytes(begin)
                done = self.fetch("ok")
                self.is_whole(done)
                self.assertEqual(self.asked(), [("ok", f"bytes={len(begin)}-"), ("ok", None)])
                self.assertIn("from the beginning", done.stderr)

    def test_a_part_that_is_not_the_one_asked_for_is_not_taken(self):
        self.leaves_half()
        done = self.fetch("another_part", "ok")
        self.is_whole(done)
        self.assertIn("another part", done.stderr)

    def test_a_length_that_is_a_lie_changes_nothing(self):
        self.is_whole(self.fetch("promises_more", "ok"))
        shutil.rmtree(self.to)
        self.is_whole(self.fetch("says_no_length"))

    def test_an_interrupted_run_goes_on_later(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            shutil.rmtree(self.to, ignore_errors=True)
            self.web.requests.clear()
            with subprocess.Popen(self.command("waits"), env=environment(**self.trust), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
                half = len(MADE_UP[ODD]) // 2
                self.wait_for(lambda: self.part.exists() and self.part.stat().st_size == half, run)
                # Nobody else may write there meanwhile.
                second = subprocess.run(self.command("ok"), env=environment(**self.trust), capture_output=True, text=True,
                                        check=False)
                self.assertEqual(second.returncode, 1, second)
                self.assertIn("another process is fetching it", second.stderr)
                begin = time.monotonic()
                run.send_signal(number)
                out, err = run.communicate(timeout=PATIENCE)
            self.assertLess(time.monotonic() - begin, 5)
            self.assertEqual((run.returncode, out), (128 + number, ""), err)
            self.assertEqual(err, f"sluice: interrupted: {half} bytes are in {self.part}, and the same command goes on from "
                                  "there\n")
            self.assertEqual(os.listdir(self.to), [self.part.name])
            self.is_whole(self.fetch("ok"))
            self.assertEqual(self.asked(), [("ok", f"bytes={half}-")])

    def wait_for(self, condition, run):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertIsNone(run.poll(), "the program has ended")
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.01)

    def test_a_disk_that_is_full_is_no_fault_of_the_mirror(self):
        limited = ("bash", "-c", 'ulimit -f 20; exec "$@"', "bash")
        done = self.fetch("ok", "missing", before=limited)
        self.fails(1, done, f"{self.part}: cannot be written: File too large")
        self.assertEqual(self.asked(), [("ok", None)])
        self.assertEqual(self.part.read_bytes(), MADE_UP[ODD][: 20 * 1024])
        self.is_whole(self.fetch("ok"))
        self.assertEqual(self.asked(), [("ok", f"bytes={20 * 1024}-")])

    def test_on_a_terminal_a_line_is_redrawn(self):
        ours, its = pty.openpty()
        run = subprocess.Popen(self.command("pauses"), env=environment(**self.trust, TERM="xterm", COLUMNS="100"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=its)
        os.close(its)
        said = b""
        try:
            while data := os.read(ours, 65536):
                said += data
        except OSError:  # its end
            pass
        os.close(ours)
        self.assertEqual(run.wait(PATIENCE), 0, said)
        self.assertRegex(said.decode(), r"\r\x1b\[K" + ODD + r"   [\d.]+ kB  [\d.]+ MB/s")
        self.assertTrue(said.endswith(b"\r\x1b[K"), said)


class Archives(Fetching):
    def test_emnist_is_unpacked_into_a_folder_for_each_selection(self):
        selections, members = ("balanced", "byclass", "bymerge", "digits", "letters", "mnist"), {}
        for selection in selections:
            for name in OF_THE_SET:
                members[f"gzip/emnist-{selection}-{name.replace('t10k', 'test')}"] = MADE_UP[name]
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        self.web.files = {"gzip.zip": data.getvalue()}
        done = self.fetch("ok", name="emnist")
        if "built without libzip" in done.stderr:
            self.skipTest("built without libzip")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(sorted(os.listdir(self.to)), sorted(selections))
        for name, content in members.items():
            name = name[len("gzip/"):]
            self.assertEqual((self.to / name.split("-")[1] / name).read_bytes(), content)
        for selection in selections:
            self.trains(self.to / selection)
        self.assertEqual(done.stdout.splitlines()[-1], f"sluice train --data {self.to}/letters")
        self.assertEqual(self.fetch("ok", name="emnist").returncode, 0)
        self.assertEqual(self.web.requests, [])
        os.unlink(self.to / "letters" / "emnist-letters-train-labels-idx1-ubyte.gz")
        done = self.fetch("ok", name="emnist")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("labels-idx1-ubyte.gz: is not there, but ", done.stderr)
        self.assertIn("--force", done.stderr)
        self.assertEqual(self.web.requests, [])
        self.assertEqual(self.fetch("ok", name="emnist", flags=("--force",)).returncode, 0)
        self.assertEqual(len(self.web.requests), 1)
        shutil.rmtree(self.to / "letters")
        (self.to / "letters").write_text("precious")
        done = self.fetch("ok", name="emnist", flags=("--force",))
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("letters: is no folder", done.stderr)
        self.assertEqual(self.web.requests, [])

    def trains(self, folder):
        done = subprocess.run([SLUICE, "train", "--data", str(folder), "--epochs", "1", "--json"], env=environment(),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done)
        return json.loads(done.stdout)

    @staticmethod
    def cifar(batches):
        """Out of order, as archives may be, and with what nobody asked for."""
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
            folder = tarfile.TarInfo("cifar-10-batches-bin")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for name, content in sorted(batches.items(), reverse=True):
                member = tarfile.TarInfo("cifar-10-batches-bin/" + name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return data.getvalue()

    @staticmethod
    def batches():
        records = {f"data_batch_{b}.bin": [(10 * b + r) for r in range(20)] for b in range(1, 6)}
        records["test_batch.bin"] = list(range(10))
        made = {name: b"".join(bytes([n % 10]) + bytes((n + i) % 256 for i in range(3072)) for n in all_)
                for name, all_ in records.items()}
        return made | {"batches.meta.txt": b"airplane\nautomobile\n\n", "readme.html": b"<html>"}

    def test_cifar_10_becomes_idx(self):
        batches = self.batches()
        self.web.files = {"cifar-10-binary.tar.gz": self.cifar(batches)}
        done = self.fetch("ok", name="cifar-10")
        self.assertEqual(done.returncode, 0, done)
        names = ["batches.meta.txt", "t10k-images-idx4-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx4-ubyte",
                 "train-labels-idx1-ubyte"]
        self.assertEqual(sorted(os.listdir(self.to)), names)
        train = b"".join(batches[f"data_batch_{b}.bin"] for b in range(1, 6))
        images = b"".join(train[at + 1:at + 3073] for at in range(0, len(train), 3073))
        self.assertEqual((self.to / names[3]).read_bytes(), bytes([0, 0, 8, 4, 0, 0, 0, 100, 0, 0, 0, 3, 0, 0, 0, 32, 0, 0, 0, 32]) + images)
        self.assertEqual((self.to / names[4]).read_bytes(), bytes([0, 0, 8, 1, 0, 0, 0, 100]) + train[::3073])
        self.assertEqual((self.to / names[2]).read_bytes()[8:], bytes(range(10)))
        self.assertEqual((self.to / names[0]).read_bytes(), batches[names[0]])
        self.trains(self.to)
        self.assertEqual(self.fetch("ok", name="cifar-10").returncode, 0)
        self.assertEqual(self.web.requests, [])

    def test_files_that_are_somebody_elses_are_replaced_only_by_force(self):
        self.web.files = {"cifar-10-binary.tar.gz": self.cifar(self.batches())}
        self.to.mkdir()
        for content in ("precious", ""):
            for name in ("batches.meta.txt", "train-images-idx4-ubyte"):
                (self.to / name).write_text(content)
            done = self.fetch("ok", name="cifar-10")
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("--force", done.stderr)
            self.assertEqual((self.to / "batches.meta.txt").read_text(), content)
            self.assertEqual(self.web.requests, [])
        self.assertEqual(self.fetch("ok", name="cifar-10", flags=("--force",)).returncode, 0)
        for name in os.listdir(self.to):  # all are there, and are not what they were
            (self.to / name).write_text("")
        self.assertEqual(self.fetch("ok", name="cifar-10").returncode, 3)

    def test_an_interruption_while_it_is_unpacked_goes_on_later(self):
        zeros = self.batches() | {"data_batch_0.bin": bytes(60 << 20)}  # takes a while, and is passed over
        self.web.files = {"cifar-10-binary.tar.gz": self.cifar(zeros)}
        archive = self.to / "cifar-10-binary.tar.gz"
        said = ""
        for _ in range(50):  # until one is met there
            process = subprocess.Popen(self.command("ok", name="cifar-10"), env=environment(**self.trust),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            end = time.monotonic() + PATIENCE
            while not archive.exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=PATIENCE)[1]
            if process.returncode == 130 and "is not unpacked" in said:
                break
            shutil.rmtree(self.to, ignore_errors=True)
        self.assertIn("is not unpacked, and the same command does it", said)
        self.web.requests.clear()
        self.assertEqual(self.fetch("ok", name="cifar-10").returncode, 0)
        self.assertEqual(self.web.requests, [])
        self.assertEqual(len(os.listdir(self.to)), 5)

    def test_two_do_not_unpack_at_once(self):
        self.web.files = {"cifar-10-binary.tar.gz": self.cifar(self.batches())}
        self.to.mkdir()
        archive = self.to / "cifar-10-binary.tar.gz"
        archive.write_bytes(self.web.files[archive.name])
        with open(archive, "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            done = self.fetch("ok", name="cifar-10")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("another process is unpacking it", done.stderr)
        self.assertEqual(self.fetch("ok", name="cifar-10").returncode, 0)

    def test_an_archive_without_what_is_expected_is_an_error(self):
        broken = self.batches()
        del broken["data_batch_3.bin"]
        odd = self.batches() | {"data_batch_2.bin": bytes(3072)}
        for data, part in ((self.cifar(broken), "has no data_batch_3.bin"),
                           (self.cifar(odd), "data_batch_2.bin has 3072 bytes, expected records of 3073"),
                           (gzip.compress(bytes(range(1, 256)) * 100), "is no tar file"),
                           (gzip.compress(gzip.decompress(self.cifar(self.batches()))[:100_000]), "ends within")):
            shutil.rmtree(self.to, ignore_errors=True)
            self.web.files = {"cifar-10-binary.tar.gz": data}
            done = self.fetch("ok", name="cifar-10")
            self.assertEqual(done.returncode, 3, done)
            self.assertIn(part, done.stderr)
            self.assertEqual(os.listdir(self.to), ["cifar-10-binary.tar.gz"])


def main():
    global SLUICE
    SLUICE = os.path.abspath(sys.argv[1])
    # A shell starts what it does not wait for with SIGINT ignored, and what that starts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    version = subprocess.run([SLUICE, "--version"], capture_output=True, text=True, check=True).stdout
    if "\nlibcurl none" in version:
        print("skipped: the program was built without libcurl", file=sys.stderr)
        return 77
    if not shutil.which("openssl"):
        print("skipped: no openssl, to make a certificate", file=sys.stderr)
        return 77
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2, exit=False)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""sluice as several processes of a job, by every mpirun that is here: the same bits as one process, however it goes.

usage: ranks_test.py SLUICE [--long] [--kills N] [argument of unittest]...     SLUICE is the program that was built
--long: every combination, and 100 kills in place of 4. The program's modules lie beside it; a library whose module or
mpirun is missing is left out, with a word. Exit codes: 0 all well, 1 something is wrong, 77 nothing can be tested here.
"""
import argparse
import contextlib
import functools
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True  # nothing is to lie beside the sources
import launcher
from launcher import MARGIN, Job

SLUICE = ""
LONG = False
KILLS = 4
LAUNCHERS = []
PATIENCE = int(os.environ.get("SLUICE_TEST_PATIENCE", 120))  # seconds for one job: machines may be slow, and busy
HOST = os.uname().nodename
ONE_THREAD = ("--threads", 1)

FOLDER = None  # of data that all tests share


def setUpModule():
    global FOLDER
    folder = tempfile.TemporaryDirectory(prefix="sluice-")
    unittest.addModuleCleanup(folder.cleanup)
    FOLDER = pathlib.Path(folder.name)


@functools.lru_cache(maxsize=None)
def made_up(name, *flags):
    run_alone("synth", FOLDER / name, *flags)
    return FOLDER / name


def small():
    """A last batch that is uneven for every size, of which some ranks have no row block; 511 weights."""
    return made_up("small", "--train", 5003, "--test", 401, "--rows", 8, "--columns", 9, "--classes", 7)


def large():
    """So that a step is work, and a job of some seconds has not too many."""
    return made_up("large", "--train", 12000, "--test", 500, "--rows", 20, "--columns", 21)


def alone(*arguments, program=None, environment=None, folder=None):
    """By one process, without a launcher."""
    command = [str(program or SLUICE), *map(str, arguments)]
    done = subprocess.run(command, env=launcher.clean_environment() | (environment or {}), cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return launcher.Done(command, done.returncode, done.stdout, done.stderr)


def run_alone(*arguments, **more):
    done = alone(*arguments, **more)
    assert done.code == 0, done
    return done


def results(out):
    """What may not depend on how the work is divided: weights, and what every epoch was like."""
    result = json.loads(out)
    numbers = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "validation_loss", "validation_accuracy")
    return {
        "weights_sha256": result["weights_sha256"],
        "epochs": [{name: epoch[name] for name in ("epoch", *numbers) if name in epoch} for epoch in result["epochs"]],
    }


def without_times(text):
    """The text of a result, or its JSON, which of several processes has a part about them in addition."""
    if not text.startswith("{"):
        text = re.sub(r"(?m)^\d+ processes on .*\n", "", text)
        return re.sub(r" in [\d.]+ s: load .*; at most [\d.]+ MiB", "", text)
    result = json.loads(text)
    del result["seconds"], result["peak_rss_bytes"]
    if result.pop("processes", None):
        del result["options"]["exchange"], result["options"]["one_copy"]
    for epoch in result["epochs"]:
        del epoch["seconds"], epoch["samples_per_second"]
    return result


def without_warnings(done):
    """Of the lines that the program said. It warns of a machine that has fewer processors."""
    return [line for line in done.said if not line.startswith("sluice: warning: ")]


def train(*flags):
    return ["train", "--data", small(), *flags]


@functools.lru_cache(maxsize=None)
def expected(*flags):
    """By one process: what several have to give, too."""
    return results(run_alone("train", *flags, "--json", "--quiet", *ONE_THREAD).out)


def as_rank(mpi, script):
    """A command before the program's: a script of sh that has the rank in $rank and the program's command in "$@"."""
    return ["sh", "-c", f'rank=${mpi.rank}; {script}', "sh"]


def by_each_launcher(test):
    """A test of a launcher, for all that there are."""
    @functools.wraps(test)
    def all_of_them(self):
        for mpi in LAUNCHERS:
            with self.subTest(mpi.title):
                self.new_folder()
                test(self, mpi)
    return all_of_them


def shared_out(cases, mpi):
    """All of them if there is time, or those that are this launcher's."""
    return cases if LONG else cases[LAUNCHERS.index(mpi)::len(LAUNCHERS)]


class Ranks(unittest.TestCase):
    """What the tests of jobs share: nothing that a job started is there when its test is over."""

    def setUp(self):
        if not LAUNCHERS:
            self.skipTest("no library of MPI that the program has a module for")
        self.new_folder()

    def new_folder(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @contextlib.contextmanager
    def job(self, mpi, ranks, *arguments, before=(), options=(), environment=None, program=None, limit=PATIENCE):
        """One that runs. It is killed at the end, if it is not over, and no rank of it may be left if it is."""
        command = [*mpi.command(ranks, *options), *before, program or SLUICE, *arguments]
        with Job(command, limit, mpi.environment() | (environment or {})) as job:
            yield job
            if job.ended():
                self.expect_none_left(job, mpi)

    def need_lanes(self):
        if "--lanes" not in run_alone("train", "--help").out:
            self.skipTest("several processes cannot share a stream yet")

    def expect_none_left(self, job, mpi, seconds=2):
        self.assertEqual(job.left(SLUICE, mpi, seconds + MARGIN), {}, f"still there: {job.done()}")

    def run_job(self, mpi, ranks, *arguments, code=0, **more):
        with self.job(mpi, ranks, *arguments, **more) as job:
            done = job.wait()
        if code is not None:
            self.assertEqual(done.code, code, done)
        return done

    def expect_said(self, done, *patterns):
        """These lines, and no other, beside warnings."""
        told = without_warnings(done)
        self.assertEqual(len(told), len(patterns), done)
        for line, pattern in zip(told, patterns):
            self.assertRegex(line, pattern)


class SameBits(Ranks):
    def expect_same(self, mpi, ranks, division, *flags):
        done = self.run_job(mpi, ranks, "train", *flags, "--json", "--quiet", *division)
        self.assertEqual(results(done.out), expected(*flags), done)

    def test_however_the_work_is_divided(self):
        ranks, batches, threads = (1, 2, 3, 4, 7), (100, 256, 1000, 1024, 4096), (1, 2)
        shards, ways = ((), ("--shards", 3)), ("gather", "slices")
        if LONG:
            cases = list(itertools.product(LAUNCHERS, ranks, batches, threads, shards, ways))
        else:  # each value beside several of the others
            spread = [(2, 256), (3, 100), (7, 1000), (2, 4096), (3, 1024), (7, 256), (2, 100), (3, 4096), (7, 100),
                      (2, 1000), (3, 256), (4, 1024), (2, 1024), (3, 1000), (1, 256)]
            cases = [(LAUNCHERS[i % len(LAUNCHERS)], np, batch, threads[i // 2 % 2], shards[i // 3 % 2],
                      ways[(i // 2 + i // 4) % 2]) for i, (np, batch) in enumerate(spread)]
        for mpi, np, batch, count, parts, way in cases:
            with self.subTest(f"{mpi.title} -np {np} --batch-size {batch} --threads {count} {parts} --exchange {way}"):
                division = ("--threads", count, *parts, "--exchange", way)
                self.expect_same(mpi, np, division, "--data", small(), "--epochs", 2, "--batch-size", batch)

    @by_each_launcher
    def test_of_every_kind_of_training(self, mpi):
        jobs = [("--optimizer", "adam", "--lr", 0.01, "--schedule", "cosine", "--average", 0.5, "--class-weight",
                 "balanced", "--validation", 0.1, "--keep", "best"),
                ("--optimizer", "nesterov", "--weight-decay", 0.01, "--warmup", 3, "--standardize")]
        for flags, ranks in itertools.product(jobs, (2, 3, 4, 7)) if LONG else ((jobs[0], 3), (jobs[1], 2)):
            self.expect_same(mpi, ranks, ONE_THREAD, "--data", small(), "--epochs", 4, "--batch-size", 300, *flags)

    @by_each_launcher
    def test_by_different_instruction_sets(self, mpi):
        version = run_alone("--version").out
        levels = re.search("^kernels (.*)$", version, re.MULTILINE)[1].replace(" (used)", "").split(", ")
        if len(levels) < 3:
            self.skipTest(f"this machine has only {levels}")
        flags = ("--data", small(), "--epochs", 1, "--batch-size", 1000)
        for level in levels[1:] if LONG else levels[1:2]:
            other = as_rank(mpi, f'[ $rank = 0 ] || export SLUICE_ISA={level}; exec "$@"')
            done = self.run_job(mpi, 3, "train", *flags, "--json", "--quiet", *ONE_THREAD, before=other)
            self.assertEqual(results(done.out), expected(*flags), done)

    @by_each_launcher
    def test_of_a_stream_in_lanes(self, mpi):
        self.need_lanes()
        flags = ("--data", small(), "--epochs", 2, "--stream", "--shuffle-buffer", 1200, "--lanes", 6)
        for batch, ranks in itertools.product((120, 600, 2400), (2, 3, 6)) if LONG else ((600, 3), (120, 2)):
            self.expect_same(mpi, ranks, ONE_THREAD, *flags, "--batch-size", batch)


    @by_each_launcher
    def test_a_stream_of_too_few_lanes_is_refused_once(self, mpi):
        self.need_lanes()
        for lanes in shared_out([(), ("--lanes", 2)], mpi):
            done = self.run_job(mpi, 3, *train("--stream", *lanes, *ONE_THREAD), code=2)
            self.expect_said(done, "--lanes")


class Long(Ranks):
    """What the tests of jobs that do not come to their end share."""

    ENDLESS = 1_000_000  # epochs: however fast a machine is, the job is not over

    def flags(self, epochs):
        return ("--data", large(), "--epochs", epochs, "--batch-size", 1000)

    def checkpoint(self, steps=60):
        return ("--checkpoint", self.folder / "state", "--checkpoint-every", steps)

    def goes_on(self, mpi, ranks, flags, checkpoint):
        """Without a launcher: alone. What it is to give is what a run that nothing ended gives."""
        command = ("train", *flags, *checkpoint, "--json", "--quiet", *ONE_THREAD)
        done = self.run_job(mpi, ranks, *command) if mpi else run_alone(*command)
        self.assertEqual(results(done.out), expected(*flags), done)
        return json.loads(done.out)

    def goes_on_from_where_it_was(self, mpi, ranks):
        """A job without an end, to an end that comes soon."""
        file = json.loads(run_alone("inspect", self.folder / "state", "--json").out)["files"][0]
        self.assertTrue(file["sound"], file)
        result = self.goes_on(mpi, ranks, self.flags(file["epochs_done"] + 3), self.checkpoint())
        self.assertGreater(result["resumed"]["step"], 0)


class Checkpoints(Long):
    def expect_to_stop(self, mpi, ranks, stop):
        """With one line that says where it goes on from."""
        state = self.folder / "state"
        flags = (*self.flags(self.ENDLESS), *self.checkpoint(), "--no-progress", *ONE_THREAD)
        with self.job(mpi, ranks, "train", *flags) as job:
            job.wait_for("checkpoint", state.exists)
            stop(job)
            done = job.wait()
        if mpi.name == "openmpi":  # hydra's is 0 or that of a process, by chance
            self.assertNotEqual(done.code, 0, done)
        told = without_warnings(done)
        self.assertEqual(len(told), 1, done)
        self.assertRegex(told[0], r"sluice: interrupted .*epoch \d+.*saved in " + re.escape(str(state)))
        self.assertEqual(mpi.without_its_own(done.out), "", done)

    def test_a_signal_ends_the_job_and_any_other_number_of_processes_goes_on(self):
        numbers = (signal.SIGTERM, signal.SIGINT)
        others = [(mpi, ranks) for mpi in LAUNCHERS for ranks in (1, 3)] + [(None, 1)]
        if LONG:
            cases = itertools.product(LAUNCHERS, (2, 3), numbers, others)
        else:
            cases = [(mpi, 2, numbers[i], others[-1 - 2 * i]) for i, mpi in enumerate(LAUNCHERS)]
        for mpi, ranks, number, (other, other_ranks) in cases:
            then = f"by {other.title} -np {other_ranks}" if other else "alone"
            with self.subTest(f"{mpi.title} -np {ranks}, {number.name}, then {then}"):
                self.new_folder()
                self.expect_to_stop(mpi, ranks, lambda job, number=number: job.process.send_signal(number))
                self.goes_on_from_where_it_was(other, other_ranks)

    @by_each_launcher
    def test_a_signal_to_one_rank_ends_all(self, mpi):
        for rank in (0, 1) if LONG else (1,):
            self.new_folder()
            self.expect_to_stop(mpi, 2, lambda job, rank=rank: os.kill(job.ranks(SLUICE, mpi)[rank], signal.SIGTERM))
            self.goes_on_from_where_it_was(None, 1)

    @by_each_launcher
    def test_goes_on_in_the_middle_of_an_epoch(self, mpi):
        flags = self.flags(3)  # of 12 steps
        self.goes_on(mpi, 3, flags, self.checkpoint(5))
        before = ("--resume", self.folder / "state.previous")
        for ranks in (1, 2, 4) if LONG else (2,):
            resumed = self.goes_on(mpi, ranks, flags, before)["resumed"]
            self.assertEqual((resumed["epoch"], resumed["step"]), (3, 11))

    @by_each_launcher
    def test_a_stream_in_lanes_goes_on(self, mpi):
        self.need_lanes()
        stream = ("--stream", "--shuffle-buffer", 1200, "--lanes", 6)
        flags = ("--data", small(), "--epochs", 2, "--batch-size", 250, *stream)
        self.goes_on(mpi, 3, flags, self.checkpoint(5))
        for mpi_then, ranks in ((mpi, 2), (mpi, 6), (None, 1)) if LONG else ((mpi, 2),):
            self.goes_on(mpi_then, ranks, flags, ("--resume", self.folder / "state.previous"))


class Kills(Long):
    def test_the_same_command_goes_on_with_the_same_bits(self):
        flags = self.flags(150)
        seconds = {}
        for mpi in LAUNCHERS:
            with self.job(mpi, 2, "train", *flags, "--json", "--quiet", *ONE_THREAD) as job:
                self.assertEqual(results(job.wait().out), expected(*flags))
                seconds[mpi] = job.seconds
        seed = int(os.environ.get("RANKS_TEST_SEED", time.time_ns() % 1_000_000))
        dice = random.Random(seed)
        numbers = (1, 2, 3, 4) if LONG else (1, 2, 3)
        for i in range(KILLS):
            mpi, other = LAUNCHERS[i % len(LAUNCHERS)], dice.choice(LAUNCHERS)
            ranks = dice.choice(numbers[1:])
            moment = dice.uniform(0, seconds[mpi])
            with self.subTest(f"RANKS_TEST_SEED={seed}, kill {i}: {mpi.title} -np {ranks} after {moment:.2f} s"):
                self.new_folder()
                self.expect_to_be_killed(mpi, ranks, moment, dice, (*flags, *self.checkpoint(36)))
                self.goes_on(other, dice.choice([n for n in numbers if n != ranks]), flags, self.checkpoint(36))

    def expect_to_be_killed(self, mpi, ranks, moment, dice, flags):
        with self.job(mpi, ranks, "train", *flags, "--quiet", *ONE_THREAD) as job:
            time.sleep(moment)
            while not job.ended():
                if alive := job.ranks(SLUICE, mpi):
                    os.kill(alive[dice.choice(sorted(alive))], signal.SIGKILL)
                    break
                time.sleep(0.01)
            # Not until the launcher ends: Open MPI's stays for ever where a rank is killed that is about to join.
            self.expect_none_left(job, mpi)

    @by_each_launcher
    def test_of_the_launcher_leaves_no_rank(self, mpi):
        with self.job(mpi, 2, "train", *self.flags(self.ENDLESS), *ONE_THREAD) as job:
            job.wait_for("epoch", lambda: "epoch=1/" in job.err)
            job.process.kill()
            self.expect_none_left(job, mpi)


class AStoppedRank(Long):
    @by_each_launcher
    def test_is_named_by_the_others_which_end(self, mpi):
        for stopped, other in shared_out([(1, 0), (0, 1)], mpi):
            flags = self.flags(self.ENDLESS)
            with self.job(mpi, 2, "train", *flags, "--exchange-timeout", 2, *ONE_THREAD) as job:
                # It has begun.
                job.wait_for("epoch", lambda job=job: "epoch=1/" in job.err)
                alive = job.ranks(SLUICE, mpi)
                os.kill(alive[stopped], signal.SIGSTOP)
                begin = time.monotonic()
                while other in job.ranks(SLUICE, mpi) and time.monotonic() < begin + 30:
                    time.sleep(0.02)
                seconds = time.monotonic() - begin
                self.assertNotIn(other, job.ranks(SLUICE, mpi), job.done())
                self.assertLess(seconds, 2 + 2 + MARGIN, job.done())
                self.assertGreater(seconds, 1.5, job.done())
                done = job.done()
                told = without_warnings(done)
                self.assertEqual(len(told), 1, done)
                self.assertRegex(told[0], f"sluice: rank {other} on {HOST}: rank {stopped} on {HOST} did not come to .*"
                                          "within 2 s")
                job.kill()
                self.assertEqual(job.ranks(SLUICE, mpi), {})


    def test_is_named_where_it_does_not_come_to_the_beginning(self):
        if not LONG:
            self.skipTest("waits for ten times as long: only with --long")
        # What takes long enough to load that it can be stopped meanwhile.
        slow = made_up("slow", "--train", 300_000, "--test", 402)
        for mpi in LAUNCHERS:
            with self.subTest(mpi.title):
                flags = ("--epochs", 1, "--exchange-timeout", 1, *ONE_THREAD)
                data = as_rank(mpi, f'[ $rank = 0 ] && set -- "$@" --data {small()} || set -- "$@" --data {slow}; exec "$@"')
                with self.job(mpi, 2, "train", *flags, before=data) as job:
                    job.wait_for("loading", lambda job=job, mpi=mpi: 1 in job.ranks(SLUICE, mpi) and
                                 is_reading(job.ranks(SLUICE, mpi)[1], slow))
                    stopped = job.ranks(SLUICE, mpi)[1]
                    os.kill(stopped, signal.SIGSTOP)
                    begin = time.monotonic()
                    while 0 in job.ranks(SLUICE, mpi) and time.monotonic() < begin + 60:
                        time.sleep(0.02)
                    self.assertRegex("\n".join(without_warnings(job.done())), f"rank 0 on {HOST}: rank 1 on {HOST} did not come "
                                     "to the beginning.*within 10 s")
                    job.kill()


def is_reading(process, folder):
    """Whether it has a file of this folder open."""
    try:
        descriptors = list(pathlib.Path(f"/proc/{process}/fd").iterdir())
        return any(os.readlink(one).startswith(str(folder) + "/") for one in descriptors)
    except FileNotFoundError:
        return False


class Errors(Long):
    @by_each_launcher
    def test_a_rank_that_differs_is_named_before_the_first_step(self, mpi):
        other_data = made_up("other", "--train", 5003, "--test", 401, "--rows", 8, "--columns", 9, "--classes", 7,
                             "--seed", 1)
        fewer = made_up("fewer", "--train", 5000, "--test", 401, "--rows", 8, "--columns", 9, "--classes", 7)
        more_tests = made_up("more_tests", "--train", 5003, "--test", 402, "--rows", 8, "--columns", 9, "--classes", 7)
        state = self.folder / "state"
        run_alone(*train("--epochs", 1, "--checkpoint", state, "--quiet"))
        cases = [(f"--data {other_data}", "data|images|sha256"),
                 (f"--data {fewer}", "images"),
                 ("--lr 0.2", "--lr"),
                 (f"--checkpoint {state}", "going on from"),
                 (f"--data {more_tests}", "test|data"),
                 ("--seed 3", "--seed"),
                 ("--stream --lanes 2", "--stream|--lanes"),
                 (f"--trace {self.folder}/trace", "--trace"),
                 ("--best-by accuracy --keep best --validation 0.2", "--validation|--best-by|--keep"),
                 ("--epochs 5", "--epochs"),
                 ("--exchange slices", "--exchange"),
                 ("--batch-size 255", "--batch-size")]
        by_default = {"SLUICE_DATA": str(small()), "SLUICE_EPOCHS": "3"}  # a flag beats it, and may not be there twice
        of_two = shared_out(cases if LONG else cases[:4], mpi)
        for rank, ranks, (flags, difference) in [*((1, 2, case) for case in of_two), (2, 3, cases[2])]:
            before = as_rank(mpi, f'[ $rank != {rank} ] || set -- "$@" {flags}; exec "$@"')
            model = self.folder / "model"
            done = self.run_job(mpi, ranks, "train", "--output", model, *ONE_THREAD, code=3, before=before,
                                environment=by_default)
            told = without_warnings(done)
            self.assertEqual(len(told), 1, done)
            self.assertRegex(told[0], f"sluice: rank {rank} on {HOST}: .*({difference}).*rank 0 on {HOST}")
            self.assertNotIn("epoch=", done.err)
            self.assertFalse(model.exists())

    @by_each_launcher
    def test_what_is_wrong_for_all_is_told_once(self, mpi):
        nowhere = self.folder / "nowhere"
        cases = [(2, train("--epochs", "none"), "--epochs: 'none'"),
                 (2, ("train", "--bogus"), "--bogus: no such flag"),
                 (2, ("trian",), "no such command: did you mean 'train'"),
                 (3, ("train", "--data", nowhere), "nowhere: not found"),
                 (2, train("--output", nowhere / "model"), "does its folder exist"),
                 (1, train("--lr", "1e38", "--no-progress", *ONE_THREAD), "epoch 1, step .*: try a smaller --lr")]
        for code, command, said in shared_out(cases, mpi):
            self.expect_said(self.run_job(mpi, 2, *command, code=code), said)

    @by_each_launcher
    def test_what_is_wrong_for_one_names_it_once(self, mpi):
        cases = [(3, f"--data {self.folder}/nowhere", "nowhere: not found"), (2, "--bogus", "--bogus: no such flag")]
        for code, flags, said in shared_out(cases, mpi):
            wrong = as_rank(mpi, f'[ $rank = 0 ] || set -- "$@" {flags}; exec "$@"')
            done = self.run_job(mpi, 2, "train", *ONE_THREAD, code=code, before=wrong,
                                environment={"SLUICE_DATA": str(small())})
            self.expect_said(done, f"rank 1 on {HOST}: .*{said}")

    @by_each_launcher
    def test_what_ends_the_first_rank_ends_all_with_one_line(self, mpi):
        for log in shared_out(["text", "jsonl"], mpi):
            folder = self.folder / log
            folder.mkdir()
            flags = (*self.flags(self.ENDLESS), "--checkpoint", folder / "state", "--checkpoint-every", 60)
            with self.job(mpi, 2, "train", *flags, "--log-format", log, *ONE_THREAD) as job:
                job.wait_for("checkpoint", (folder / "state").exists)
                folder.rename(self.folder / f"{log} no more")  # at once, whatever is being written there
                done = job.wait()
            said = f"rank 0 on {HOST}: .*{folder}/state: cannot be written"
            if log == "text":
                self.expect_said(done, said)
            else:
                events = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
                errors = [event for event in events if event["event"] == "error"]
                self.assertEqual(len(errors), 1, done)
                self.assertRegex(errors[0]["message"], said)
                self.assertEqual(done.said, [], done)
            self.assertEqual(done.code, 1)

    # The checkpoint is of the first rank alone: what it sees in between is no reason for it alone.
    @by_each_launcher
    def test_numbers_that_are_no_longer_finite_end_all_with_one_line(self, mpi):
        for every in shared_out(([], ["--checkpoint-every", 1]), mpi):
            state = self.folder / f"state{len(every)}"
            flags = train("--lr", "1e38", "--scale", 1, "--quiet", "--checkpoint", state, *every, *ONE_THREAD)
            self.expect_said(self.run_job(mpi, 2, *flags, code=1), "epoch 1, step .*: try a smaller --lr")

    @by_each_launcher
    def test_a_signal_before_the_first_step_ends_all(self, mpi):
        for delay in (0.05, 0.3) if LONG else (0.2,):
            state = self.folder / "state"
            signalled = as_rank(mpi, f'[ $rank != 1 ] || {{ (sleep {delay}; kill -TERM $$) & }}; exec "$@"')
            # Where it was late there is a step, and a checkpoint.
            flags = train("--quiet", "--epochs", 100000, "--checkpoint", state, *ONE_THREAD)
            self.expect_said(self.run_job(mpi, 2, *flags, code=143, before=signalled), "interrupted ")
            state.unlink(missing_ok=True)

    @by_each_launcher
    def test_what_cannot_be_written_ends_all_at_once(self, mpi):
        done = self.run_job(mpi, 2, *train("--checkpoint", "/dev/full", "--quiet", *ONE_THREAD), code=2)
        self.expect_said(done, "--checkpoint /dev/full: exists and is no regular file")

    @by_each_launcher
    def test_a_warning_is_told_once(self, mpi):
        rises = train("--lr", 1e10, "--epochs", 1, "--no-progress", "--batch-size", 6000, *ONE_THREAD)
        told = run_alone(*rises).said
        self.assertEqual(len(told), 1)
        self.assertEqual(self.run_job(mpi, 2, *rises).said, told)


class OneProgram(Ranks):
    """What is seen of a job is what is seen of one process."""

    @by_each_launcher
    def test_prints_the_result_of_one_process(self, mpi):
        for flags in shared_out([(), ("--json",)], mpi):
            command = train("--epochs", 2, *flags, *ONE_THREAD)
            one, two = run_alone(*command), self.run_job(mpi, 2, *command)
            self.assertEqual(without_times(two.out), without_times(one.out), two)
            epochs = [re.sub(" seconds=.*", "", line) for line in two.err.splitlines() if line.startswith("epoch=")]
            self.assertEqual(epochs, [re.sub(" seconds=.*", "", line) for line in one.err.splitlines()])

    @by_each_launcher
    def test_the_result_says_who_the_processes_were(self, mpi):
        result = json.loads(self.run_job(mpi, 3, *train("--epochs", 1, "--json", "--quiet", *ONE_THREAD)).out)
        processes = result.get("processes", {})
        self.assertEqual((processes.get("processes"), processes.get("hosts")), (3, 1), result)
        self.assertIn(mpi.title, processes["library"])
        self.assertEqual(processes["exchange"], "gather")  # the sums of a step are small, as in a set of 28 x 28 pixels
        self.assertEqual((result["options"]["exchange"], result["options"]["one_copy"]), ("auto", "auto"))
        text = self.run_job(mpi, 2, *train("--epochs", 1, "--exchange", "slices", "--quiet", *ONE_THREAD)).out
        self.assertIn("2 processes on 1 host, 2 threads in all, exchange by slices\n", text)
        self.assertEqual([(one["rank"], one["host"], one["threads"]) for one in processes["ranks"]],
                         [(rank, HOST, 1) for rank in range(3)])
        self.assertNotIn("processes", json.loads(run_alone(*train("--epochs", 1, "--json", "--quiet")).out))

    @by_each_launcher
    def test_quiet_says_nothing(self, mpi):
        done = self.run_job(mpi, 2, *train("--epochs", 1, "--quiet", *ONE_THREAD))
        self.assertNotRegex(done.err, "(?m)^(sluice: |epoch=)", done)

    @by_each_launcher
    def test_each_line_of_a_log_of_events_is_said_once(self, mpi):
        command = train("--epochs", 2, "--log-format", "jsonl", *ONE_THREAD)
        one, two = run_alone(*command), self.run_job(mpi, 2, *command)
        events = [[json.loads(line)["event"] for line in done.err.splitlines()] for done in (one, two)]
        self.assertEqual(events[1], events[0], two)

    @by_each_launcher
    def test_only_the_first_rank_writes(self, mpi):
        names = {"model", "state", "state.previous", "report.html", "picture.svg"}
        folder = self.folder / mpi.name
        for rank in range(3):
            (folder / str(rank)).mkdir(parents=True)
        own_folder = as_rank(mpi, f'cd {folder}/$rank && exec "$@"')
        flags = ("--epochs", 2, "--output", "model", "--checkpoint", "state", "--report", "report.html",
                 "--picture", "picture.svg", *ONE_THREAD)
        self.run_job(mpi, 3, *train(*flags), before=own_folder)
        written = [{path.name for path in (folder / str(rank)).iterdir()} for rank in range(3)]
        self.assertEqual(written, [names, set(), set()])
        one = folder / "one"
        one.mkdir()
        run_alone(*train(*flags), folder=one)
        # With the command by which it was made.
        self.assertEqual((folder / "0" / "model").read_bytes(), (one / "model").read_bytes())
        for name in ("state", "model"):
            file = json.loads(run_alone("inspect", folder / "0" / name, "--json").out)["files"][0]
            self.assertTrue(file["sound"], file)

    @by_each_launcher
    def test_the_trace_has_all_processes_in_order_of_time(self, mpi):
        trace = self.folder / f"{mpi.name}.json"
        self.run_job(mpi, 3, *train("--epochs", 1, "--trace", trace, *ONE_THREAD))
        events = json.loads(trace.read_text())["traceEvents"]
        names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
        self.assertEqual(sorted(names.values()), [f"rank {rank} on {HOST}" for rank in range(3)])
        tracks, arrows = {}, {}
        for event in events:
            if event["ph"] in "BE":
                tracks.setdefault((event["pid"], event["tid"]), []).append(event["ts"])
            if "id" in event:
                self.assertIsInstance(event["id"], int)  # Perfetto passes others over
                arrows.setdefault(event["id"], []).append((event["ph"], event["pid"]))
        self.assertEqual({pid for pid, _ in tracks}, set(names))
        for times in tracks.values():  # as they were: strictly in order
            self.assertEqual(times, sorted(set(times)))
        self.assertEqual({tuple(phase for phase, _ in ends) for ends in arrows.values()}, {("s", "f")})
        self.assertEqual({pid for ends in arrows.values() for _, pid in ends}, set(names))

    @by_each_launcher
    def test_answers_once(self, mpi):
        questions = [("--version",), ("--help",), ("train", "--help"), (*train(), "--dump-flags", *ONE_THREAD)]
        for question in shared_out(questions, mpi):
            self.assertEqual(self.run_job(mpi, 2, *question).out, run_alone(*question).out)

    @by_each_launcher
    def test_other_commands_are_refused_once(self, mpi):
        model = self.folder / "model"
        run_alone(*train("--epochs", 1, "--output", model, "--quiet"))
        commands = [("eval", "--data", small(), "--model", model), ("synth", self.folder / "synth"),
                    ("sweep", "--data", small(), "--lr", "0.1,0.2"), ("inspect", model), ("graph", "--data", small()),
                    ("predict", "--model", model, "--images", small() / "t10k-images-idx3-ubyte.gz")]
        for command in shared_out(commands if LONG else commands[:4], mpi):
            done = self.run_job(mpi, 2, *command, code=2)
            self.expect_said(done, "mpirun started 2 processes, and only train runs as several: start one")
            self.assertEqual(done.out, "")
        self.assertFalse((self.folder / "synth").exists())

    @by_each_launcher
    def test_one_process_is_as_without_a_launcher(self, mpi):
        model = self.folder / "model"
        run_alone(*train("--epochs", 1, "--output", model, "--quiet"))
        commands = [("inspect", model), ("eval", "--data", small(), "--model", model, "--json", *ONE_THREAD)]
        program = alone_in(self.folder / "alone")  # needs no module, either
        for command in commands:
            one, done = run_alone(*command), self.run_job(mpi, 1, *command)
            self.assertEqual(done.said, one.said)
            if "eval" not in command:
                self.assertEqual(done.out, one.out)
        command = train("--epochs", 1, "--quiet", *ONE_THREAD)
        done = self.run_job(mpi, 1, *command, program=program)
        self.assertEqual(without_times(done.out), without_times(run_alone(*command).out))

    @by_each_launcher
    def test_without_its_module_says_what_to_build(self, mpi):
        program = alone_in(self.folder / "alone")
        done = self.run_job(mpi, 3, *train(), program=program, code=2)
        self.expect_said(done, f"mpirun started 3 processes, .*sluice_{mpi.name}.so.*-DSLUICE_MPI=ON")

    @by_each_launcher
    def test_with_another_module_says_which_cannot_be_loaded(self, mpi):
        none = {"SLUICE_MPI_MODULE": str(self.folder / "none.so")}
        self.expect_said(self.run_job(mpi, 2, *train(), code=2, environment=none), "the module of MPI cannot be loaded: .*none.so")


def alone_in(folder):
    """The program without what lies beside it."""
    folder.mkdir(exist_ok=True)
    return shutil.copy(SLUICE, folder / "sluice")


class Detection(unittest.TestCase):
    """By the environment alone: needs no library, nor a launcher. A program without modules says what it found."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sluice-")
        cls.addClassCleanup(folder.cleanup)
        cls.program = alone_in(pathlib.Path(folder.name) / "alone")

    def expect(self, variables, code, said):
        done = alone(*train("--epochs", 1, "--no-progress", *ONE_THREAD), program=self.program, environment=variables)
        self.assertEqual(done.code, code, done)
        told = without_warnings(done)
        if not said:
            self.assertEqual(told, [], done)
        else:
            self.assertEqual(len(told), 1, done)
            self.assertRegex(told[0], said)

    def test_nobody_started_several(self):
        for variables in ({},
                          {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"},  # a batch script
                          {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "4"},
                          {"SLURM_PROCID": "0", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1"},
                          {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"},
                          {"PMI_RANK": "0", "PMI_SIZE": "1"},
                          {"OMPI_COMM_WORLD_SIZE": "4"},
                          {"OMPI_COMM_WORLD_RANK": "4", "OMPI_COMM_WORLD_SIZE": "4"},
                          {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "0"},
                          {"OMPI_COMM_WORLD_RANK": "-1", "OMPI_COMM_WORLD_SIZE": "many"},
                          {"PMI_RANK": "", "PMI_SIZE": "2"}):
            with self.subTest(variables):
                self.expect(variables, 0, "")

    def test_a_launcher_did(self):
        step = {"SLURM_PROCID": "0", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}
        for variables, said in (
            ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4"}, "mpirun started 4 .*sluice_openmpi.so"),
            ({"PMI_RANK": "0", "PMI_SIZE": "3"}, "mpirun started 3 .*sluice_mpich.so"),
            (step | {"PMIX_RANK": "0"}, "srun started 4 .*sluice_openmpi.so"),
            (step | {"PMI_FD": "9", "PMI_RANK": "0", "PMI_SIZE": "4"}, "srun started 4 .*sluice_mpich.so"),
            # mpirun within a step of srun's.
            (step | {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, "mpirun started 2 "),
            (step | {"PMI_RANK": "0", "PMI_SIZE": "2", "MPI_LOCALNRANKS": "2"}, "mpirun started 2 "),
        ):
            with self.subTest(variables):
                self.expect(variables, 2, said + ".*-DSLUICE_MPI=ON")

    def test_copies_of_srun_that_cannot_find_one_another_are_refused_once(self):
        step = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}
        self.expect(step | {"SLURM_PROCID": "0"}, 2, "srun started 4 processes that cannot find .*: srun --mpi=pmix")
        self.expect(step | {"SLURM_PROCID": "3"}, 2, "")


class Hosts(Long):
    """Two of them, each a network and a name of its own, and a link between them."""

    MPI = "openmpi"
    NAMES = ("sluice-a", "sluice-b")
    DEADLINE = 3

    def setUp(self):
        super().setUp()
        self.mpi = next((mpi for mpi in LAUNCHERS if mpi.name == self.MPI), None)
        if not self.mpi:
            self.skipTest("only by Open MPI, which is not here")
        if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
            self.skipTest("two hosts in one are made by root, with iproute2 and util-linux")
        self.spaces = [f"sluice-{os.getpid()}-{name}" for name in "ab"]
        try:
            self.make()
        except subprocess.CalledProcessError as error:
            self.skipTest(f"no two hosts in this one: {error.stderr.strip()}")
        # Instead of ssh: HOST COMMAND...
        self.agent = self.folder / "agent"
        self.agent.write_text('#!/bin/sh\nhost=$1\nshift\ncase $host in\n' + "".join(
            f'  {name}) space={space} ;;\n' for name, space in zip(self.NAMES, self.spaces)) +
            'esac\nexec nsenter --net=/run/netns/$space unshare --uts sh -c "hostname $host; $*"\n')
        self.agent.chmod(0o755)

    def ip(self, *arguments, space=None):
        command = ["ip", *(("-n", space) if space else ()), *map(str, arguments)]
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    def make(self):
        for space in self.spaces:
            self.ip("netns", "add", space)
            self.addCleanup(subprocess.run, ["ip", "netns", "del", space], check=False, capture_output=True)
        self.ip("link", "add", "name", "wire", "netns", self.spaces[0], "type", "veth", "peer", "name", "wire", "netns",
                self.spaces[1])
        for i, space in enumerate(self.spaces):
            self.ip("address", "add", f"10.77.0.{i + 1}/24", "dev", "wire", space=space)
            self.ip("link", "set", "lo", "up", space=space)
            self.ip("link", "set", "wire", "up", space=space)

    def on_hosts(self, ranks, *arguments, before=()):
        """A job whose launcher is on the first; of each host every second rank, which writes on stderr into a file."""
        launched = self.mpi.command(
            ranks, "--host", ",".join(f"{name}:{ranks}" for name in self.NAMES), "--map-by", "node", "--mca",
            "plm_rsh_agent", self.agent, "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "wire", "--mca",
            "oob_tcp_if_include", "wire")
        # What a host that is out of reach says would get lost.
        own_file = as_rank(self.mpi, f'exec "$@" 2>>{self.folder}/err.$rank')
        command = ["nsenter", f"--net=/run/netns/{self.spaces[0]}", "unshare", "--uts", "sh", "-c",
                   f'hostname {self.NAMES[0]} && exec "$@"', "sh", *launched, *before, *own_file, SLUICE, *arguments]
        return Job(command, PATIENCE, self.mpi.environment())

    def said(self, rank):
        path = self.folder / f"err.{rank}"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith("sluice: ") and "warning: " not in line]

    def expect_same(self, *flags):
        for ranks, way in (((2, "gather"), (2, "slices"), (3, "gather"), (4, "slices")) if LONG else ((3, "slices"),)):
            with self.on_hosts(ranks, "train", *flags, "--exchange", way, "--json", "--quiet", *ONE_THREAD) as job:
                done = job.wait()
                self.assertEqual(done.code, 0, (done, [self.said(rank) for rank in range(ranks)]))
                self.assertEqual(results(done.out), expected(*flags), done)
                self.expect_none_left(job, self.mpi)

    def test_the_same_bits(self):
        self.expect_same("--data", small(), "--epochs", 3, "--batch-size", 1024)

    def test_the_same_bits_over_a_link_that_loses(self):
        for space in self.spaces:
            command = ["tc", "-n", space, *"qdisc add dev wire root netem delay 1ms loss 1%".split()]
            try:
                subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                self.skipTest(f"no link that loses: {str(getattr(error, 'stderr', '') or error).strip()}")
        self.expect_same("--data", small(), "--epochs", 3, "--batch-size", 1024)

    def test_each_names_the_host_of_one_that_differs(self):
        differs = as_rank(self.mpi, '[ $rank = 0 ] || set -- "$@" --lr 0.2; exec "$@"')
        with self.on_hosts(2, *train(*ONE_THREAD), before=differs) as job:
            self.assertEqual(job.wait().code, 3)
        self.assertEqual(self.said(1), [])
        self.assertEqual(len(self.said(0)), 1)
        self.assertRegex(self.said(0)[0], "rank 1 on sluice-b: --lr is .* on rank 0 on sluice-a")

    def test_a_link_that_is_cut_ends_every_rank(self):
        flags = (*self.flags(self.ENDLESS), *self.checkpoint(), "--exchange-timeout", self.DEADLINE, *ONE_THREAD)
        with self.on_hosts(2, "train", *flags) as job:
            job.wait_for("checkpoint", (self.folder / "state").exists)
            self.assertEqual(sorted(job.ranks(SLUICE, self.mpi)), [0, 1])
            self.ip("link", "set", "wire", "down", space=self.spaces[0])
            begin = time.monotonic()
            left = job.left(SLUICE, self.mpi, self.DEADLINE + 2 + MARGIN)
            said = [self.said(rank) for rank in range(2)]
            self.assertEqual(left, {}, said)
            self.assertGreater(time.monotonic() - begin, self.DEADLINE - 0.5)
            for rank, host in enumerate(self.NAMES):
                self.assertEqual(len(said[rank]), 1, said)
                other = f"rank {1 - rank} on {self.NAMES[1 - rank]}"
                late = f"rank {rank} on {host}: {other} did not come to .* within {self.DEADLINE} s"
                self.assertRegex(said[rank][0], late)
            job.kill()  # the launcher waits for a host that is out of reach
        self.goes_on_from_where_it_was(None, 1)


def main():
    global SLUICE, LONG, KILLS
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, usage=__doc__)
    parser.add_argument("sluice")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--kills", type=int)
    options, rest = parser.parse_known_args()
    SLUICE, LONG = os.path.abspath(options.sluice), options.long
    KILLS = options.kills if options.kills is not None else 100 if LONG else 4
    modules = re.search("^MPI modules (.*)$", run_alone("--version").out, re.MULTILINE)
    modules = modules[1].split(", ") if modules else []
    for mpi in launcher.known():
        missing = mpi.find(modules)
        if missing:
            print(f"skipped: {missing}", file=sys.stderr)
        else:
            mpi.hurries = not LONG
            LAUNCHERS.append(mpi)
    program = unittest.main(argv=[sys.argv[0], *rest], verbosity=2, exit=False)
    if not program.result.wasSuccessful():
        return 1
    skipped = {getattr(test, "test_case", test).id() for test, _ in program.result.skipped}
    if program.result.testsRun == len(skipped):
        print("skipped: nothing of it could be tested here", file=sys.stderr)
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())

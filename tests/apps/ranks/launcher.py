"""Jobs of several processes by mpirun: each under a time limit, and none of its processes outlives its test.

A launcher is found by what its mpirun says of itself, and is used if the program has a module for it. What a job starts
is found by a variable of its environment, wherever it went: launchers give processes groups and sessions of their own.
"""
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

MARK = "RANKS_TEST_JOB"  # a variable that only the processes of one job have, with its value
OF_A_LAUNCH = re.compile("(OMPI|PMIX|PMI|MPI|HYDI|HYDRA|SLURM|PRTE|PRRTE|SLUICE)_")
MARGIN = 3  # seconds that a machine may be late


def clean_environment():
    """Of this process, without what a launcher, or the program's own variables, would say."""
    return {name: value for name, value in os.environ.items() if not OF_A_LAUNCH.match(name)}


class Launcher:
    """An mpirun, and how it is told to start more processes than there are processors, bound to none."""

    def __init__(self, name, title, programs, says, flags, rank):
        self.name, self.title, self.programs, self.says = name, title, programs, says
        self.flags, self.rank = flags, rank
        self.program, self.hurries = None, False

    def find(self, modules):
        """Why it cannot be used; empty: it can."""
        if self.name not in modules:
            return f"no {self.title}: the program has no sluice_{self.name}.so beside it"
        for program in filter(None, map(shutil.which, self.programs)):
            version = subprocess.run([program, "--version"], env=clean_environment() | self.environment(),
                                     capture_output=True, text=True, timeout=60, check=False)
            if re.search(self.says, version.stdout + version.stderr):
                self.program = program
                return ""
        return f"no {self.title}: none of {', '.join(self.programs)} is its mpirun"

    def environment(self):
        if self.name == "openmpi":
            root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
            # Which way its messages go, it tries out for longer than a short job takes.
            return root | ({"OMPI_MCA_pml": "ob1"} if self.hurries else {})
        return {}

    @staticmethod
    def without_its_own(out):
        """stdout without what hydra says there of a signal."""
        return "".join(line for line in out.splitlines(keepends=True) if not line.startswith("[mpiexec@"))

    def command(self, ranks, *more):
        return [self.program, *self.flags, *more, "-np", str(ranks)]


def known():
    return [
        Launcher("openmpi", "Open MPI", ("mpirun.openmpi", "mpirun"), "Open MPI|OpenRTE",
                 ("--oversubscribe", "--bind-to", "none"), "OMPI_COMM_WORLD_RANK"),
        Launcher("mpich", "MPICH", ("mpirun.mpich", "mpiexec.hydra", "mpirun"), "HYDRA", (), "PMI_RANK"),
    ]


class Done:
    """What came of a job."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    @property
    def said(self):
        """The lines of the program on stderr: not those of the launcher, nor of epochs."""
        return [line for line in self.err.splitlines() if line.startswith("sluice: ")]

    def __str__(self):
        return (f"{' '.join(map(str, self.command))}\nexit code {self.code}\n"
                f"stdout:\n{self.out[-4000:]}\nstderr:\n{self.err[-4000:]}")


class TookTooLong(AssertionError):
    pass


class Job:
    """A command that runs, with all that it starts.

    with Job(command, limit=60) as job:
        done = job.wait()
    At the end of the block whatever is left is killed; that it had to be is told by `left`.
    """

    count = itertools.count()

    def __init__(self, command, limit=60, environment=None):
        self.command = list(map(str, command))
        self.limit, self.mark = limit, f"{os.getpid()}-{next(Job.count)}-{uuid.uuid4().hex}"
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-job-")
        path = pathlib.Path(self.folder.name)
        self.out_path, self.err_path = path / "out", path / "err"
        # Where a library keeps its sockets and its shared memory, which it leaves behind when it is killed.
        self.shared = tempfile.TemporaryDirectory(prefix="sluice-job-", dir="/dev/shm")
        own = {
            "TMPDIR": self.folder.name,
            "OMPI_MCA_btl_vader_backing_directory": self.shared.name,
            "OMPI_MCA_osc_sm_backing_directory": self.shared.name,
            MARK: self.mark,
        }
        # Files, not pipes: a process that is left must not keep this one waiting.
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.begin = time.monotonic()
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=clean_environment() | own | (environment or {}),
                                            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.folder.cleanup()
        self.shared.cleanup()

    @property
    def seconds(self):
        return time.monotonic() - self.begin

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    def ended(self):
        return self.process.poll() is not None

    def done(self):
        return Done(self.command, self.process.returncode, self.out_path.read_text(errors="replace"), self.err)

    def wait(self):
        """Until the launcher has ended."""
        try:
            self.process.wait(max(0.1, self.limit - self.seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise TookTooLong(f"not over within {self.limit} s, and killed: {self.done()}") from None
        return self.done()

    def wait_for(self, what, condition, limit=None):
        """Until the condition is true, or gives something; it has to be before the launcher ends."""
        until = time.monotonic() + (limit or self.limit)
        while not (result := condition()):
            if self.ended():
                if result := condition():
                    break
                raise AssertionError(f"ended before {what}: {self.done()}")
            if time.monotonic() > until:
                self.kill()
                raise TookTooLong(f"no {what} within {limit or self.limit} s, and killed: {self.done()}")
            time.sleep(0.005)
        return result

    def processes(self):
        """Of this job, with their environments: launcher, daemons, ranks. A dead one is none."""
        found = {}
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                variables = dict(variable.partition("=")[::2] for variable in
                                 (folder / "environ").read_bytes().decode(errors="replace").split("\0"))
            except OSError:  # ended meanwhile, or somebody else's
                continue
            if variables.get(MARK) == self.mark:
                found[int(folder.name)] = variables
        return found

    def ranks(self, program, launcher):
        """rank -> process, of those that run this program now."""
        found = {}
        for pid, variables in self.processes().items():
            try:
                if os.path.samefile(f"/proc/{pid}/exe", program):
                    found[int(variables.get(launcher.rank, -1))] = pid
            except OSError:
                continue
        return found

    def left(self, program, launcher, seconds):
        """Ranks that are still there after so long: none is as it should be."""
        until = time.monotonic() + seconds
        while (ranks := self.ranks(program, launcher)) and time.monotonic() < until:
            time.sleep(0.02)
        return ranks

    def kill(self):
        """All that is left, until nothing is."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        until = time.monotonic() + 30
        while processes := self.processes():
            if time.monotonic() > until:
                raise AssertionError(f"cannot be killed: {sorted(processes)}")
            for pid in processes:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)

#!/usr/bin/env python3
"""What the shells offer at a TAB: each script is read by its own shell, on a terminal of its own where it wants one.

usage: completions_test.py PROGRAM bash|zsh|fish   commands, every flag, words, files, lists; 77: there is no such shell
       completions_test.py PROGRAM stages          the stages that are offered are those that the graphs have
Exit codes: 0 all well, 1 something is wrong, 77 it cannot run here.
"""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # seconds for one answer of a shell: machines may be slow, and busy

FILES = ("model.safetensors", "many.txt", "a.npz", "b.gz", "two words.npy", "page.html", "folder/c.csv")


def output_of(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600, **more).stdout


class OnATerminal:
    """A shell that completes a line as it does for people, and tells what became of it."""

    def __init__(self, command, begin, folder, env):
        self.told = folder / "told"
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder / "home")
            os.execvpe(command[0], command, env)
        self.type(f"source {begin}\n")
        self.line("x")  # it is ready

    def type(self, text):
        os.write(self.terminal, text.encode())

    # keys: what is typed behind the line, to complete it.
    def line(self, text, keys=""):
        self.told.unlink(missing_ok=True)
        self.type("\x15" + text + keys + "\x18\x0c")  # Ctrl-U, Ctrl-X Ctrl-L
        end = time.monotonic() + PATIENCE
        while not (self.told.exists() and self.told.read_text().endswith("|\n")):
            if time.monotonic() > end:
                raise RuntimeError(f"no answer to: {text}")
            self.read()
        return self.told.read_text()[:-2]

    def read(self):
        import select
        if select.select([self.terminal], [], [], 0.02)[0]:
            os.read(self.terminal, 65536)

    def completed(self, text):
        return self.line(text, "\t")

    # All that are offered for the last word.
    def offers(self, text):
        line = self.line(text, "\x18a")
        rest = line[text.rfind(" ") + 1:]
        words = re.findall(r"(?:\\.|[^ \\])+", rest)
        return {word for word in words} - ({text.split(" ")[-1]} if line.strip() == text.strip() else set())

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)


BASH = r"""
PS1= HISTFILE=
bind 'set bell-style none' 'set completion-query-items 0' 2>/dev/null
bind 'set bell-style none'
bind '"\C-xa": insert-completions'
bind -x '"\C-x\C-l": printf "%s|\n" "$READLINE_LINE" > TOLD'
source SCRIPT
"""

ZSH = r"""
PS1= HISTFILE=
unsetopt beep zle_bracketed_paste 2>/dev/null
fpath=(FOLDER $fpath)
autoload -U compinit && compinit -u -D
tell() { print -r -- "$BUFFER|" > TOLD }
zle -N tell
bindkey '^X^L' tell '^U' kill-whole-line
all() { _main_complete; compstate[insert]=all }
zle -C all complete-word all
bindkey '^Xa' all
setopt auto_list no_list_beep
"""


class Fish:
    def __init__(self, script, folder, env):
        self.script, self.folder, self.env = script, folder, env

    def offers(self, text):
        said = output_of("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(self.script), text,
                         cwd=self.folder / "home", env=self.env)
        return {line.split("\t")[0] for line in said.splitlines()}

    def end(self):
        pass


def shell(name, program, folder):
    script = folder / ("_sluice" if name == "zsh" else "sluice." + name)
    script.write_text(output_of(program, "completions", name))
    home = folder / "home"
    for file in FILES:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text("")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8", "COLUMNS": "10000"}
    if name == "fish":
        return Fish(script, folder, env)
    text = (BASH if name == "bash" else ZSH).replace("SCRIPT", str(script)).replace("FOLDER", str(folder))
    begin = folder / "begin"
    begin.write_text(text.replace("TOLD", str(folder / "told")))
    command = ["bash", "--noprofile", "--norc", "-i"] if name == "bash" else ["zsh", "-f", "-i"]
    return OnATerminal(command, begin, folder, env)


def commands_of(program):
    part = output_of(program, "help").split("\nCommands\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+)(?= |$)", part, re.M)


def flags_of(program, command):
    return set(re.findall(r"^  (?:-h, )?(--[a-z0-9-]+)", output_of(program, command, "--help"), re.M))


def plain(words):
    """Without what stands behind (the = of a flag, the / of a folder, the comma of a list) and quotes."""
    return {re.sub(r"[=/,]$", "", word.replace("\\", "")) for word in words}


def test(name, program, folder):
    faults = []
    its = shell(name, program, folder)

    def expect(text, wanted, exactly=plain):
        found = exactly(its.offers(text))
        if found != set(wanted):
            faults.append(f"'{text}' offers {sorted(found)}, expected {sorted(wanted)}")

    commands = commands_of(program)
    expect("sluice ", commands)
    expect("sluice --ver", ["--version"])
    for command in commands:
        expect(f"sluice {command} --", flags_of(program, command))
    expect("sluice train --pro", ["--progress", "--profile"])
    expect("sluice train --optimizer ad", ["adam", "adamw"])
    words = plain(its.offers("sluice train --schedule="))
    if {word.replace("--schedule=", "") for word in words} != {"constant", "linear", "cosine", "step"}:
        faults.append(f"'--schedule=' offers {words}")
    expect("sluice train --capacity sha", ["shard="], set)
    expect("sluice train --concurrency sg", ["sgd="], set)
    expect("sluice sweep --optimizer sgd,ada", ["sgd,adam", "sgd,adamw"])
    expect("sluice help comp", ["completions"])
    expect("sluice completions ", ["bash", "zsh", "fish"])
    expect("sluice train --epochs ", [])
    # Files by the ends of their names, and folders; where none has such an end, any.
    expect("sluice eval --model m", ["model.safetensors"])
    expect("sluice train --checkpoint ", ["model.safetensors", "folder"])
    expect("sluice train --resume ", ["auto", "no", "model.safetensors", "folder"])
    expect("sluice train --index-cache ", ["folder"])
    expect("sluice train --data ", ["a.npz", "folder"])
    expect("sluice train --train-images ", ["a.npz", "b.gz", "two words.npy", "folder"])
    expect("sluice train --train-images a.npz,b", ["a.npz,b.gz"])
    if name == "fish":  # of the others the line is looked at, below
        expect("sluice train --train-images two\\ words.npy,b", ["two words.npy,b.gz"])
        expect("sluice train --train-images a.npz,two\\ words.npy,a", ["a.npz,two words.npy,a.npz"])
    expect("sluice train --train-images folder/", ["folder/c.csv"])
    expect("sluice eval --model man", ["many.txt"])
    expect("sluice inspect m", ["model.safetensors", "many.txt"])
    expect("sluice index b", ["b.gz"])
    expect("sluice synth f", ["folder"])
    expect("sluice fetch q", ["qmnist"])
    expect("sluice fetch mnist fol", ["folder"])
    if name != "fish":
        for text, wanted in (("sluice tra", "sluice train "), ("sluice train --optim", "sluice train --optimizer"),
                             ("sluice train --capacity pla", "sluice train --capacity plan="),
                             ("sluice train --train-images tw", "sluice train --train-images two\\ words.npy"),
                             ("sluice train --train-images two\\ w", "sluice train --train-images two\\ words.npy"),
                             ("sluice train --train-images two\\ words.npy,b",
                              "sluice train --train-images two\\ words.npy,b.gz"),
                             ("sluice train --train-images a.npz\\,b.gz,tw",
                              "sluice train --train-images a.npz,b.gz,two\\ words.npy"),
                             ("sluice train --data fol", "sluice train --data folder/"),
                             ("sluice train --data ~/fol", "sluice train --data ~/folder/"),
                             ("sluice eval --model=mod", "sluice eval --model=model.safetensors")):
            found = its.completed(text).replace("\\,", ",")  # bash quotes a comma
            if found.rstrip("= ,") != wanted.rstrip("= ,") or (wanted.endswith(("=", "/")) and found != wanted):
                faults.append(f"'{text}' becomes '{found}', expected '{wanted}'")
    its.end()
    return faults


# By command and flag: "train", "capacity".
def offered_stages(program):
    lines = re.findall(r"'__sluice_is ([a-z]+)' -l (capacity|concurrency) -k -x -a '([^']*)'",
                       output_of(program, "completions", "fish"))
    return {(command, flag): {word.rstrip("=") for word in words.split()} for command, flag, words in lines}


def stages(program, folder):
    def run(*arguments):
        return subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=folder, timeout=600)

    data = [f"small/{set}-{what}-ubyte.gz" for set in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
    (folder / "t.csv").write_text("a,b,label\n" + "1,2,0\n3,4,1\n" * 50)
    (folder / "index").mkdir()
    assert run("synth", "small", "--train", "600", "--test", "100").returncode == 0
    assert run("index", "--index-cache", "index", *data).returncode == 0
    for more in [], ["--standardize"]:
        done = run("train", "--data", "small", "--epochs", "1", "--output", f"m{len(more)}.safetensors", *more)
        assert done.returncode == 0, done.stderr
    table, lanes = ["--train", "t.csv", "--test", "t.csv"], ["--stream", "--lanes", "2"]
    small = ["--data", "small"]
    graphs = [small, small + ["--stream"], small + lanes, small + ["--ranks", "2"], small + lanes + ["--ranks", "2"],
              small + ["--decoder", "zlib"], small + lanes + ["--standardize"], small + ["--index-cache", "index"], table,
              table + ["--stream"], table + lanes, table + lanes + ["--ranks", "2"]]
    asked = {"eval": [["--model", "m0.safetensors", *small], ["--model", "m0.safetensors", *small, "--decoder", "zlib"],
                      ["--model", "m0.safetensors", *small, "--index-cache", "index"]],
             "predict": [["--model", "m1.safetensors", "--images", data[2]],
                         ["--model", "m1.safetensors", "--images", data[2], "--decoder", "zlib"],
                         ["--model", "m1.safetensors", "--images", data[2], "--index-cache", "index"]]}
    offered, there, faults = offered_stages(program), {}, []
    # A graph's table tells which take what.
    for arguments in graphs:
        done = run("graph", *arguments)
        assert done.returncode == 0, done.stderr
        for stage, verb, capacity in re.findall(
                r"^([a-z]+)(?:\.\S+)? +(source|map|expand|zip|fold|split|filter|partition|feedback|sink) .*?(\d+|-) +(?:\d+|-) +(?:\d+|-)  ",
                done.stdout, re.M):
            for command in "train", "graph":
                if verb == "map":
                    there.setdefault((command, "concurrency"), set()).add(stage)
                if capacity != "-" and verb != "map":
                    there.setdefault((command, "capacity"), set()).add(stage)
    # The others have to be asked.
    for command, variants in asked.items():
        for arguments in variants:
            known = re.search("expected one of (.*)", run(command, *arguments, "--capacity", "nothing=1").stderr)
            for stage in known[1].split(", "):
                for flag in "capacity", "concurrency":
                    if run(command, *arguments, f"--{flag}", f"{stage}=1").returncode == 0:
                        there.setdefault((command, flag), set()).add(stage)
    if set(offered) != set(there):
        faults.append(f"stages are offered to {sorted(offered)}, and {sorted(there)} have some")
    for key in set(offered) & set(there):
        if offered[key] != there[key]:
            faults.append(f"{key}: not in the graphs: {sorted(offered[key] - there[key])}, not offered: "
                          f"{sorted(there[key] - offered[key])}")
    return faults


def main():
    program, what = sys.argv[1:]
    if what != "stages" and not shutil.which(what):
        print(f"no {what}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        faults = (stages(program, pathlib.Path(folder)) if what == "stages"
                  else test(what, program, pathlib.Path(folder)))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The pages of the manual say all that the help says, and mandoc finds nothing to warn of.

usage: manual_test.py PROGRAM every_flag       each flag, variable, default and example of the help is in the page
       manual_test.py PROGRAM mandoc           the pages are sound, and fit into 80 columns
       manual_test.py PROGRAM installed FOLDER what the build wrote into FOLDER is what the program prints
Exit codes: 0 all well, 1 something is wrong, 77 no mandoc here.
"""
import pathlib
import re
import shutil
import subprocess
import sys


def output_of(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600, **more).stdout


class Program:
    def __init__(self, path):
        self.path = path
        part = self.prints("help").split("\nCommands\n")[1].split("\n\n")[0]
        self.commands = re.findall(r"^  ([a-z]+)(?= |$)", part, re.M)
        assert len(self.commands) >= 8, part

    def prints(self, *arguments):
        return output_of(self.path, *arguments, env={"COLUMNS": "110"})

    def page(self, command):
        return self.prints("help", "--man", *([command] if command else []))


def as_said(page):
    """The text of a page without its macros and escapes."""
    text = re.sub(r"^\.(It|Ev|Ar|Fl) ", "", page, flags=re.M).replace("\\-", "-").replace("\\&", "")
    text = re.sub(r"\\\((aq|oq|cq|ga|ti)", lambda m: {"ti": "~", "ga": "`"}.get(m[1], "'"), text).replace("\\e", "\\")
    return re.sub(r"\s+", " ", re.sub(r"\bFl ", "-", re.sub(r"\b(Ar|Ev|Pa|Cm) ", "", text)))


def every_flag(program):
    faults, flags = [], 0
    for command in ["", *program.commands]:
        said = as_said(program.page(command))
        text = program.prints(*([command] if command else []), "--help")
        listed = re.findall(r"^  (?:-h, )?(--[a-z0-9-]+(?: [^ \n]+)?)(?=  |\n|$)", text, re.M)
        wanted = [f"{flag} " for flag in listed] + re.findall(r"env (SLUICE_[A-Z0-9_]+)", text)
        wanted += [f"default: {' '.join(value.split())}" for value in re.findall(r"\(default: ([^;()]*)", text)]
        wanted += [f"$ {example}" for example in re.findall(r"^  # .*\n  (sluice .*|.*\| sluice .*)$", text, re.M)]
        wanted += [f"sluice-{command}" if command else "sluice"]
        flags += len(listed)
        faults += [f"{command or 'sluice'}: {part}" for part in wanted if part not in said]
    return faults + ([] if flags > 200 else [f"only {flags} flags"])


def mandoc(program):
    faults = []
    for command in ["", *program.commands]:
        page = program.page(command)
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, stdout=subprocess.PIPE, text=True,
                              timeout=600)
        if lint.returncode or lint.stdout:
            faults.append(f"{command or 'sluice'}: {lint.stdout}")
        shown = re.sub(".\b", "", output_of("mandoc", "-T", "ascii", "-O", "width=78", input=page))
        for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
            if f"\n{heading}\n" not in shown:
                faults.append(f"{command or 'sluice'}: no {heading}")
        faults += [f"{command}: too wide: {line}" for line in shown.split("\n") if len(line) > 80 and " " in line.strip()
                   and not line.strip().startswith("$ ")]
    # It sees what is wrong.
    broken = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=".Dd November 29, 2026\n.Dt A 1\n.Os\n.Oops\n",
                            stdout=subprocess.PIPE, text=True, timeout=600)
    return faults + ([] if broken.returncode else ["mandoc finds nothing wrong with a page that is"])


def installed(program, folder):
    folder = pathlib.Path(folder)
    wanted = {f"man1/sluice-{command}.1": program.page(command) for command in program.commands}
    wanted["man1/sluice.1"] = program.page("")
    for shell, file in ("bash", "sluice.bash"), ("zsh", "_sluice"), ("fish", "sluice.fish"):
        wanted[file] = program.prints("completions", shell)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    faults = [f"not the same files: {sorted(there ^ set(wanted))}"] if there != set(wanted) else []
    return faults + [f"{name} is not what the program prints" for name in there & set(wanted)
                     if (folder / name).read_text() != wanted[name]]


def main():
    program, what, more = Program(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if what == "mandoc" and not shutil.which("mandoc"):
        print("no mandoc")
        return 77
    faults = {"every_flag": every_flag, "mandoc": mandoc, "installed": installed}[what](program, *more)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What the program writes, in the viewers that people have: speedscope, viz.js, axe-core and html-validate, from npm.

usage: viewers_test.py SLUICE REPORT_PAGES [--packages FOLDER] [--screenshots FOLDER]
  SLUICE        the program, which is run on Fashion-MNIST
  REPORT_PAGES  the program that writes made-up reports
  --packages    where the packages are, or are to be installed; without it a folder that is removed again
  --screenshots where to put pictures of what was looked at
Exit codes: 0 all well, 1 something is wrong, 77 there is no npm, no Chromium, or the packages cannot be had.

Each look has a twin that has to fail: a trace, a graph and a page as they were before.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing is to lie beside the sources
from report_browser_test import PATIENCE, Browser

PACKAGES = {"speedscope": "1.25.0", "@viz-js/viz": "3.31.0", "axe-core": "4.14.1", "html-validate": "9.7.1"}
# speedscope draws by WebGL, here without a graphics card; what is a file may read one.
BROWSER_FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--allow-file-access-from-files")
SCHEMES = ("light", "dark")


def run(command, **more):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **more)
    if done.returncode:
        sys.exit("%s: exit code %d\n%s%s" % (command, done.returncode, done.stdout[-4000:], done.stderr[-4000:]))
    return done.stdout


def install(folder):
    """The packages in node_modules of the folder; False if npm cannot have them."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = folder / "node_modules"
    have = all((modules / name / "package.json").exists() and
               json.loads((modules / name / "package.json").read_text())["version"] == version
               for name, version in PACKAGES.items())
    if not have:
        (folder / "package.json").write_text('{"private": true}')
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"] +
                              ["%s@%s" % package for package in PACKAGES.items()], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            print("npm cannot install: %s" % done.stderr[-500:])
            return None
    return modules


def shot(browser, folder, name):
    if folder:
        data = browser.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (folder / (name + ".png")).write_bytes(base64.b64decode(data))


def window(browser, scheme="light", width=1280, height=900):
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


# --- Traces in speedscope

def slices_of(trace):
    """(process, track): [(name, begin, end)] in nanoseconds, as the trace says."""
    tracks, open_slices = collections.defaultdict(list), collections.defaultdict(list)
    for event in trace["traceEvents"]:
        track = (event.get("pid"), event.get("tid"))
        if event["ph"] == "B":
            open_slices[track].append((event["name"], round(event["ts"] * 1000)))
        elif event["ph"] == "E":
            name, begin = open_slices[track].pop()
            tracks[track].append((name, begin, round(event["ts"] * 1000)))
        elif event["ph"] == "X":
            begin = round(event["ts"] * 1000)
            tracks[track].append((event["name"], begin, begin + round(event["dur"] * 1000)))
    return {track: sorted(slices, key=lambda s: s[1]) for track, slices in tracks.items()}


def as_complete_events(trace):
    """The same trace as it was once written: complete events with their numbers, those that touch in one nanosecond."""
    events, begun, last = [], collections.defaultdict(list), {}
    for event in trace["traceEvents"]:
        track = (event.get("pid"), event.get("tid"))
        if event["ph"] == "B":
            begun[track].append(dict(event))
        elif event["ph"] == "E":
            whole = begun[track].pop()
            before = last.get(track)
            if before and whole["ts"] - before["ts"] - before["dur"] < 0.5:
                before["dur"] = round(whole["ts"] - before["ts"], 3)
            whole.update(ph="X", dur=round(event["ts"] - whole["ts"], 3), args=event["args"])
            events.append(whole)
            last[track] = whole
        else:
            events.append(event)
    return {"traceEvents": events}


EXPORTED = """new Promise((done, failed) => {
  const make = URL.createObjectURL.bind(URL), end = Date.now() + %d;
  HTMLAnchorElement.prototype.click = () => {};
  URL.createObjectURL = blob => { blob.text().then(done); return make(blob); };
  const ask = () => {
    if (Date.now() > end) return failed(document.body.innerText);
    if (![...document.querySelectorAll('div')].some(d => d.textContent.endsWith('Sandwich'))) return setTimeout(ask, 100);
    window.dispatchEvent(new KeyboardEvent('keydown', {key: 's', ctrlKey: true}));
  };
  ask();
})"""

ROWS = """[...document.querySelectorAll('table')].flatMap(t => [...t.rows]).map(r => [...r.cells].map(c => c.innerText))
  .filter(cells => cells.length === 3 && /%/.test(cells[0]))"""


def speedscope(browser, modules, folder, path, screenshots=None):
    """What is wrong with this trace in speedscope, as a list of sentences."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    wrapper = folder / (path.stem + ".js")
    wrapper.write_text("speedscope.loadFileFromBase64(%s, %s)" %
                       (json.dumps(path.name), json.dumps(base64.b64encode(text.encode()).decode())))
    window(browser)
    page = (modules / "speedscope/dist/release/index.html").absolute().as_uri()
    browser.ask("Page.navigate", url="about:blank")
    browser.ask("Page.navigate", url="%s#localProfilePath=%s&view=sandwich" % (page, wrapper))
    told = json.loads(browser.evaluate(EXPORTED % (1000 * PATIENCE)))

    faults, expected, seen = [], slices_of(json.loads(text)), {}
    names = {frame: told["shared"]["frames"][frame]["name"] for frame in range(len(told["shared"]["frames"]))}
    for profile in told["profiles"]:
        slices, stack = [], []
        for event in profile["events"]:
            if event["type"] == "O":
                stack.append((event["frame"], event["at"]))
            else:
                frame, begin = stack.pop()
                slices.append((names[frame], begin, event["at"]))
        track = tuple(int(profile["name"].split(mark)[1].split(")")[0].split(",")[0]) for mark in ("(pid ", "(tid "))
        seen[track] = sorted(slices, key=lambda s: s[1])
    if set(seen) != set(expected):
        faults.append("speedscope has the tracks %s, the trace %s" % (sorted(seen), sorted(expected)))
    for track in sorted(set(seen) & set(expected)):
        theirs, ours = totals(seen[track], 1000), totals(expected[track], 1)
        for name in sorted(set(theirs) | set(ours)):
            # (count, nanoseconds in all, longest), each slice told to half a nanosecond
            (count, total, longest), (n, whole, most) = theirs.get(name, (0, 0, 0)), ours.get(name, (0, 0, 0))
            if count != n or abs(total - whole) > n / 2 or abs(longest - most) > 0.5:
                faults.append("track %d.%d, %s: %d slices of %.0f ns, the longest %.0f; in the trace %d of %d, %d" %
                              (track + (name, count, total, longest, n, whole, most)))

    # What the page shows of the track that it begins with.
    rows = []
    end = time.monotonic() + PATIENCE
    while not rows and time.monotonic() < end:
        rows = browser.evaluate(ROWS)
    shown = {name.strip(): seconds(total.split("(")[0]) for total, _, name in rows}
    first = told["profiles"][told.get("activeProfileIndex", 0)]["name"]
    track = tuple(int(first.split(mark)[1].split(")")[0].split(",")[0]) for mark in ("(pid ", "(tid "))
    for name, (_, whole, _) in totals(expected[track], 1).items():
        if name not in shown:
            faults.append("the Sandwich view has no '%s', but %s" % (name, sorted(shown)[:5]))
        elif abs(shown[name] - whole / 1e9) > 0.01 * whole / 1e9 + 1e-8:
            faults.append("the Sandwich view says %g s of '%s', the trace %g" % (shown[name], name, whole / 1e9))
    shot(browser, screenshots, "speedscope-" + path.stem)
    return faults


def totals(slices, unit):
    sums = {}
    for name, begin, end in slices:
        count, total, longest = sums.get(name, (0, 0, 0))
        sums[name] = (count + 1, total + (end - begin) * unit, max(longest, (end - begin) * unit))
    return sums


def seconds(text):
    text = text.strip().replace(",", "")
    if ":" in text:
        minutes, rest = text.split(":")
        return 60 * int(minutes) + float(rest.rstrip("s"))
    for unit, factor in (("\u00b5s", 1e-6), ("ms", 1e-3), ("ns", 1e-9), ("s", 1)):
        if text.endswith(unit):
            return float(text[:-len(unit)]) * factor
    return float(text)


# --- Graphs in viz.js

def viz(browser, modules, folder, name, dot, stages, clusters, screenshots=None):
    page = folder / (name + ".html")
    page.write_text("<!DOCTYPE html><html lang=en><meta charset=utf-8><title>viz.js</title>"
                    "<script src='%s'></script><body></body></html>" %
                    (modules / "@viz-js/viz/dist/viz-global.js").absolute().as_uri())
    window(browser)
    browser.open(page)
    drawn = browser.evaluate("""Viz.instance().then(viz => {
      const svg = viz.renderSVGElement(%s), texts = kind => [...svg.querySelectorAll(kind)].map(g =>
        g.querySelector('text').textContent);
      document.body.append(svg);
      return {nodes: texts('g.node'), clusters: texts('g.cluster')};
    })""" % json.dumps(dot))
    shot(browser, screenshots, "viz-" + name)
    faults = []
    if sorted(drawn["nodes"]) != sorted(stages):
        faults.append("%s: viz.js draws %s, the graphs have %s" % (name, sorted(drawn["nodes"]), sorted(stages)))
    if sorted(drawn["clusters"]) != sorted(clusters):
        faults.append("%s: viz.js draws the clusters %s, not %s" % (name, drawn["clusters"], clusters))
    return faults


def stages_in(text):
    """The first column of the tables that `sluice graph` prints, and the graphs' names."""
    stages, graphs, inside = [], [], False
    for line in text.split("\n"):
        if line.endswith(":") and " " not in line:
            graphs.append(line[:-1])
        inside = line.startswith("stage ") or (inside and not line.startswith("bound: "))
        if inside and not line.startswith("stage "):
            stages.append(line.split()[0])
    return stages, graphs


# --- Pages

# Tables that are scrolled, unrolled: axe-core cannot tell what lies under a row that is not in sight.
UNROLLED = """document.head.append(Object.assign(document.createElement('style'), {textContent:
  `.scroll, .picture { overflow: visible !important; max-height: none !important } .columns { display: block !important }
   th { position: static !important }`}))"""


def axe(browser, modules, page, scheme, screenshots=None):
    """What axe-core finds, and what it leaves to a person, but for the contrast of drawn text, which it never tells:
    report_browser_test.py measures that."""
    window(browser, scheme)
    browser.open(page)
    shot(browser, screenshots, "%s-%s" % (page.stem, scheme))
    browser.evaluate(UNROLLED)
    browser.evaluate((modules / "axe-core/axe.min.js").read_text(encoding="utf-8") + ";0")
    found = browser.evaluate("""axe.run(document).then(r => [...r.violations, ...r.incomplete].flatMap(rule =>
      rule.nodes.filter(node => rule.id !== 'color-contrast' || !node.html.startsWith('<text')).map(node => rule.id + ': ' +
        node.html.slice(0, 120) + ' ' + [...node.any, ...node.all, ...node.none].map(check => check.message))))""")
    return ["%s, %s: %s" % (page.name, scheme, fault) for fault in found]


def html_validate(modules, folder, pages):
    config = folder / "html-validate.json"
    config.write_text(json.dumps({"root": True, "extends": ["html-validate:" + preset
                                                            for preset in ("standard", "document", "a11y")]}))
    told = folder / "html-validate.out"  # a pipe would get 64 KiB of it: html-validate ends before the rest is written
    with open(told, "w") as out:
        done = subprocess.run(["node", modules / "html-validate/bin/html-validate.mjs", "--config", config,
                               "--formatter", "json"] + pages, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.PIPE, text=True)
    if done.returncode > 1:
        sys.exit("html-validate: %s%s" % (told.read_text(), done.stderr))
    return ["%s:%d: %s: %s" % (pathlib.Path(file["filePath"]).name, message["line"], message["ruleId"],
                               message["message"]) for file in json.loads(told.read_text()) for message in file["messages"]]


# --- All of it

def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sluice", type=pathlib.Path)
    arguments.add_argument("report_pages", type=pathlib.Path)
    arguments.add_argument("--packages", type=pathlib.Path)
    arguments.add_argument("--screenshots", type=pathlib.Path)
    options = arguments.parse_args()
    chromium = shutil.which("chromium")
    for what, there in (("npm", shutil.which("npm")), ("node", shutil.which("node")), ("chromium", chromium)):
        if not there:
            print("no " + what)
            return 77
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)

    failures = []

    def well(what, faults):
        print("%-50s %s" % (what, "well" if not faults else "%d faults" % len(faults)), flush=True)
        failures.extend("%s: %s" % (what, fault) for fault in faults)

    def fails(what, faults):
        print("%-50s %s" % (what, "found, as it has to be" if faults else "NOT FOUND"), flush=True)
        if not faults:
            failures.append("not found: " + what)

    with tempfile.TemporaryDirectory(prefix="sluice-", ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        modules = install(options.packages or folder / "packages")
        if not modules:
            return 77
        sluice = options.sluice.absolute()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}

        traces = {"train": [sluice, "train", "--epochs", "2"],
                  "stream": [sluice, "train", "--epochs", "1", "--stream", "--trace-steps", "200"]}
        if shutil.which("mpirun") and list(sluice.parent.glob("sluice_*.so")):
            root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
            traces["two processes"] = ["mpirun", *root, "--oversubscribe", "-np", "2", sluice, "train", "--epochs", "1",
                                       "--batch-size", "4096", "--threads", "2"]
        for name, command in traces.items():
            run(command + ["--quiet", "--trace", folder / (name + ".json")], env=environment)
        graphs = {name: (run([sluice, "graph", "--dot", *flags], env=environment),
                         stages_in(run([sluice, "graph", *flags], env=environment)))
                  for name, flags in (("plain", []), ("streamed", ["--stream", "--threads", "4"]),
                                      ("of several processes", ["--ranks", "3"]), ("one of them", ["--graph", "train"]))}
        run([sluice, "train", "--quiet", "--epochs", "3", "--validation", "0.1", "--report", folder / "run.html"],
            env=environment)
        run([sluice, "sweep", "--quiet", "--epochs", "2", "--lr", "0.05,0.1", "--optimizer", "sgd,adam", "--seed", "0..1",
             "--validation", "0.1", "--report", folder / "sweep.html"], env=environment)
        (folder / "pages").mkdir()
        run([options.report_pages, folder / "pages"])
        pages = [folder / "run.html", folder / "sweep.html"] + sorted((folder / "pages").glob("*.html"))

        (folder / "profile").mkdir()
        browser = Browser(chromium, str(folder / "profile"), BROWSER_FLAGS)
        try:
            for name in traces:
                well("speedscope: " + name, speedscope(browser, modules, folder, folder / (name + ".json"),
                                                       options.screenshots))
            before = folder / "before.json"
            before.write_text(json.dumps(as_complete_events(json.loads((folder / "train.json").read_text()))))
            fails("speedscope: complete events that touch", speedscope(browser, modules, folder, before))
            for name, (dot, (stages, names)) in graphs.items():
                well("viz.js: " + name, viz(browser, modules, folder, name, dot, stages, names if len(names) > 1 else [],
                                            options.screenshots))
            dot, (stages, names) = graphs["plain"]
            each = "".join(run([sluice, "graph", "--dot", "--graph", name], env=environment) for name in names)
            fails("viz.js: three graphs in a text", viz(browser, modules, folder, "three", each, stages, names))
            for page in pages:
                for scheme in SCHEMES:
                    well("axe-core: %s, %s" % (page.name, scheme), axe(browser, modules, page, scheme,
                                                                       options.screenshots))
            faint = folder / "faint.html"
            faint.write_text(pages[0].read_text().replace("--muted: ", "--muted: #dddddd; --other: "))
            fails("axe-core: a faint text", axe(browser, modules, faint, "light"))
        finally:
            browser.close()
        well("html-validate", html_validate(modules, folder, pages))
        bare = folder / "bare.html"
        bare.write_text(pages[0].read_text().replace(' scope="col"', ""))
        fails("html-validate: headers without a scope", html_validate(modules, folder, [bare]))
    print("\n".join(dict.fromkeys(failures)) or "all well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

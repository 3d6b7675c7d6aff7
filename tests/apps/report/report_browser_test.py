#!/usr/bin/env python3
"""Opens the report's pages in headless Chromium, light and dark, wide and narrow, and looks at what is there.

usage: report_browser_test.py PROGRAM [--screenshots FOLDER]       PROGRAM FOLDER writes *.html into a folder
       report_browser_test.py --page FILE [--screenshots FOLDER]   looks at this page only
Exit codes: 0 all well, 1 something is wrong, 77 no Chromium here. The browser has no network, and every request is seen.
Pages that are broken on purpose are shown to it, too: each fault has to be found.
"""
import argparse
import base64
import collections
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # seconds for one answer of the browser: machines may be slow, and busy
SIZES = ((1280, 900), (400, 800))
SECTIONS = ("summary", "curves", "confusion", "calibration", "predictions", "weights", "graph", "stages",
            "options")

# What is wrong with the page, as a list of sentences.
LOOK = """(() => {
  const faults = [], dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const rgba = text => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = c => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const v = c[i] / 255; return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const ground = e => e ? over(rgba(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [255, 255, 255, 1];
  // Of a text in the picture of the graphs: the page that it draws, and on that the text's box, if it has one.
  const painted = (rect, below) => {
    const style = getComputedStyle(rect), [r, g, b, a] = rgba(style.fill);
    return over([r, g, b, a * style.fillOpacity], below);
  };
  const drawn = text => {
    const page = painted(text.ownerSVGElement.querySelector('.slc-page'), [255, 255, 255, 1]);
    const box = text.parentElement.querySelector(':scope > rect');
    return box ? painted(box, page) : page;
  };

  for (const id of %s) {
    const section = document.getElementById(id), box = section?.getBoundingClientRect();
    if (!section) { faults.push('no section ' + id); continue; }
    if (!section.querySelector('h2')) faults.push('no heading in ' + id);
    if (box.height < 50 || box.width < 300) faults.push(`${id} is only ${box.width} x ${box.height}`);
    if (section.innerText.length < 30) faults.push(id + ' says nothing');
  }
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) faults.push(`the page is ${page.scrollWidth} wide in a window of ${innerWidth}`);
  if ((luminance(ground(document.body)) < 0.2) !== dark) faults.push('the page is not ' + (dark ? 'dark' : 'light'));

  for (const image of document.images)
    if (!image.naturalWidth || image.getBoundingClientRect().width < 8) faults.push('an image is not shown: ' + image.alt);
  for (const picture of document.querySelectorAll('svg[role=img]'))
    if (picture.getBoundingClientRect().width < 200) faults.push('a picture is too small');
  for (const curve of document.querySelectorAll('.chart path.curve'))
    if (!document.querySelector('.chart .point') && curve.getTotalLength() < 10) faults.push('a curve is not drawn');
  for (const element of document.querySelectorAll('*'))
    for (const name of ['src', 'srcset', 'href', 'data', 'action', 'poster', 'background'])
      if (element.hasAttribute(name) && !/^(data:|#)/.test(element.getAttribute(name)))
        faults.push(`${element.tagName} refers to ${element.getAttribute(name)}`);

  const faint = new Set();
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !element.getClientRects().length) continue;
    if (element.closest('title, script, style')) continue;
    const style = getComputedStyle(element), back = element.closest('#graph text') ? drawn(element) : ground(element);
    const front = over(rgba(element.closest('svg') ? style.fill : style.color), back);
    const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) < 4.5) faint.add(`${element.tagName}.${element.className}: ${element.textContent}`);
    if (!element.closest('svg') && parseFloat(style.fontSize) < 12) faults.push('too small: ' + element.textContent);
  }
  for (const text of faint) faults.push('hardly to be read: ' + text);
  for (const text of document.querySelectorAll('.chart text')) {
    const scale = text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width;
    if (parseFloat(getComputedStyle(text).fontSize) * scale < 10) faults.push('too small: ' + text.textContent);
  }
  try {
    if (JSON.parse(document.getElementById('sluice-report').textContent).schema !== 1) faults.push('another schema');
  } catch (error) { faults.push('the data: ' + error); }
  return faults;
})()""" % json.dumps(SECTIONS)


class Browser:
    """Chromium, spoken to through pipes in its DevTools protocol."""

    def __init__(self, program, profile, more_flags=()):
        to_browser, from_browser = os.pipe(), os.pipe()
        # It reads from 3 and writes to 4, wherever the pipes are now.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser[0], from_browser[1])]
        os.close(to_browser[0]), os.close(from_browser[1])
        self.write_to, self.read_from = to_browser[1], from_browser[0]
        self.log = open(os.path.join(profile, "log"), "w+b")
        command = [program, "--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + profile, "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu",
                   "--disable-dev-shm-usage", "--disable-extensions", "--proxy-server=127.0.0.1:9", *more_flags]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self.process = subprocess.Popen(command + ["about:blank"], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, pass_fds=(3, 4),
                                        preexec_fn=lambda: [os.dup2(fd, 3 + i) for i, fd in enumerate(theirs)])
        for fd in theirs:
            os.close(fd)
        self.buffer, self.count, self.events, self.session = b"", 0, collections.deque(), None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(domain + ".enable")
        self.ask("Network.setCacheDisabled", cacheDisabled=True)

    def message(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_from], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.read_from, 1 << 16) if ready else b""
            if not chunk:
                self.log.seek(0)
                sys.exit("Chromium %s:\n%s" % ("has ended" if ready else "does not answer",
                                               self.log.read().decode(errors="replace")))
            self.buffer += chunk
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **parameters):
        self.count += 1
        request = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.write_to, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.count:
                if "error" in answer:
                    sys.exit("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            sys.exit("the test's script: %s" % result["exceptionDetails"])
        return result["result"].get("value")

    def open(self, path):
        """Loads the page; what it asked for and complained about."""
        self.events.clear()
        self.ask("Page.navigate", url=path.absolute().as_uri())
        faults, loaded = [], False
        while not loaded:
            event = self.events.popleft() if self.events else self.message()
            loaded = event.get("method") == "Page.loadEventFired"
            self.note(event, faults)
        # A while longer: what is asked for late, after two frames were drawn.
        self.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))")
        while self.events:
            self.note(self.events.popleft(), faults)
        return faults

    @staticmethod
    def note(event, faults):
        method, given = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent" and not given["request"]["url"].startswith(("file:", "data:")):
            faults.append("asks for " + given["request"]["url"])
        elif method == "Log.entryAdded":
            faults.append("browser: " + given["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            faults.append("console: %s" % given["args"])
        elif method == "Runtime.exceptionThrown":
            faults.append("exception: %s" % given["exceptionDetails"])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write_to), os.close(self.read_from), self.log.close()


def faults_of(browser, page, screenshots=None):
    faults = []
    for width, height in SIZES:
        for scheme in ("light", "dark"):
            where = "%s, %d wide, %s: " % (page.name, width, scheme)
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                        mobile=False)
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            faults += [where + fault for fault in browser.open(page) + browser.evaluate(LOOK)]
            if screenshots:
                shot = browser.ask("Page.captureScreenshot", captureBeyondViewport=True)
                name = "%s-%d-%s.png" % (page.stem, width, scheme)
                (screenshots / name).write_bytes(base64.b64decode(shot["data"]))
    return faults


# A page, and what is done to it -> what has to be found.
BROKEN = (
    ("asks for http://127.0.0.1:9/x.png", lambda p: no_policy(p).replace("<main>", "<main><img src='http://127.0.0.1:9/x.png'>")),
    ("refers to https://example.org/", lambda p: p.replace("<main>", "<main><a href='https://example.org/'>more</a>")),
    ("browser: ", lambda p: p.replace("<main>", "<main><script>void 0</script>")),  # against the policy
    ("console: ", lambda p: no_policy(p).replace("<main>", "<main><script>console.error('no')</script>")),
    ("exception: ", lambda p: no_policy(p).replace("<main>", "<main><script>throw 1</script>")),
    ("no section confusion", lambda p: p.replace('id="confusion"', 'id="confused"')),
    ("says nothing", lambda p: p[:p.index('<section id="stages"')] +
     '<section id="stages"><h2>Stages</h2><br><br><br></section>' + p[p.index('<section id="options"'):]),
    ("wide in a window of 400", lambda p: p.replace("<main>", "<main><div style='width:500px'>wide</div>")),
    ("the page is not dark", lambda p: p.replace("prefers-color-scheme: dark", "prefers-color-scheme: none")),
    ("an image is not shown", lambda p: p.replace("data:image/png;base64,", "data:image/png;base64,AAAA", 1)),
    ("hardly to be read", lambda p: p.replace("--muted: ", "--muted: #dddddd; --other: ")),
    # Opaque: how much of it shows is how busy the stage was, in a run of a few milliseconds.
    ("hardly to be read: text", lambda p: p.replace(".slc-busy{fill:#fb8f44}", ".slc-busy{fill:#4a1c00;fill-opacity:1}")),
    ("the data: ", lambda p: p.replace('id="sluice-report">{', 'id="sluice-report">{{')),
)


def no_policy(page):
    return page.replace("Content-Security-Policy", "nothing")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", nargs="?")
    arguments.add_argument("--page", type=pathlib.Path)
    arguments.add_argument("--screenshots", type=pathlib.Path)
    options = arguments.parse_args()
    chromium = shutil.which("chromium")
    if not chromium:
        print("no chromium")
        return 77

    failures = []
    with tempfile.TemporaryDirectory(prefix="sluice-", ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        pages = [options.page]
        if not options.page:
            (folder / "pages").mkdir()
            subprocess.run([options.program, folder / "pages"], check=True, timeout=PATIENCE)
            pages = sorted((folder / "pages").glob("*.html"))
        if options.screenshots:
            options.screenshots.mkdir(parents=True, exist_ok=True)
        (folder / "profile").mkdir()
        browser = Browser(chromium, str(folder / "profile"))
        try:
            for page in pages:
                failures += faults_of(browser, page, options.screenshots)
            whole = folder / "pages" / "sample.html"
            for number, (expected, change) in enumerate(BROKEN if not options.page else ()):
                sound = whole.read_text(encoding="utf-8")
                broken = folder / ("broken-%d.html" % number)
                broken.write_text(change(sound), encoding="utf-8")
                if change(sound) == sound:
                    failures.append("nothing was broken for: " + expected)
                elif not any(expected in fault for fault in faults_of(browser, broken)):
                    failures.append("not found in a page that has this fault: " + expected)
        finally:
            browser.close()
    print("\n".join(dict.fromkeys(failures)) or "%d pages are well" % len(pages))
    return 1 if failures or not pages else 0


if __name__ == "__main__":
    sys.exit(main())

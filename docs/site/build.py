"""Makes a static site of README.md, the other pages at the top and docs/*.md; scripts/docs calls it.

usage: build.py TREE SITE

The site lies as the tree does: docs/data.md becomes docs/data.html, README.md index.html. A link into the tree leads to the
file, or the folder, as a page under source/. Pages render as on GitHub: CommonMark with tables, and headings with anchors of
the names that they have there. Everything is relative, so that the site works from a folder as well as from a server.

At the end every link of every page that was written is looked at. One that leads nowhere is named, and fails.
"""
import difflib
import html.parser
import os
import pathlib
import re
import shutil
import sys
import unicodedata
import urllib.parse

import pygments.formatters
import pygments.lexers
import pygments.util
from markdown_it import MarkdownIt

# The order of the navigation; a page that is in none of these comes last.
GROUPS = {
    "": ["README.md"],
    "Train": ["docs/train-well.md", "docs/data.md", "docs/evaluate.md", "docs/many-machines.md", "docs/reliability.md",
              "docs/from-the-chapter.md", "docs/cli.md"],
    "Build pipelines": ["docs/write-a-stage.md", "docs/observe.md"],
    "The project": ["docs/design.md", "docs/benchmarks.md", "CONTRIBUTING.md", "CHANGELOG.md"],
}
HERE = pathlib.Path(__file__).resolve().parent
CODE = pygments.formatters.HtmlFormatter(nowrap=True)
LISTING = pygments.formatters.HtmlFormatter(lineanchors="L", linenos="inline", wrapcode=True)


def escape(text):
    return html.escape(text, quote=True)


def slug(text, taken):
    """The anchor that GitHub gives to a heading; the second of the same name ends in -1."""
    kept = "".join(c for c in text.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
    name = first = kept.replace(" ", "-")
    number = 0
    while name in taken:
        number += 1
        name = f"{first}-{number}"
    taken.add(name)
    return name


def highlight(code, language, _attributes=""):
    try:
        return pygments.highlight(code, pygments.lexers.get_lexer_by_name(language), CODE)
    except pygments.util.ClassNotFound:
        return ""  # escaped by who calls


def relative(target, page):
    return os.path.relpath(target, os.path.dirname(page) or ".")


class Site:
    def __init__(self, tree, site):
        self.tree, self.site = pathlib.Path(tree).resolve(), pathlib.Path(site).resolve()
        pages = [path.name for path in self.tree.glob("*.md")] + [f"docs/{path.name}" for path in self.tree.glob("docs/*.md")]
        named = [page for group in GROUPS.values() for page in group]
        self.groups = {name: [page for page in group if page in pages] for name, group in GROUPS.items()}
        self.groups["More"] = sorted(set(pages) - set(named))
        self.pages = [page for group in self.groups.values() for page in group]
        self.titles, self.sections = {}, {}
        self.origins = {}  # (page of the site, link in it): (page of the tree, link in that)
        self.sources = []  # of the tree, to be written as pages; each once
        self.markdown = MarkdownIt("commonmark", {"html": True, "highlight": highlight}).enable("table")

    def address(self, path):
        """Where a file or a folder of the tree is in the site."""
        if path in self.pages:
            return "index.html" if path == "README.md" else path[:-len(".md")] + ".html"
        whole = self.tree / path
        if whole.is_dir():
            self.wants(path)
            return os.path.normpath(f"source/{path}/index.html")
        if path.startswith("docs/") and whole.suffix in (".svg", ".png", ".webp"):
            return path
        self.wants(path)
        return f"source/{path}.html"

    def wants(self, path):
        if path not in self.sources:
            self.sources.append(path)

    def link(self, page, link):
        """A link of a page of the tree as one of the site."""
        parts = urllib.parse.urlsplit(link)
        if parts.scheme:
            return link
        path = os.path.normpath(os.path.join(os.path.dirname(page), parts.path)) if parts.path else page
        if path.startswith("..") or not (self.tree / path).exists():
            new = link  # the check at the end names it
        else:
            new = relative(self.address(path), self.address(page)) if parts.path else ""
            new += f"#{parts.fragment}" if parts.fragment else ""
        self.origins[self.address(page), new] = (page, link)
        return new

    def parse(self, page):
        """The tokens of a page, with anchors and the site's links; its title and its sections are noted."""
        tokens = self.markdown.parse((self.tree / page).read_text())
        taken, self.sections[page] = set(), []
        for token, inline in zip(tokens, tokens[1:] + [None]):
            if token.type == "heading_open":
                text = "".join(child.content for child in inline.children)
                token.attrSet("id", slug(text, taken))
                if token.tag == "h1":
                    self.titles.setdefault(page, text)
                elif token.tag == "h2":
                    self.sections[page].append((token.attrGet("id"), text))
            for child in token.children or []:
                if child.type == "link_open":
                    child.attrSet("href", self.link(page, child.attrGet("href")))
                elif child.type == "image":
                    child.attrSet("src", self.link(page, child.attrGet("src")))
        return tokens

    def navigation(self, here, current=None):
        """The list of the pages, as seen from `here`; under the current one its sections."""
        lines = []
        for group, pages in self.groups.items():
            if not pages:
                continue
            if group:
                lines.append(f"<h2>{group}</h2>")
            lines.append("<ul>")
            for page in pages:
                mark = ' aria-current="page"' if page == current else ""
                lines.append(f'<li><a href="{relative(self.address(page), here)}"{mark}>{escape(self.titles[page])}</a>')
                if page == current and len(self.sections[page]) > 1:
                    items = "".join(f'<li><a href="#{name}">{escape(text)}</a></li>' for name, text in self.sections[page])
                    lines.append(f"<ul>{items}</ul>")
                lines.append("</li>")
            lines.append("</ul>")
        return "\n".join(lines)

    def write(self, here, title, body, current=None):
        file = self.site / here
        file.parent.mkdir(parents=True, exist_ok=True)
        name = title if title == self.titles["README.md"] else f"{title} - {self.titles['README.md']}"
        file.write_text(f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}</title>
<link rel="stylesheet" href="{relative("style.css", here)}">
</head>
<body>
<a class="to-contents" href="#contents">Contents</a>
<main>
{body}
</main>
<nav id="contents">
{self.navigation(here, current)}
</nav>
</body>
</html>
""")

    def way_to(self, path, here):
        """The folders above a file or a folder, as links, and its name."""
        parts = pathlib.PurePosixPath(path).parts
        links = []
        for i, part in enumerate(parts):
            above = "/".join(parts[:i + 1])
            links.append(f'<a href="{relative(self.address(above), here)}">{escape(part)}</a>' if i + 1 < len(parts) else escape(part))
        return "<h1 class=\"path\">" + "/".join(links) + "</h1>"

    def write_source(self, path):
        here, whole = self.address(path), self.tree / path
        if whole.is_dir():
            entries = sorted(whole.iterdir(), key=lambda entry: (not entry.is_dir(), entry.name))
            names = [(f"{path}/{entry.name}", entry.name + "/" * entry.is_dir()) for entry in entries if entry.name != "__pycache__"]
            items = "".join(f'<li><a href="{relative(self.address(entry), here)}">{escape(name)}</a></li>\n' for entry, name in names)
            body = f'<ul class="folder">\n{items}</ul>'
        else:
            try:
                text = whole.read_text()
            except UnicodeDecodeError:
                body = f"<p>{whole.stat().st_size} bytes that are no text.</p>"
            else:
                try:
                    lexer = pygments.lexers.get_lexer_for_filename(whole.name, stripnl=False)
                except pygments.util.ClassNotFound:
                    lexer = pygments.lexers.TextLexer(stripnl=False)
                body = pygments.highlight(text, lexer, LISTING)
        self.write(here, path, self.way_to(path, here) + body)

    def make(self):
        shutil.rmtree(self.site, ignore_errors=True)
        self.site.mkdir(parents=True)
        light = pygments.formatters.HtmlFormatter(style="default").get_style_defs("pre")
        dark = pygments.formatters.HtmlFormatter(style="github-dark").get_style_defs("pre")
        style = (HERE / "style.css").read_text()
        (self.site / "style.css").write_text(f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{style}")
        for picture in self.tree.glob("docs/*"):
            if picture.suffix in (".svg", ".png", ".webp"):
                (self.site / "docs").mkdir(exist_ok=True)
                shutil.copy(picture, self.site / "docs")
        tokens = {page: self.parse(page) for page in self.pages}
        for page in self.pages:
            body = self.markdown.renderer.render(tokens[page], self.markdown.options, {})
            body = re.sub(r"<table>.*?</table>", r'<div class="table">\g<0></div>', body, flags=re.DOTALL)
            body = re.sub(r'<img src="([^"]*)"[^>]*>', r'<a href="\1">\g<0></a>', body)  # a wide one is read on its own
            self.write(self.address(page), self.titles[page], body, page)
        for path in self.sources:  # which grows, as folders name what is in them
            self.write_source(path)

    def broken(self):
        """What leads nowhere, in a line each: of the pages that were written, not of what was meant."""
        found = {str(file.relative_to(self.site)): Links(file) for file in sorted(self.site.rglob("*.html"))}
        lines, count = [], 0
        for here, page in found.items():
            for link in page.links:
                parts = urllib.parse.urlsplit(link)
                if parts.scheme:
                    continue
                count += 1
                path = os.path.normpath(os.path.join(os.path.dirname(here), urllib.parse.unquote(parts.path))) if parts.path else here
                if path.startswith("..") or not (self.site / path).is_file():
                    reason = "there is no such file"
                elif parts.fragment and parts.fragment not in found[path].anchors:
                    nearest = difflib.get_close_matches(parts.fragment, found[path].anchors, 3, 0)
                    reason = f"there is no heading of that name; nearest are {', '.join(nearest)}"
                else:
                    continue
                lines.append("{}: {}: {}".format(*self.origins.get((here, link), (here, link)), reason))
        return lines, count


class Links(html.parser.HTMLParser):
    """Where a page leads, and where in it others may lead."""

    def __init__(self, file):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.append(value)
            elif name == "id":
                self.anchors.add(value)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    site = Site(*sys.argv[1:])
    site.make()
    lines, count = site.broken()
    for line in lines:
        print(f"docs: {line}", file=sys.stderr)
    if lines:
        sys.exit(f"docs: of {count} links {len(lines)} lead nowhere")
    print(f"docs: {len(site.pages)} pages, {len(site.sources)} files and folders of the tree, {count} links", file=sys.stderr)
    print(site.site / "index.html")


if __name__ == "__main__":
    main()

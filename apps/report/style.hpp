// The page's style sheet. Colours are variables, so that dark is another set of them; paper is always light.
#pragma once

namespace sluice::apps::report {

inline constexpr const char style[] = R"css(
:root {
  color-scheme: light dark;
  --page: #f4f6f9; --card: #ffffff; --text: #1b2430; --muted: #5a6675; --line: #dde2e9; --soft: #eef2f7;
  --loss: #2563eb; --train: #b5179e; --test: #15803d; --validation: #b45309; --good: #15803d; --bad: #c81e1e; --link: #1d4ed8;
  --hit: 104 155 250; --miss: 243 122 116; --warn: #fff3d1; --warn-text: #6b4700;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --card: #19202a; --text: #e3e9f1; --muted: #9aa7b7; --line: #2e3946; --soft: #222b37;
    --loss: #6ea8fe; --train: #f07be0; --test: #5fd38d; --validation: #f5b14c; --good: #5fd38d; --bad: #ff7b72; --link: #8ab4f8;
    --hit: 29 86 214; --miss: 196 38 38; --warn: #3d3010; --warn-text: #ffdf94;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 10px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 20px 0 8px; }
p { margin: 0 0 12px; max-width: 85ch; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: 2px 16px; margin-bottom: 16px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px;
  margin: 0 0 18px; }
footer { color: var(--muted); padding-bottom: 28px; font-size: 13px; }
section > :last-child { margin-bottom: 0; }
figure { margin: 0; min-width: 0; }
figcaption, .note { color: var(--muted); font-size: 13px; margin: 8px 0 0; }
.outcome { background: var(--warn); color: var(--warn-text); border-radius: 8px; padding: 10px 14px; font-weight: 600; }
.verdict { border-left: 4px solid var(--loss); background: var(--soft); border-radius: 4px; padding: 10px 14px;
  max-width: none; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 0 0 16px; }
.cards div { background: var(--soft); border-radius: 10px; padding: 12px 14px; }
.cards dt, .facts dt { color: var(--muted); font-size: 13px; }
.cards dd { margin: 0; font-size: 23px; font-weight: 650; letter-spacing: -.01em; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 10px 18px; margin: 0 0 16px; }
.facts div { min-width: 0; }
.facts .long { grid-column: 1 / -1; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 18px 28px; }
@media (min-width: 960px) {
  .columns { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .columns.wide { grid-template-columns: minmax(0, 5fr) minmax(0, 2fr); }
}
.columns h3:first-child { margin-top: 0; }
.scroll { overflow-x: auto; max-width: 100%; margin-bottom: 12px; }
.tall { max-height: 400px; overflow-y: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
.numbers { width: 100%; border-collapse: separate; border-spacing: 0; }
.numbers th, .numbers td { padding: 4px 6px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
.numbers thead th { color: var(--muted); font-weight: 500; font-size: 13px; position: sticky; top: 0;
  background: var(--card); }
.numbers tbody th { font-weight: 600; }
.numbers th:first-child { text-align: left; position: sticky; left: 0; background: var(--card); }
.busy { position: relative; }
.busy::after { content: ""; position: absolute; left: 0; bottom: 0; height: 3px; width: calc(var(--v) * 100%);
  background: rgb(var(--hit)); }
.options td { text-align: left; overflow-wrap: anywhere; white-space: normal; }
.options { width: auto; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
pre, .mono { font: 13px/1.5 ui-monospace, "Cascadia Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; }

.chart { display: block; width: 100%; height: auto; }
.chart text { fill: var(--muted); font-size: 13px; }
.chart text.loss { fill: var(--loss); }
@media (max-width: 600px) { .chart text { font-size: 20px; } }
.grid { stroke: var(--line); }
.frame { fill: none; stroke: var(--muted); }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.curve.loss { stroke: var(--loss); }
.curve.train { stroke: var(--train); stroke-dasharray: 9 5; }
.curve.test { stroke: var(--test); stroke-dasharray: 10 4 2 4; }
.curve.validation { stroke: var(--validation); stroke-dasharray: 3 3; }
.point.loss { fill: var(--loss); } .point.train { fill: var(--train); } .point.test { fill: var(--test); }
.point.validation { fill: var(--validation); }
.jobs { --c0: #15803d; --c1: #2563eb; --c2: #b5179e; --c3: #b45309; --c4: #0e7490; --c5: #7c3aed; --c6: #c81e1e; --c7: #57534e; }
@media screen and (prefers-color-scheme: dark) {
  .jobs { --c0: #5fd38d; --c1: #6ea8fe; --c2: #f07be0; --c3: #f5b14c; --c4: #5ccfe6; --c5: #b79bff; --c6: #ff7b72; --c7: #d6d3d1; }
}
.jobs .curve { stroke: var(--c); } .jobs .one { stroke-width: 1; opacity: .45; } .jobs .band { fill: var(--c); opacity: .14; }
.jobs .other { --c: var(--muted); } .jobs .dot { fill: var(--c); opacity: .7; } .jobs .mean { stroke: var(--c); stroke-width: 2; }
.jobs td.spread { min-width: 180px; padding: 2px 6px; } .jobs td.spread svg { display: block; width: 200px; height: 18px; margin-left: auto; }
.jobs .chart { max-width: 860px; } .jobs .legend li { white-space: normal; }
#map thead th { text-align: right; } #map thead th:first-child { text-align: left; }
.strip { fill: transparent; }
.strip:hover { fill: rgb(var(--hit) / .12); }
rect.accuracy { fill: var(--loss); }
rect.gap { fill: var(--bad); fill-opacity: .25; stroke: var(--bad); stroke-width: 1.5; }
rect.share { fill: var(--muted); }
line.diagonal { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 6 5; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 10px; list-style: none; margin: 0 0 8px; padding: 0; font-size: 13px; }
.legend li { white-space: nowrap; }

.matrix { border-collapse: separate; border-spacing: 2px; width: 100%; }
.matrix td { text-align: right; padding: 5px 7px; border-radius: 4px; min-width: 34px; }
.matrix .hit { background: rgb(var(--hit) / var(--v)); font-weight: 600; }
.matrix .miss { background: rgb(var(--miss) / var(--v)); }
.matrix .axis { color: var(--muted); font-weight: 500; font-size: 13px; }
.matrix thead tr:last-child .axis { text-align: left; vertical-align: bottom; }
.matrix .row { text-align: left; font-weight: 500; max-width: 11em; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; padding: 0 8px 0 0; position: sticky; left: 0; background: var(--card); }
.matrix .column { vertical-align: bottom; font-weight: 500; padding: 2px 0; }
.matrix .column span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9em; overflow: hidden;
  white-space: nowrap; text-overflow: ellipsis; margin: 0 auto; display: block; }
.matrix .recall { color: var(--muted); white-space: nowrap; padding-left: 10px; }
.confused { margin: 0; padding-left: 22px; font-size: 14px; }
.confused li { margin-bottom: 6px; overflow-wrap: anywhere; }

.gallery { list-style: none; margin: 0; padding: 0; display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(98px, 1fr)); }
.gallery li { border: 2px solid var(--line); border-radius: 8px; padding: 6px 3px; text-align: center; font-size: 13px;
  line-height: 1.35; min-width: 0; display: flex; flex-direction: column; align-items: center; }
.gallery li.wrong { border-color: var(--bad); }
.gallery span { max-width: 100%; overflow-wrap: anywhere; }
.gallery .label { margin-bottom: 4px; }
.gallery .guess { font-weight: 600; margin-top: 4px; }
.probability { color: var(--muted); font-size: 12px; margin-top: auto; }
.right .probability { color: var(--good); } .wrong .probability { color: var(--bad); }
.gallery img { width: 84px; height: auto; max-width: 100%; max-height: 84px; object-fit: contain; background: var(--soft);
  border-radius: 4px; }
.gallery img.band { object-fit: fill; height: 42px; }
.gallery img.pixels, .gallery img.band { image-rendering: pixelated; }
.templates img { background: var(--card); }
.bar { display: flex; align-items: center; gap: 10px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar img { flex: 0 1 320px; min-width: 0; height: 14px; border: 1px solid var(--line); border-radius: 3px; }
.picture { overflow-x: auto; }

@media (max-width: 600px) {
  header, main, footer { padding-left: 10px; padding-right: 10px; }
  section { padding: 16px 14px; }
  .gallery { grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 8px; }
  .cards { grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); }
}
@media print {
  :root { color-scheme: light; }
  body { background: none; font-size: 11pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav { display: none; }
  section { border: 0; padding: 0; margin-bottom: 24px; }
  h2, h3 { break-after: avoid; }
  .chart, .matrix, .gallery li, tr { break-inside: avoid; }
  .scroll, .picture { overflow: visible; max-height: none; }
}
)css";

}  // namespace sluice::apps::report

// Correcting a transcript while listening. The textarea is what is saved; `lines` is its copy underneath, a node a line, on which hang
// the times at which its words are heard, so that they move with their lines while somebody types.
"use strict";

const $ = id => document.getElementById(id);
const audio = $("audio"), text = $("text"), lines = $("lines"), head = $("head"); // the front matter has a box of its own
const say = JSON.parse($("say").textContent);
const BEFORE_S = 2, BACK_S = 3, PAUSE_MS = 500;

const whole = () => (head.value && !head.value.endsWith("\n") ? head.value + "\n" : head.value) + text.value; // what is saved
const headLines = () => whole().length === text.value.length ? 0 : whole().slice(0, whole().length - text.value.length).split("\n").length - 1;

let saved = "", digest = "", asked = 0, waiting = 0;
let timed = []; // every word that has a time, in order: {start_s, node, column}
let doubts = [], chosen = null; // start of the doubt that was last gone to, until one goes elsewhere

const clock = s => {
  const whole = Math.floor(s), two = n => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

// ── the copy underneath ──

function lineNode(content) {
  const node = document.createElement("div");
  node.className = "line";
  const at = document.createElement("button");
  Object.assign(at, {className: "at", type: "button", tabIndex: -1, hidden: true});
  at.addEventListener("click", () => listen(node.words[0][1]));
  node.append(at, document.createTextNode(content));
  node.words = [];
  return node;
}

function copyText() {
  const wanted = text.value.split("\n"), nodes = [...lines.children];
  const same = (i, j) => nodes[i] && nodes[i].lastChild.data === wanted[j];
  let head = 0, tail = 0;
  while (head < wanted.length && same(head, head)) head++;
  while (tail < Math.min(wanted.length, nodes.length) - head && same(nodes.length - 1 - tail, wanted.length - 1 - tail)) tail++;
  const old = nodes.slice(head, nodes.length - tail), fresh = wanted.slice(head, wanted.length - tail);
  if (old.length === fresh.length) { // typing in a line keeps its times until better ones come
    old.forEach((node, i) => { node.lastChild.data = fresh[i]; });
  } else {
    const after = nodes[nodes.length - tail] || null;
    old.forEach(node => node.remove());
    fresh.forEach(content => lines.insertBefore(lineNode(content), after));
  }
}

function offsetOf(node, column = 0) {
  let offset = 0;
  for (let each = node.previousElementSibling; each; each = each.previousElementSibling) offset += each.lastChild.data.length + 1;
  return offset + column;
}

function placeOf(offset) {
  const before = text.value.slice(0, offset).split("\n");
  return [lines.children[before.length - 1], before.at(-1).length];
}

// ── what the server says of the text ──

// The server counts the lines of the file, front matter included; a mistake in the front matter has line 0 here.
function inText(answer) {
  const first = headLines(), moved = each => ({...each, line: Math.max(0, each.line - first), of_file: each.line});
  const {words, estimated, doubts, mistakes, remarks} = answer, guessed = new Set(estimated);
  return {
    ...answer,
    words: words.map(([line, column, start_s], index) => [line - first, column, start_s, guessed.has(index)]).filter(([line]) => line > 0),
    doubts: doubts.map(moved), mistakes: mistakes.map(moved), remarks: remarks.map(moved),
  };
}

function show(answer) {
  const found = inText(answer), nodes = [...lines.children];
  nodes.forEach(node => { node.words = []; node.classList.remove("doubt", "wrong"); });
  timed = found.words.map(([line, column, start_s, isEstimated]) => {
    const node = nodes[line - 1];
    node.words.push([column, start_s, isEstimated]);
    return {start_s, node, column};
  });
  nodes.forEach(node => {
    node.firstChild.hidden = !node.words.length;
    node.firstChild.textContent = node.words.length ? (node.words[0][2] ? "≈" : "") + clock(node.words[0][1]) : "";
  });
  doubts = found.doubts;
  doubts.filter(doubt => doubt.line).forEach(doubt => nodes[doubt.line - 1].classList.add("doubt"));
  markDoubted();
  found.mistakes.filter(mistake => mistake.line).forEach(mistake => nodes[Math.min(mistake.line, nodes.length) - 1].classList.add("wrong"));
  if (found.mistakes.some(mistake => !mistake.line)) $("front").open = true;
  list("doubts", doubts, doubtItem);
  list("completeness", found.completeness, each => item(clock(each.start_s), each.said, () => listen(Math.max(0, each.start_s - BEFORE_S))));
  list("mistakes", found.mistakes, lineItem);
  list("remarks", found.remarks, lineItem);
  $("checked").textContent = found.check.notice;
  $("check-now").hidden = !found.check.offered;
  $("check-later").hidden = found.check.offered || found.check.done;
  $("n-doubts").textContent = `(${doubts.filter(doubt => doubt.line).length})`;
  if (!timed.length) tell(say.no_times.replace("{slug}", text.dataset.slug));
  follow();
}

function wordRange(node, column) {
  const range = new Range(), letters = /^\S*/.exec(node.lastChild.data.slice(column))[0].length;
  range.setStart(node.lastChild, Math.min(column, node.lastChild.data.length));
  range.setEnd(node.lastChild, Math.min(column + letters, node.lastChild.data.length));
  return range;
}

function markDoubted() {
  if (!CSS.highlights) return;
  const spans = doubts.filter(doubt => doubt.line && doubt.end_s !== null);
  const doubted = timed.filter(word => spans.some(span => span.start_s <= word.start_s && word.start_s < span.end_s));
  CSS.highlights.set("doubted", new Highlight(...doubted.map(word => wordRange(word.node, word.column))));
}

function list(id, items, make) {
  $(id).replaceChildren(...items.map(make));
  $(`n-${id}`).textContent = `(${items.length})`;
}

function item(mark, said, act) {
  const li = document.createElement("li"), button = document.createElement("button"), time = document.createElement("b");
  button.type = "button";
  time.textContent = mark;
  button.append(time, ` ${said}`);
  button.addEventListener("click", act);
  li.append(button);
  return li;
}

function lineItem({line, of_file, said}) {
  const toHead = () => { $("front").open = true; head.focus(); };
  return item(say.line.replace("{n}", of_file), said, () => line ? goTo(lines.children[line - 1]) : toHead());
}

function doubtItem(doubt) {
  const li = item(doubt.start_s === null ? "" : clock(doubt.start_s), doubt.said, () => hear(doubt));
  li.classList.toggle("gone", !doubt.line);
  li.classList.toggle("chosen", doubt.start_s === chosen && chosen !== null);
  if (doubt.line) {
    const done = document.createElement("button");
    Object.assign(done, {type: "button", textContent: "✓", title: say.heard});
    done.setAttribute("aria-label", `${say.heard} (${clock(doubt.start_s || 0)})`);
    done.addEventListener("click", () => removeNote(lines.children[doubt.line - 1]));
    li.append(done);
  }
  return li;
}

function removeNote(node) {
  const first = offsetOf(node), content = text.value, end = first + node.lastChild.data.length + 1;
  const last = content[end] === "\n" && content[first - 2] === "\n" ? end + 1 : end; // with the empty line after it
  replace(first, Math.min(last, content.length), "");
}

function replace(first, last, by) {
  text.focus();
  text.setSelectionRange(first, last);
  if (!(by ? document.execCommand("insertText", false, by) : document.execCommand("delete"))) { // the one way that can be undone
    text.setRangeText(by, first, last, "start");
    changed();
  }
}

async function checkOff() {
  const now = new Date(), two = n => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const answer = await send("POST", "reviewed", {day, by: $("by").value});
  if (!answer) return;
  const found = await answer.json();
  if (!answer.ok) return problem(found.problem);
  $("front").open = true; // what is written there is seen, and can be undone
  head.focus();
  head.select();
  if (!document.execCommand("insertText", false, found.head)) head.value = found.head;
  changed();
  save();
}

async function look() {
  const number = ++asked;
  const answer = await send("POST", "beside");
  if (!answer || number !== asked) return;
  const found = await answer.json();
  if (answer.ok) show(found); else problem(found.problem);
}

function changed() {
  copyText();
  asked++; // an answer about the text before is no longer wanted
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE_MS);
  tell(whole() === saved ? "" : say.unsaved);
}

// ── saving ──

async function send(method, name, more = {}) {
  const body = JSON.stringify({text: whole(), digest, ...more});
  try {
    return await fetch(name, {method, headers: {"Content-Type": "application/json"}, body});
  } catch {
    problem(say.gone);
    return null;
  }
}

async function save() {
  const sent = whole(), answer = await send("PUT", "text");
  if (!answer) return;
  const said = await answer.json().catch(() => ({problem: `${answer.status} ${answer.statusText}`}));
  if (!answer.ok) return problem(said.problem);
  saved = sent;
  digest = said.digest;
  problem("");
  tell(whole() === saved ? say.saved : say.unsaved);
}

const tell = said => { $("status").textContent = said; };
const problem = said => { $("problem").textContent = said; $("problem").hidden = !said; };

// ── listening ──

function listen(start_s) {
  chosen = null;
  audio.currentTime = start_s;
  audio.play();
}

function hear(doubt) {
  if (doubt.start_s !== null) {
    listen(Math.max(0, doubt.start_s - BEFORE_S));
    chosen = doubt.start_s;
  }
  [...$("doubts").children].forEach((li, i) => li.classList.toggle("chosen", doubts[i] === doubt));
  goTo(doubt.line ? lines.children[doubt.line - 1] : wordAt(doubt.start_s)?.node);
}

function nextDoubt() {
  const open = doubts.filter(doubt => doubt.line), from = chosen ?? audio.currentTime;
  const next = (open.length ? open : doubts).find(doubt => doubt.start_s > from);
  if (next) hear(next); else tell(say.no_more);
}

const playOrPause = () => audio.paused ? audio.play() : audio.pause();
const goBack = () => { audio.currentTime = Math.max(0, audio.currentTime - BACK_S); };

function timeAtCursor() {
  const [node, column] = placeOf(text.selectionStart);
  const before = node.words.filter(([start]) => start <= column).at(-1) || node.words[0];
  return before ? before[1] : undefined;
}

function fromHere() {
  const start_s = timeAtCursor();
  if (start_s !== undefined) listen(start_s);
}

function goTo(node) {
  if (!node) return;
  text.focus({preventScroll: true});
  text.setSelectionRange(offsetOf(node), offsetOf(node));
  node.scrollIntoView({block: "center"});
}

function wordAt(s) {
  let low = 0, high = timed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timed[middle].start_s <= s) low = middle + 1; else high = middle;
  }
  return timed[low - 1];
}

function follow() {
  const word = wordAt(audio.currentTime), node = word?.node.isConnected ? word.node : null, before = lines.querySelector(".now");
  if (node !== before) {
    before?.classList.remove("now");
    node?.classList.add("now");
    if (node && $("follow").checked && !audio.paused) node.scrollIntoView({block: "center"});
  }
  if (!CSS.highlights) return;
  CSS.highlights.delete("word");
  if (!node) return;
  const now = new Highlight(wordRange(node, word.column));
  now.priority = 1; // over a doubted word
  CSS.highlights.set("word", now);
}

// ── hands ──

const KEYS = {Escape: playOrPause, F2: goBack, F4: nextDoubt};
const WITH_CONTROL = {s: save, Enter: fromHere};

document.addEventListener("keydown", event => {
  const control = event.ctrlKey || event.metaKey;
  const act = event.isComposing || event.altKey || event.shiftKey ? null : (control ? WITH_CONTROL : KEYS)[event.key === "S" ? "s" : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
text.addEventListener("click", () => {
  const start_s = text.selectionStart === text.selectionEnd ? timeAtCursor() : undefined;
  if (start_s === undefined) return;
  chosen = null;
  audio.currentTime = start_s;
});
$("check-off").addEventListener("click", checkOff);
text.addEventListener("input", changed);
head.addEventListener("input", changed);
audio.addEventListener("timeupdate", follow);
audio.addEventListener("seeked", follow);
addEventListener("beforeunload", event => { if (whole() !== saved) event.preventDefault(); });
for (const [id, act] of Object.entries({play: playOrPause, back: goBack, next: nextDoubt, from_here: fromHere, save})) $(id).addEventListener("click", act);

fetch("text").then(answer => answer.json()).then(found => {
  if (found.problem) return problem(found.problem);
  ({digest} = found);
  head.value = found.head;
  text.value = found.text;
  saved = whole();
  text.disabled = head.disabled = false;
  copyText();
  show(found);
}).catch(() => problem(say.gone));

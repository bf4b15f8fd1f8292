// What a script adds to a page that works without: seeking, links, search, quotations.
(() => {
  const all = (css) => [...document.querySelectorAll(css)], one = (css) => document.querySelector(css);
  const copy = (button, text) => navigator.clipboard.writeText(text).then(() => { button.textContent = button.dataset.done; });
  for (const button of all("[data-for]")) {
    button.hidden = !navigator.clipboard;
    button.onclick = () => copy(button, one(button.dataset.for).textContent);
  }

  const audio = one("audio"), list = one(".turns"), tools = one(".tools"), follow = one("#suivre");
  if (!audio) return;
  const turns = all("[data-start]"), key = "causerie:" + location.pathname;
  let stop = Infinity, current = null, kept = 0;

  // "t=88", "t=0:31" and "t=10,12", as in Media Fragments.
  const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + (+part || 0), 0);
  const moment = (hash) => {
    const found = /^#t=([\d:.]+)(?:,([\d:.]+))?$/.exec(hash);
    return found && { start: seconds(found[1]), end: found[2] ? seconds(found[2]) : Infinity };
  };
  const at = (time) => turns.filter((turn) => parseInt(turn.dataset.start) <= time).pop();
  const reveal = (turn) => turn?.scrollIntoView({ block: "center" });
  const mark = () => {
    const turn = at(audio.currentTime);
    if (turn === current) return;
    current?.removeAttribute("aria-current");
    turn?.setAttribute("aria-current", "true");
    current = turn;
    if (follow?.checked) reveal(turn);
  };
  const seek = ({ start, end }) => {
    const go = () => { audio.currentTime = start; stop = end; mark(); };
    if (audio.readyState) go(); else audio.onloadedmetadata = go;
  };
  const open = () => {
    const wanted = moment(location.hash);
    if (wanted) { seek(wanted); reveal(at(wanted.start)); }
    return wanted;
  };
  onhashchange = open;
  document.onclick = (event) => {
    const link = event.target.closest("a.time"), wanted = link && moment(link.hash);
    if (!wanted || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(wanted);
    history.replaceState(null, "", link.hash);
    audio.play().catch(() => {});
  };

  // The place is kept in this browser only.
  const keep = () => { try { localStorage[key] = kept = audio.ended ? 0 : audio.currentTime; } catch {} };
  audio.ontimeupdate = () => {
    if (audio.currentTime >= stop) { audio.pause(); stop = Infinity; }
    mark();
    if (!audio.paused && Math.abs(audio.currentTime - kept) > 5) keep();
  };
  audio.onpause = audio.onended = keep;
  try { kept = +localStorage[key] || 0; } catch {}
  if (!open() && kept > 5) {
    seek({ start: kept, end: Infinity });
    one(".note").hidden = false;
  }

  if (!list) return;
  tools.hidden = false;
  tools.onsubmit = (event) => event.preventDefault();
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/’/g, "'").replace(/\s+/g, " ").toLowerCase();
  const rows = all(".turn").map((turn) => [turn, fold(turn.textContent)]), output = one("output"), say = output.dataset;
  one("#recherche").oninput = (event) => {
    const wanted = fold(event.target.value).trim();
    let count = 0;
    for (const [turn, text] of rows) count += !(turn.hidden = !text.includes(wanted));
    list.classList.toggle("searching", wanted);
    output.textContent = wanted && (count > 1 ? say.many.replace("{n}", count) : count ? say.one : say.none);
  };
  for (const turn of navigator.clipboard ? turns : []) {
    const button = document.createElement("button"), who = turn.querySelector("b"), { copy: label, done, title } = list.dataset;
    const text = turn.querySelector(".words").textContent.replace(/^«\s*|\s*»$/g, ""), link = one("link[rel=canonical]").href + "#t=" + parseInt(turn.dataset.start);
    Object.assign(button, { type: "button", className: "copy", textContent: label });
    button.dataset.done = done;
    button.onclick = () => copy(button, `${say.open}${text}${say.close} ${who ? who.textContent + ", " : ""}${title}\n${link}`);
    turn.append(" ", button);
  }
})();

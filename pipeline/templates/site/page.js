// What a script adds to pages that work without: seeking, links to a moment, speed, search, quotations.
(() => {
  const all = (css) => [...document.querySelectorAll(css)], one = (css) => all(css)[0];
  const { clipboard } = navigator, said = one(".said");
  const copy = (button, text, done) => clipboard.writeText(text).then(() => button.textContent = said.textContent = done);
  for (const button of all("[data-for]")) {
    button.hidden = !clipboard;
    button.onclick = () => copy(button, one(button.dataset.for).textContent, button.dataset.done);
  }

  const audio = one("audio"), list = one(".turns"), follow = one("#suivre");
  if (!audio) return;
  for (const node of all(".live")) node.hidden = false;
  // The place and the speed are kept in this browser only, and only where it allows.
  const load = (name) => { try { return +localStorage["causerie:" + name]; } catch {} };
  const save = (name, value) => { try { localStorage["causerie:" + name] = value; } catch {} };
  const marks = all("[data-start]").map((turn) => [parseInt(turn.dataset.start), turn]).sort((a, b) => a[0] - b[0]);
  let stop = Infinity, current = null, kept = load(location.pathname) || 0;

  // "t=88", "t=0:31" and "t=10,12", as in Media Fragments.
  const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + (+part || 0), 0);
  const moment = (hash) => {
    const found = /^#t=([\d:.]+)(?:,([\d:.]+))?$/.exec(hash);
    return found && [seconds(found[1]), found[2] && seconds(found[2])];
  };
  const at = (time) => marks.findLast(([begin]) => begin <= time)?.[1];
  const reveal = (turn) => turn?.scrollIntoView({ block: "center" });
  const mark = () => {
    const turn = at(audio.currentTime);
    if (turn === current) return;
    current?.removeAttribute("aria-current");
    turn?.setAttribute("aria-current", true);
    current = turn;
    if (follow?.checked) reveal(turn);
  };
  const seek = ([begin, end = Infinity]) => {
    const go = () => { audio.currentTime = begin; stop = end; mark(); };
    audio.readyState ? go() : audio.onloadedmetadata = go;
  };
  const open = () => {
    const wanted = moment(location.hash);
    if (wanted) { seek(wanted); reveal(at(wanted[0])); }
    return wanted;
  };
  onhashchange = open;
  onclick = (event) => {
    const { target, ctrlKey, metaKey, shiftKey } = event, link = target.closest("a.time"), wanted = moment(link?.hash);
    if (!wanted || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    seek(wanted);
    history.replaceState(null, "", link.hash);
    audio.play().catch(() => {});
  };

  // Once listened on from, a moment in the address is not where one comes back to.
  const keep = () => {
    save(location.pathname, kept = audio.ended ? 0 : audio.currentTime);
    history.replaceState(1, "");
  };
  audio.ontimeupdate = () => {
    if (audio.currentTime >= stop) { audio.pause(); stop = Infinity; }
    mark();
    if (!audio.paused && Math.abs(audio.currentTime - kept) > 5) keep();
  };
  audio.onpause = audio.onended = keep;
  const note = one(".note") || {}, speed = one("#vitesse") || {};
  if ((history.state || !open()) && kept > 5) {
    seek([kept]);
    note.hidden = false;
  }
  audio.defaultPlaybackRate = audio.playbackRate = load("speed") || 1;
  speed.onchange = () => audio.playbackRate = speed.value;
  audio.onratechange = () => save("speed", speed.value = audio.playbackRate);

  if (!list) return;
  one(".tools").onsubmit = (event) => event.preventDefault();
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/’/g, "'").replace(/\s+/g, " ").toLowerCase();
  const output = one("output"), say = output.dataset, words = list.dataset;
  let rows;
  one("#recherche").oninput = ({ target }) => {
    rows ||= all(".turn").map((turn) => [turn, fold(turn.textContent)]);
    const wanted = fold(target.value).trim();
    let count = 0;
    for (const [turn, text] of rows) count += !(turn.hidden = !text.includes(wanted));
    list.classList.toggle("searching", wanted);
    output.textContent = wanted && (count > 1 ? say.many.replace("{n}", count) : say[count ? "one" : "none"]);
  };
  for (const [begin, turn] of clipboard ? marks : []) {
    const button = document.createElement("button"), who = turn.querySelector("b");
    Object.assign(button, { className: "copy", textContent: words.copy });
    button.onclick = () => {
      const text = turn.querySelector(".words").textContent.replace(/^«\s*|\s*»$/g, "");
      copy(button, `${words.open + text + words.close} ${who ? who.textContent + ", " : ""}${words.title}\n${one("link[rel=canonical]").href}#t=${begin}`, words.done);
    };
    turn.append(" ", button);
  }
})();

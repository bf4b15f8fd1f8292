// The meeting on a screen: a step at a time, what the group is asked, the time that is left, and the clips to play.
"use strict";
const stage = document.getElementById("stage"), steps = [...document.querySelectorAll("#order tbody tr")];
const part = name => stage.querySelector(`[data-part="${name}"]`);
let current = 0, leftS = [], timer = 0, lastMs = 0;

function clock(seconds) {
  const whole = Math.abs(Math.ceil(seconds)), sign = seconds < 0 && whole ? "+" : "";
  return `${sign}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function draw() {
  part("left").textContent = clock(leftS[current]);
  stage.classList.toggle("over", leftS[current] < 0);
}

function tick() {
  const now = performance.now(), before = leftS[current];
  leftS[current] -= (now - lastMs) / 1000;
  lastMs = now;
  if (before >= 0 && leftS[current] < 0) part("said").textContent = stage.dataset.over;
  draw();
}

function run(on) {
  clearInterval(timer);
  timer = on ? setInterval(tick, 250) : 0;
  lastMs = performance.now();
  part("pause").textContent = on ? stage.dataset.pause : stage.dataset.resume;
}

function quiet() {
  stage.querySelectorAll("audio").forEach(audio => audio.pause());
}

function go(to) {
  quiet();
  current = Math.max(0, Math.min(steps.length - 1, to));
  const row = steps[current], asked = [...row.querySelectorAll("em")].map(each => each.textContent);
  part("step").textContent = row.querySelector("th").textContent;
  part("asked").replaceChildren(...asked.map(text => Object.assign(document.createElement("p"), {textContent: text})));
  part("clips").hidden = row.dataset.clips !== "yes";
  part("place").textContent = `${current + 1}/${steps.length}`;
  part("said").textContent = "";
  part("previous").disabled = current === 0;
  part("next").disabled = current === steps.length - 1;
  draw();
}

function open() {
  leftS = steps.map(row => 60 * parseInt(row.dataset.minutes));
  go(0);
  run(true);
  stage.showModal();
  part("next").focus();
  if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {}); // a window will do
}

const keys = {ArrowRight: () => go(current + 1), PageDown: () => go(current + 1), ArrowLeft: () => go(current - 1), PageUp: () => go(current - 1), p: () => run(!timer)};
stage.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target instanceof HTMLMediaElement && event.key !== "p") return; // a player has its own arrows
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
part("next").addEventListener("click", () => go(current + 1));
part("previous").addEventListener("click", () => go(current - 1));
part("pause").addEventListener("click", () => run(!timer));
part("leave").addEventListener("click", () => stage.close());
stage.addEventListener("close", () => { quiet(); run(false); if (document.fullscreenElement) document.exitFullscreen(); });
stage.addEventListener("play", event => stage.querySelectorAll("audio").forEach(audio => { if (audio !== event.target) audio.pause(); }), true);
document.getElementById("project").addEventListener("click", open);
document.getElementById("project").parentElement.hidden = false; // without this script there is nothing to press

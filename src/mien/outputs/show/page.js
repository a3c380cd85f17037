"use strict";
const find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const { times, tracks, labels, colours, axis } = data;
const video = find("video"), canvas = find("canvas"), time = find("time"), brush = canvas.getContext("2d");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
// `shift`: the time of the video's first frame on the browser's own clock, which need not begin at 0 as ours does.
let now = data.start, playable = Boolean(video), ready = false, shift = 0;

/** The position of the last number that is not above `value`, or -1. */
function last(numbers, value) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}

/** What each face shows at a time, if the frame of that time shows it. */
function faces(at) {
  const frame = last(times, at + 0.002), found = [];
  for (const track of tracks) {
    const row = last(track.frames, frame);
    if (row < 0 || track.frames[row] !== frame) continue;
    const values = track.values.slice(row * labels.length, (row + 1) * labels.length);
    const best = values.map((value, label) => [value, label]).sort((a, b) => b[0] - a[0]).slice(0, 3);
    const unsure = track.unsure[row], note = track.notes ? track.notes[row] : "";
    const says = unsure ? "unsure" : best.length ? `${labels[best[0][1]]} ${Math.round(best[0][0] / 10)}%` : note;
    const colour = unsure || !best.length ? data.grey : colours[best[0][1]];
    found.push({ box: track.boxes.slice(row * 4, row * 4 + 4), says: `${track.name} ${says}`, best, colour, note: best.length ? note : "" });
  }
  return found;
}

function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10)), minutes = Math.floor(tenths / 600);
  const pad = (number) => String(number).padStart(2, "0");
  const head = minutes < 60 ? minutes : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`;
  return `${head}:${pad(Math.floor(tenths / 10) % 60)}.${tenths % 10}`;
}

/** Show everything as it was at a time. */
function show(at) {
  now = Math.min(Math.max(at, data.start), data.end);
  const share = (now - data.start) / Math.max(data.end - data.start, 1e-9);
  find("cursor").style.left = `${((axis.left + share * (axis.right - axis.left)) / axis.width) * 100}%`;
  time.setAttribute("aria-valuenow", now.toFixed(2));
  time.setAttribute("aria-valuetext", `${clock(now)} of ${clock(data.end)}`);
  const seen = faces(now), status = find("now");
  status.setAttribute("aria-live", playable && !video.paused ? "off" : "polite");
  status.replaceChildren(...[null, ...seen].map((face) => {
    const item = document.createElement("span"), dot = document.createElement("i");
    item.textContent = face ? face.says : clock(now);
    if (face) { dot.style.background = face.colour; item.prepend(dot); }
    return item;
  }));
  paint(seen);
}

/** Boxes, and beside each a card with its bars where the picture is large enough. */
function paint(seen) {
  const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  brush.scale(ratio, ratio);
  if (!find("boxes").checked) return;
  const scale = width / data.width, large = width >= 480 && seen.length <= 6;
  const boxes = seen.map(({ box }) => box.map((side) => side * scale));
  seen.forEach(({ colour }, at) => {
    for (const [stroke, thick] of [["#12141ade", 4], [colour, 2]]) {
      brush.lineWidth = thick;
      brush.strokeStyle = stroke;
      brush.strokeRect(...boxes[at]);
    }
  });
  const taken = [...boxes];
  seen.forEach((face, at) => taken.push(card(face, boxes[at], taken, large)));
}

/** How many pixels two boxes share. */
function overlap([left, top, wide, high], [x, y, across, tall]) {
  const width = Math.min(left + wide, x + across) - Math.max(left, x), height = Math.min(top + high, y + tall) - Math.max(top, y);
  return Math.max(0, width) * Math.max(0, height);
}

/** The place beside a box for a card of a size where it hides least of what is taken, the likeable first. */
function place([left, top, wide, high], [across, tall], taken, large) {
  const above = [left, top - tall - 4], below = [left, top + high + 4];
  const sides = [[left + wide + 6, top], [left - across - 6, top]];
  const spots = (large ? [...sides, below, above] : [above, below, ...sides]).map(([x, y]) => [
    Math.max(0, Math.min(x, canvas.clientWidth - across)), Math.max(0, Math.min(y, canvas.clientHeight - tall)), across, tall,
  ]);
  const costs = spots.map((spot) => taken.reduce((sum, other) => sum + overlap(spot, other), 0));
  return spots[costs.indexOf(Math.min(...costs))];
}

/** Draw a face's card; returns where it went. */
function card(face, box, taken, large) {
  const bars = large ? face.best : [], note = large ? face.note : "";
  const font = (size) => `${size}px system-ui, sans-serif`, row = 18;
  brush.font = font(12);
  const names = Math.max(0, ...labels.map((label) => brush.measureText(label).width));
  const inner = bars.length ? names + 118 : 0, noted = note ? brush.measureText(note).width : 0;
  brush.font = font(large ? 15 : 13);
  const across = Math.max(brush.measureText(face.says).width, inner, noted) + 16;
  const tall = 24 + row * (bars.length + (note ? 1 : 0)) + (bars.length ? 4 : 0);
  const spot = place(box, [across, tall], taken, large), [x, y] = spot;
  brush.fillStyle = "#12141ade";
  brush.beginPath();
  brush.roundRect(x, y, across, tall, 6);
  brush.fill();
  brush.fillStyle = face.colour;
  brush.textBaseline = "middle";
  brush.fillText(face.says, x + 8, y + 13);
  brush.font = font(12);
  bars.forEach(([value, label], at) => {
    const line = y + 33 + at * row, start = x + 16 + names;
    brush.fillStyle = "#fff";
    brush.fillText(labels[label], x + 8, line);
    brush.fillText(`${Math.round(value / 10)}%`, start + 72, line);
    for (const [fill, length] of [["#464a54", 66], [colours[label], Math.max(6, value * 0.066)]]) {
      brush.fillStyle = fill;
      brush.beginPath();
      brush.roundRect(start, line - 3, length, 6, 3);
      brush.fill();
    }
  });
  brush.fillStyle = "#fff";
  if (note) brush.fillText(note, x + 8, y + 33 + bars.length * row);
  return spot;
}

function seek(at) {
  const to = Math.min(Math.max(at, data.start), data.end);
  if (ready) video.currentTime = to + shift;
  show(to);
  const x = find("cursor").offsetLeft, scroll = find("scroll");
  if (x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth)
    scroll.scrollTo({ left: x - scroll.clientWidth / 2, behavior: calm ? "auto" : "smooth" });
}

function play() {
  if (!playable) return;
  if (video.paused && (video.ended || now >= data.end)) seek(data.start);
  if (video.paused) video.play().catch(() => {}); else video.pause();
}

/** Take over where the video stands, unless it is on its way to where it was sent. It stops where the numbers end. */
function follow(at) {
  if (!ready || video.seeking) return;
  show(at - shift);
  if (at - shift < data.end || video.paused) return;
  video.pause();
  seek(data.end);  // the clock of a video may lag behind the frame it shows
}

/** The first frame is there: what the browser calls its time is our 0. */
function begin(at) {
  if (ready || !playable) return;
  ready = true;
  shift = at;
  seek(now);
}

function lose() {
  playable = ready = false;
  find("play").disabled = true;
  if (video) { find("lost").firstChild.hidden = false; video.hidden = true; }
  show(now);
}

function pointed(event) {
  const { left, width } = time.getBoundingClientRect();
  const share = (((event.clientX - left) / width) * axis.width - axis.left) / (axis.right - axis.left);
  seek(data.start + share * (data.end - data.start));
}

time.addEventListener("click", pointed);
time.addEventListener("pointermove", (event) => { if (event.buttons === 1 && event.pointerType === "mouse") pointed(event); });
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && ["INPUT", "BUTTON"].includes(event.target.tagName)) return;
  const frame = last(times, now + 0.002), next = (step) => times[Math.min(Math.max(frame + step, 0), times.length - 1)];
  const tenth = (data.end - data.start) / 10;
  const to = {
    ArrowLeft: () => (event.shiftKey ? next(-1) : now - 1), ArrowRight: () => (event.shiftKey ? next(1) : now + 1),
    PageDown: () => now - tenth, PageUp: () => now + tenth, Home: () => data.start, End: () => data.end,
  }[event.key];
  if (event.key === " ") play(); else if (to && (event.target === time || event.key.startsWith("Arrow"))) seek(to()); else return;
  event.preventDefault();
});
find("boxes").addEventListener("change", () => show(now));
find("play").addEventListener("click", play);
addEventListener("resize", () => show(now));

const asked = Number((location.hash.match(/^#t=([\d.]+)$/) || [])[1]);
if (video) {
  video.addEventListener("error", lose, true);
  // Of a file whose pictures a browser does not know it may still play the sound.
  video.addEventListener("loadedmetadata", () => { if (!video.videoWidth) lose(); });
  for (const event of ["play", "pause"]) video.addEventListener(event, () => { find("play").textContent = video.paused ? "Play" : "Pause"; });
  for (const event of ["seeked", "timeupdate", "pause"]) video.addEventListener(event, () => follow(video.currentTime));
  video.addEventListener("click", play);
  if (video.requestVideoFrameCallback) {
    const tick = (_, frame) => {
      begin(frame.mediaTime);
      if (!video.paused) follow(frame.mediaTime);
      video.requestVideoFrameCallback(tick);
    };
    video.requestVideoFrameCallback(tick);
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) video.currentTime += 0;  // shown already: show it again
  } else {
    video.addEventListener("loadeddata", () => begin(video.currentTime));
    const tick = () => { if (!video.paused) follow(video.currentTime); requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
  }
  if (video.error) lose();
} else lose();
seek(asked || data.start);

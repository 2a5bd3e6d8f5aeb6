"use strict";
// Once a second the page is read again, and what is marked data-live is made the same. A row that did not change,
// or that has the focus, is left alone: so the place on the page, and what is half chosen, stay.

const PERIOD = 1000;

function mergeRows(shown, fresh) {
  const known = new Map([...shown.children].map((row) => [row.id, row]));
  let place = shown.firstElementChild;
  for (const row of [...fresh.children]) {
    const own = known.get(row.id);
    known.delete(row.id);
    if (!own) {
      shown.insertBefore(row, place);
    } else if (own.isEqualNode(row) || own.contains(document.activeElement)) {
      place = own.nextElementSibling;
    } else {
      place = own.nextElementSibling;
      own.replaceWith(row);
    }
  }
  for (const gone of known.values()) {
    if (!gone.contains(document.activeElement)) gone.remove();
  }
}

function merge(fresh) {
  for (const shown of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(shown.id);
    if (!now || shown.isEqualNode(now)) continue;
    if (shown.dataset.live === "rows") mergeRows(shown, now);
    else shown.textContent = now.textContent;
  }
}

async function read() {
  const response = await fetch(location.href, { cache: "no-store" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  merge(new DOMParser().parseFromString(await response.text(), "text/html"));
}

async function follow() {
  const lost = document.getElementById("lost");
  for (;;) {
    await new Promise((wake) => setTimeout(wake, PERIOD));
    if (document.hidden) continue;
    lost.hidden = await read().then(() => true, () => false);
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

if (document.querySelector("[data-live]")) follow();

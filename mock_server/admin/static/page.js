"use strict";
// Reload the page once a second, and update the elements marked data-live. A row that is unchanged or has the focus
// stays as it is, so that the scroll position and an open menu stay too.

const PERIOD_MS = 1000;
const COPIED_MS = 2000;

function mergeRows(shown, fresh) {
  const oldRows = new Map([...shown.children].map((row) => [row.id, row]));
  let next = shown.firstElementChild;
  for (const row of [...fresh.children]) {
    const oldRow = oldRows.get(row.id);
    oldRows.delete(row.id);
    if (!oldRow) {
      shown.insertBefore(row, next);
    } else if (oldRow.isEqualNode(row) || oldRow.contains(document.activeElement)) {
      if (oldRow.hasAttribute("href")) oldRow.setAttribute("href", row.getAttribute("href")); // a link of the pager leads on from the rows shown now
      next = oldRow.nextElementSibling;
    } else {
      next = oldRow.nextElementSibling;
      oldRow.replaceWith(row);
    }
  }
  for (const oldRow of oldRows.values()) {
    if (!oldRow.contains(document.activeElement)) oldRow.remove();
  }
}

function merge(fresh) {
  for (const shown of document.querySelectorAll("[data-live]")) {
    const update = fresh.getElementById(shown.id);
    if (!update || shown.isEqualNode(update)) continue;
    if (shown.dataset.live === "rows") mergeRows(shown, update);
    else shown.textContent = update.textContent;
  }
}

async function refresh() {
  const response = await fetch(location.href, { cache: "no-store" });
  if (response.status === 404) location.reload(); // what the page is about was deleted
  if (!response.ok) throw new Error(`status ${response.status}`);
  merge(new DOMParser().parseFromString(await response.text(), "text/html"));
}

async function refreshForever() {
  const connectionLost = document.getElementById("connection-lost");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    if (document.hidden) continue;
    connectionLost.hidden = await refresh().then(() => true, () => false);
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    const label = [...button.childNodes];
    button.replaceChildren(copied ? "Copied" : "Not allowed");
    setTimeout(() => button.replaceChildren(...label), COPIED_MS);
  });
}

for (const form of document.querySelectorAll("[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

if (document.querySelector("[data-live]")) refreshForever();

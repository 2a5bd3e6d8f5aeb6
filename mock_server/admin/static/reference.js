"use strict";
// Sends the requests of the forms, and shows their responses. A token is sent, and stored nowhere.

function readHeaders(form) {
  const headers = new Headers();
  if (form.elements.body) headers.set("Content-Type", "application/json");
  if (form.elements.token.value) headers.set("Authorization", `Bearer ${form.elements.token.value}`);
  for (const input of form.querySelectorAll("[data-in=header]")) {
    if (input.value) headers.set(input.dataset.name, input.value);
  }
  for (const line of form.elements.headers.value.split("\n").filter((line) => line.trim())) {
    const [name, ...value] = line.split(":");
    headers.set(name.trim(), value.join(":").trim());
  }
  return headers;
}

function readUrl(form) {
  let path = form.dataset.path;
  const url = new URL(location.origin);
  for (const input of form.querySelectorAll("[data-in=path]")) {
    path = path.replace(`{${input.dataset.name}}`, encodeURIComponent(input.value));
  }
  url.pathname = path;
  for (const input of form.querySelectorAll("[data-in=query]")) {
    if (input.value) url.searchParams.set(input.dataset.name, input.value);
  }
  return url;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function element(name, text, attributes = {}) {
  const created = Object.assign(document.createElement(name), { textContent: text });
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, value);
  return created;
}

function showResponse(form, response, text, milliseconds) {
  const value = parseJson(text);
  const line = element("p", "");
  line.append(
    element("span", response.status, { class: `status s${Math.floor(response.status / 100)}` }),
    ` ${response.statusText} in ${milliseconds} ms`,
  );
  const body = element("pre", value === undefined ? text : JSON.stringify(value, null, 2), {
    tabindex: "0",
    "aria-label": "Body of the response",
  });
  form.querySelector(".response").replaceChildren(line, ...(text ? [body] : []));
  return value;
}

// A created service is the one that the other forms are about.
function fillStored(form, response, value) {
  if (form.dataset.method !== "POST" || !response.ok || !value?.id) return;
  const slug = parseJson(form.elements.body?.value)?.service_slug;
  const stored = { serviceId: value.id, serviceSlug: slug };
  for (const input of document.querySelectorAll("[data-in=path]")) {
    if (stored[input.dataset.name]) input.value = stored[input.dataset.name];
  }
}

async function send(form) {
  const started = performance.now();
  const body = form.elements.body?.value;
  const response = await fetch(readUrl(form), { method: form.dataset.method, headers: readHeaders(form), body });
  const text = await response.text();
  fillStored(form, response, showResponse(form, response, text, Math.round(performance.now() - started)));
}

for (const form of document.querySelectorAll("form.try")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form).catch((error) => {
      form.querySelector(".response").replaceChildren(element("p", `No response: ${error.message}`, { class: "remark bad" }));
    });
  });
}
for (const select of document.querySelectorAll("[data-fills]")) {
  select.addEventListener("change", () => {
    document.getElementById(select.dataset.fills).value = select.value;
  });
}

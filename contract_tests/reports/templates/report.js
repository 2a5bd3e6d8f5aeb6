"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const [grade, search, statements, shown, form, matrix] = ["#grade", "#search", "#statements", "#shown", ".filters", "#matrix"].map(
    (selector) => document.querySelector(selector),
  );
  const rows = all("tbody tr:not(.grade)", matrix);
  const words = new Map(rows.map((row) => [row, row.querySelector("th").textContent.toLowerCase()]));

  const filter = () => {
    const verdicts = all(".chip[aria-pressed=true]").map((chip) => chip.dataset.verdict).filter(Boolean);
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const fits =
        (!verdicts.length || verdicts.includes(row.dataset.verdict) || (verdicts.includes("!") && row.dataset.verdict !== "conforms")) &&
        (!grade.value || row.parentNode.dataset.grade === grade.value) &&
        wanted.every((word) => words.get(row).includes(word));
      row.hidden = !fits;
    }
    for (const group of all("tbody", matrix)) group.hidden = !all("tr:not(.grade):not([hidden])", group).length;
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = left === rows.length ? `${left} rules` : left ? `${left} of ${rows.length} rules` : "No rule fits; reset the filters.";
  };

  const copy = async (button) => {
    const code = button.parentNode.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  const expand = (button) => {
    const findings = all(".finding", button.closest("section"));
    const open = findings.some((finding) => !finding.open);
    for (const finding of findings) finding.open = open;
    button.textContent = open ? "Collapse all" : "Expand all";
  };

  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.matches("details")) {
      target.open = true;
      target.scrollIntoView();
      target.querySelector("summary").focus({ preventScroll: true });
    }
  };

  const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";
  const press = (chip, pressed) => chip.setAttribute("aria-pressed", String(pressed));
  const single = all('.chip[data-verdict="!"], .chip[data-verdict=""]'); // each excludes all others
  const everything = document.querySelector('.chip[data-verdict=""]');
  const choose = (chosen) => {
    const pressed = single.includes(chosen) || !isPressed(chosen);
    for (const chip of single.includes(chosen) ? all(".chip") : single) press(chip, false);
    press(chosen, pressed);
    if (!all(".chip").some(isPressed)) press(everything, true);
    filter();
  };
  for (const chip of all(".chip")) chip.addEventListener("click", () => choose(chip));
  for (const button of all(".copy")) button.addEventListener("click", () => copy(button));
  for (const button of all(".expand")) button.addEventListener("click", () => expand(button));
  const bare = () => matrix.classList.toggle("bare", !statements.checked);
  statements.checked = statements.defaultChecked = matchMedia("(min-width: 40.01rem)").matches;
  statements.addEventListener("change", bare);
  grade.addEventListener("change", filter);
  search.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    setTimeout(() => { bare(); choose(everything); });
  });
  addEventListener("hashchange", follow);
  document.documentElement.classList.add("js");
  bare();
  choose(document.querySelector('.chip[data-verdict="!"]') ?? everything);
  follow();
})();
